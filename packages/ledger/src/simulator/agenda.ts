/**
 * The virtual clock: what is to happen, in the order of its time. Nothing here waits; time is that of the newest event.
 * Source: style.md, "Tests" (virtual clock).
 */
import type { Time } from "../block-time.ts";

/** Something that happens at a time, in milliseconds since the simulation began. */
interface Planned<Event> {
  readonly atMs: number;
  /** Events of one time happen in the order in which they were planned. */
  readonly order: number;
  readonly event: Event;
}

/** Events to come: a binary heap. */
export class Agenda<Event> {
  readonly #heap: Planned<Event>[] = [];
  #planned = 0;
  #nowMs = 0;

  get nowMs(): number {
    return this.#nowMs;
  }
  get size(): number {
    return this.#heap.length;
  }

  /** Plans `event` for `delayMs` from now. */
  plan(delayMs: number, event: Event): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push({ atMs: this.#nowMs + Math.max(0, delayMs), order: this.#planned++, event });
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  /** The next event; the clock moves to its time. Undefined if nothing is planned. */
  next(): Event | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined) return undefined;
    if (heap.length > 0) {
      heap[0] = last;
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < heap.length && isBefore(heap[child]!, heap[least]!)) least = child;
        if (least === at) break;
        [heap[at], heap[least]] = [heap[least]!, heap[at]!];
        at = least;
      }
    }
    this.#nowMs = first.atMs;
    return first.event;
  }
}

const isBefore = (a: Planned<unknown>, b: Planned<unknown>): boolean =>
  a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);

/** `milliseconds` after the whole second `seconds`, as blocks tell the time. */
export const timeAfter = (seconds: number, milliseconds: number): Time => {
  const whole = Math.floor(milliseconds / 1000);
  return { seconds: seconds + whole, nanos: (milliseconds - whole * 1000) * 1_000_000 };
};
