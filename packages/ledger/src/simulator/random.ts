/**
 * Chance that follows from a seed: the same seed gives the same numbers on every machine. Integers only.
 * Source: style.md, "Tests" (seeded scheduler); Chris Doty-Humphrey, PractRand, generator `sfc32`.
 */
import { invariant } from "@xinglin/primitives";

const WARM_UP = 15;
const TWO_32 = 2 ** 32;

/** A stream of numbers. Streams of one seed under different labels do not depend on each other. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** The stream of `seed` (an integer from 0) under `label`. */
  constructor(seed: number, label = "") {
    invariant(Number.isSafeInteger(seed) && seed >= 0, "random: a seed is an integer from 0");
    this.#a = (seed % TWO_32) | 0;
    this.#b = Math.floor(seed / TWO_32) | 0;
    this.#c = 0;
    for (let i = 0; i < label.length; i++) this.#c = (Math.imul(this.#c, 31) + label.charCodeAt(i)) | 0;
    for (let i = 0; i < WARM_UP; i++) this.#word();
  }

  /** An integer from 0 to `size` - 1. */
  below(size: number): number {
    return Math.floor((this.#word() / TWO_32) * size);
  }

  /** An integer from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + this.below(most - least + 1);
  }

  /** True in `perMille` of a thousand cases. */
  chance(perMille: number): boolean {
    return this.below(1000) < perMille;
  }

  /** One of the list, which must not be empty. */
  pick<T>(list: readonly T[]): T {
    invariant(list.length > 0, "random: nothing to pick from");
    return list[this.below(list.length)] as T;
  }

  /** The same elements in another order. */
  shuffled<T>(list: readonly T[]): T[] {
    const out = [...list];
    for (let i = out.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      [out[i], out[j]] = [out[j] as T, out[i] as T];
    }
    return out;
  }

  /** So many bytes. */
  bytes(length: number): Uint8Array {
    const out = new Uint8Array(length);
    for (let i = 0; i < length; i++) out[i] = this.#word() & 255;
    return out;
  }

  #word(): number {
    const t = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + t;
    this.#c |= 0;
    return t >>> 0;
  }
}
