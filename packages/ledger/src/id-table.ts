/**
 * Which transactions were included in the blocks whose validity is not over, and where: the memory side of the replay window.
 * Ids and places lie in typed arrays (44 bytes an id at full load), since an hour at 5,000 transactions a second is 18 million ids.
 * Source: design.md, "Transactions" (replay set).
 */
import { randomBytes } from "node:crypto";
import type { Bytes } from "@xinglin/primitives";

const ID_BYTES = 32;
const MIN_CAPACITY = 1024;
/** Slots are used up to this share before the table doubles: linear probing stays short. */
const MAX_LOAD = 0.7;
const FREE = 0;

/** Where a transaction stands: the height of its block and its index in it. */
export interface Place {
  readonly height: number;
  readonly index: number;
}

/** A set of 32-byte ids with their places. Open addressing with linear probing; removal closes the gap, so nothing is left behind. */
export class IdTable {
  #ids = new Uint8Array(MIN_CAPACITY * ID_BYTES);
  #words = new DataView(this.#ids.buffer);
  #heights = new Float64Array(MIN_CAPACITY);
  #indexes = new Uint32Array(MIN_CAPACITY);
  #mask = MIN_CAPACITY - 1;
  #size = 0;
  // Ids are hashes that a sender can choose among: a secret keeps anyone from aiming many at one slot.
  readonly #secret = randomBytes(4).readUInt32LE();

  get size(): number {
    return this.#size;
  }

  /** Where `id` stands, if it is in the table. */
  find(id: Bytes): Place | undefined {
    const slot = this.#slotOf(id);
    return this.#heights[slot] === FREE
      ? undefined
      : { height: this.#heights[slot] as number, index: this.#indexes[slot] as number };
  }

  has(id: Bytes): boolean {
    return this.#heights[this.#slotOf(id)] !== FREE;
  }

  /** Adds `id`; heights start at 1. An id that is there already keeps its place. */
  add(id: Bytes, height: number, index: number): void {
    if (this.#size + 1 > MAX_LOAD * (this.#mask + 1)) this.#grow();
    const slot = this.#slotOf(id);
    if (this.#heights[slot] !== FREE) return;
    this.#put(slot, id, height, index);
    this.#size++;
  }

  delete(id: Bytes): void {
    let gap = this.#slotOf(id);
    if (this.#heights[gap] === FREE) return;
    this.#size--;
    // Every entry behind the gap that may stand in it moves into it (Knuth, TAOCP 6.4, algorithm R).
    for (let slot = (gap + 1) & this.#mask; this.#heights[slot] !== FREE; slot = (slot + 1) & this.#mask) {
      const home = this.#home(this.#words, slot * ID_BYTES);
      const stays = gap <= slot ? gap < home && home <= slot : gap < home || home <= slot;
      if (stays) continue;
      this.#ids.copyWithin(gap * ID_BYTES, slot * ID_BYTES, (slot + 1) * ID_BYTES);
      this.#heights[gap] = this.#heights[slot] as number;
      this.#indexes[gap] = this.#indexes[slot] as number;
      gap = slot;
    }
    this.#heights[gap] = FREE;
  }

  #home(words: DataView, at: number): number {
    const mixed = Math.imul((words.getUint32(at, true) ^ this.#secret) + words.getUint32(at + 4, true), 0x9e3779b1);
    return (mixed ^ (mixed >>> 15)) & this.#mask;
  }

  /** The slot that holds `id`, or the free one where it belongs. */
  #slotOf(id: Bytes): number {
    const wanted = new DataView(id.buffer, id.byteOffset, ID_BYTES);
    let slot = this.#home(wanted, 0);
    while (this.#heights[slot] !== FREE && !this.#holds(slot, wanted)) slot = (slot + 1) & this.#mask;
    return slot;
  }

  #holds(slot: number, wanted: DataView): boolean {
    const at = slot * ID_BYTES;
    for (let i = 0; i < ID_BYTES; i += 4) if (this.#words.getUint32(at + i, true) !== wanted.getUint32(i, true)) return false;
    return true;
  }

  #put(slot: number, id: Bytes, height: number, index: number): void {
    this.#ids.set(id, slot * ID_BYTES);
    this.#heights[slot] = height;
    this.#indexes[slot] = index;
  }

  #grow(): void {
    const old = { ids: this.#ids, heights: this.#heights, indexes: this.#indexes };
    const capacity = 2 * (this.#mask + 1);
    this.#ids = new Uint8Array(capacity * ID_BYTES);
    this.#words = new DataView(this.#ids.buffer);
    this.#heights = new Float64Array(capacity);
    this.#indexes = new Uint32Array(capacity);
    this.#mask = capacity - 1;
    for (let slot = 0; slot < old.heights.length; slot++) {
      if (old.heights[slot] === FREE) continue;
      const id = old.ids.subarray(slot * ID_BYTES, (slot + 1) * ID_BYTES);
      this.#put(this.#slotOf(id), id, old.heights[slot] as number, old.indexes[slot] as number);
    }
  }
}
