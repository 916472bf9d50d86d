/** What happens next, in a simulation of millions of events: a heap in typed arrays, and odds from a seed. */

/** An event: when, of what kind, whom it concerns, and which life of that it was meant for. */
export interface Event {
  at: number;
  kind: number;
  subject: number;
  life: number;
}

/** Events by time, the earliest first. Holds no objects; grows as needed. Cost: a logarithm each. */
export class EventQueue {
  #size = 0;
  #at = new Float64Array(1024);
  /** Kind, subject and life of each. */
  #what = new Int32Array(3 * 1024);

  push(at: number, kind: number, subject: number, life = 0): void {
    if (this.#size === this.#at.length) this.#grow();
    let place = this.#size++;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#at[parent]! <= at) break;
      this.#copy(parent, place);
      place = parent;
    }
    this.#at[place] = at;
    this.#what[3 * place] = kind;
    this.#what[3 * place + 1] = subject;
    this.#what[3 * place + 2] = life;
  }

  /** Takes the earliest event into `into`; false if there is none. */
  pop(into: Event): boolean {
    if (this.#size === 0) return false;
    into.at = this.#at[0]!;
    into.kind = this.#what[0]!;
    into.subject = this.#what[1]!;
    into.life = this.#what[2]!;
    const last = --this.#size;
    const at = this.#at[last]!;
    let place = 0;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= last) break;
      if (child + 1 < last && this.#at[child + 1]! < this.#at[child]!) child++;
      if (this.#at[child]! >= at) break;
      this.#copy(child, place);
      place = child;
    }
    this.#copy(last, place);
    return true;
  }

  #copy(from: number, to: number): void {
    this.#at[to] = this.#at[from]!;
    this.#what.copyWithin(3 * to, 3 * from, 3 * from + 3);
  }

  #grow(): void {
    const at = new Float64Array(2 * this.#at.length);
    const what = new Int32Array(2 * this.#what.length);
    at.set(this.#at);
    what.set(this.#what);
    this.#at = at;
    this.#what = what;
  }
}

/** Numbers in [0, 1) from a seed, always the same for the same seed: sfc32 (C. Doty-Humphrey, PractRand). */
export function randomFrom(seed: number): () => number {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, seed | 0, 1];
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + sum;
    c |= 0;
    return (sum >>> 0) / 2 ** 32;
  };
  for (let i = 0; i < 16; i++) next(); // far from the seed
  return next;
}

/** A waiting time with this mean, if what is waited for happens at random. */
export const exponential = (random: () => number, mean: number): number => -mean * Math.log1p(-random());
