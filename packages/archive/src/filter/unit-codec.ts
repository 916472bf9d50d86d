/**
 * One unit of a file made smaller, and made itself again. What was made smaller is decoded and compared byte by byte before anyone
 * relies on it, so the same bytes come back always.
 * Source: design.md, "Archive" (lossless filter where it pays); dependencies of the archive, D6 (chosen by trial).
 */
import { discard, shrink, unshrink } from "./entropy.ts";
import { fits, MAX_UNIT_BYTES, Predictor, type SampleLayout } from "./predictor.ts";

/** How a segment is stored. Wire values: append, never reuse. */
export const KEPT = 0;
export const SHRUNK = 1;
export const FORETOLD = 2;
export type Method = typeof KEPT | typeof SHRUNK | typeof FORETOLD;

/** A unit as it is stored. `bytes` is valid until the next unit. */
export interface StoredUnit {
  readonly method: Method;
  readonly bytes: Uint8Array;
}

/** A saving below one in thirty-two is not worth the decoding. */
const worth = (stored: number, length: number): boolean => stored < length - length / 32;
/** How much of an image of deep samples is tried. */
const TRIAL_SHARE = 16;
const LEAST_TRIAL = 2 ** 14;

/** Filters units of one thread, one at a time. Costs 4 MiB and what the entropy coder takes. */
export class UnitCodec {
  readonly #predictor = new Predictor();
  /** What the last call gave out, given back by the next. */
  #given: Uint8Array | undefined;
  /** Units that did not come back as they were, and so were kept: none, unless the platform is broken. */
  failures = 0;

  /** Room for a unit of `length` bytes: fill it, then `encode`. */
  unit(length: number): Uint8Array {
    return this.#predictor.samples.subarray(0, length);
  }

  /** The smallest form of the first `length` bytes of `unit`, by trial; decoded and compared. `samples` says what image they are, if any. */
  encode(length: number, samples?: SampleLayout): StoredUnit {
    const stored = this.reduce(length, samples);
    if (stored.method === KEPT) return stored;
    const again = this.#decode(stored.method, stored.bytes, length, samples);
    const same = again !== undefined && Buffer.compare(again, this.unit(length)) === 0;
    if (stored.method === SHRUNK && again !== undefined) discard(again);
    if (same) return stored;
    this.failures++;
    return { method: KEPT, bytes: this.unit(length) };
  }

  /** The same, not yet compared: for measuring. */
  reduce(length: number, samples?: SampleLayout): StoredUnit {
    const unit = this.unit(length);
    const method = samples === undefined || !fits(samples, length) ? SHRUNK : this.#choose(length, samples);
    if (method === KEPT) return { method, bytes: unit };
    const bytes = this.#give(shrink(method === FORETOLD ? this.#predictor.foretell(samples!, 0, length) : unit));
    return worth(bytes.length, length) ? { method, bytes } : { method: KEPT, bytes: unit };
  }

  /**
   * The `length` bytes that a stored unit was made of, valid until the next unit, or `undefined` if it was made of none such. Takes
   * no more memory than a unit, whatever `bytes` say.
   */
  decode(method: Method, bytes: Uint8Array, length: number, samples?: SampleLayout): Uint8Array | undefined {
    const decoded = this.#decode(method, bytes, length, samples);
    return decoded !== undefined && method === SHRUNK ? this.#give(decoded) : decoded;
  }

  #decode(method: Method, bytes: Uint8Array, length: number, samples: SampleLayout | undefined): Uint8Array | undefined {
    if (method === KEPT) return bytes.length === length ? bytes : undefined;
    if (length > MAX_UNIT_BYTES) return undefined;
    const plain = unshrink(bytes, length);
    if (plain === undefined || method === SHRUNK) return plain;
    if (samples === undefined || !fits(samples, length)) return undefined;
    this.#predictor.differences.set(plain);
    discard(plain);
    return this.#predictor.restore(samples, length);
  }

  #give(bytes: Uint8Array): Uint8Array {
    if (this.#given !== undefined) discard(this.#given);
    this.#given = bytes;
    return bytes;
  }

  /** Tries an image both ways: of deep samples a band from the middle; of others all, since screens and drawings differ from band to band. */
  #choose(length: number, samples: SampleLayout): Method {
    const share = samples.sampleBytes === 2 ? TRIAL_SHARE : 1;
    const band = Math.min(length, Math.max(LEAST_TRIAL, Math.floor(length / share)) & ~1);
    const from = ((length - band) >> 1) & ~1; // between samples
    const foretold = shrunkBytes(this.#predictor.foretell(samples, from, from + band));
    const shrunk = shrunkBytes(this.unit(length).subarray(from, from + band));
    if (!worth(Math.min(foretold, shrunk), band)) return KEPT;
    return foretold <= shrunk ? FORETOLD : SHRUNK;
  }
}

/** What `bytes` shrink to. */
function shrunkBytes(bytes: Uint8Array): number {
  const shrunk = shrink(bytes);
  const { length } = shrunk;
  discard(shrunk);
  return length;
}
