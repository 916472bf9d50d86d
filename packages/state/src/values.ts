/**
 * Value rows: each value under its id, beside its raw key, which proofs carry and which cannot be had from the tree key.
 */
import type { Changes } from "./changes.ts";
import { hashLeaf } from "./changes.ts";
import type { WriteBatch } from "./database.ts";
import { HASH_AT } from "./leaf-tree.ts";
import { allocate, digest, HASH_BYTES, type Memory, sameHash, writeDigest } from "./memory.ts";
import { corrupt } from "./page-store.ts";
import { NUMBERED_KEY_BYTES, rawKeyKey, VALUE_KIND, valueKey, writeNumberedKey } from "./rows.ts";

const PRESENT = new Uint8Array(0);

/** Adds the value rows of a block to its batch, and keeps the order of raw keys. Returns by how much the number of keys grew. */
export function writeValues(batch: WriteBatch, changes: Changes): number {
  let size = 0;
  for (let i = 0; i < changes.length; i++) {
    const change = changes.effective[i] === 1 ? changes.source(i) : undefined;
    if (change?.value) size += NUMBERED_KEY_BYTES + 1 + 3 * change.key.length + change.value.length;
  }
  // One buffer for all rows: a buffer a row costs the collector more than the writing.
  const buffer = Buffer.allocUnsafeSlow(size);
  let at = 0;
  let grown = 0;
  for (let i = 0; i < changes.length; i++) {
    if (changes.effective[i] === 0) continue;
    const { key, value } = changes.source(i);
    const isNew = changes.replaced[i] === 0;
    if (value === null) {
      batch.delete(rawKeyKey(Buffer.from(key)));
      grown--;
      continue;
    }
    const row = writeNumberedKey(VALUE_KIND, changes.valueIds[i] as number, buffer, at);
    const keyBytes = buffer.write(key, row + 1);
    buffer[row] = keyBytes;
    const end = row + 1 + keyBytes + value.length;
    buffer.set(value, row + 1 + keyBytes);
    batch.put(buffer.subarray(at, row), buffer.subarray(row, end));
    if (isNew) {
      batch.put(rawKeyKey(buffer.subarray(row + 1, row + 1 + keyBytes)), PRESENT);
      grown++;
    }
    at = end;
  }
  return grown;
}

export interface StoredValue {
  readonly rawKey: Uint8Array;
  readonly value: Uint8Array;
}

const computed = allocate(2 * HASH_BYTES);

/** The value with this id, which must be what the leaf at `at` says (tree key and leaf hash). Throws `state_corrupt` otherwise. */
export function readValue(read: (key: Uint8Array) => Uint8Array | undefined, id: number, leaf: Memory, at: number): StoredValue {
  const row = read(valueKey(id));
  if (row === undefined || row.length === 0) throw corrupt(id);
  const end = 1 + (row[0] as number);
  const stored = { rawKey: row.subarray(1, end), value: row.subarray(end) };
  writeDigest(digest(stored.rawKey), computed, 0);
  hashLeaf(computed, 0, stored.value, computed, HASH_BYTES);
  if (!sameHash(computed, 0, leaf, at) || !sameHash(computed, HASH_BYTES, leaf, at + HASH_AT)) throw corrupt(id);
  return stored;
}
