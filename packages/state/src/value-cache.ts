/**
 * Values that were read lately. A value's row never changes, so an id answers for its value for ever; two generations, of which the
 * older is dropped whole, cost less than keeping an order of use.
 */
import type { StoredValue } from "./values.ts";

/** What an entry takes beside its bytes: objects and their place in the map. */
const ENTRY_BYTES = 300;

export class ValueCache {
  /** Keeps at most this many bytes. */
  limitBytes: number;
  #young = new Map<number, StoredValue>();
  #old = new Map<number, StoredValue>();
  #youngBytes = 0;
  #oldBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get sizeBytes(): number {
    return this.#youngBytes + this.#oldBytes;
  }

  /** The value with this id, from memory or by `read`. */
  get(id: number, read: () => StoredValue): StoredValue {
    const held = this.#young.get(id);
    if (held !== undefined) return held;
    const stored = this.#old.get(id) ?? read();
    const bytes = ENTRY_BYTES + stored.rawKey.length + stored.value.length;
    const generationBytes = this.limitBytes / 2;
    if (bytes > generationBytes) return stored;
    if (this.#youngBytes + bytes > generationBytes) {
      this.#old = this.#young;
      this.#oldBytes = this.#youngBytes;
      this.#young = new Map();
      this.#youngBytes = 0;
    }
    this.#young.set(id, stored);
    this.#youngBytes += bytes;
    return stored;
  }
}
