/**
 * Leaf pages that must be written because the window of block records moves on: the records that leave it name their keys.
 */
import type { RecordWindow } from "./block-record.ts";
import { HASH_BYTES, sharedBits } from "./memory.ts";
import type { View } from "./view.ts";

/** One tree key for each leaf page of `view` whose first unwritten change lies in the records below `start`, joined. */
export function dueTouches(view: View, window: RecordWindow, start: number): Uint8Array {
  const keys: Uint8Array[] = [];
  for (let version = window.start; version < start; version++) {
    const record = window.get(version);
    if (record === undefined) continue;
    const { bytes } = record.keys;
    let depth = -1;
    for (let i = 0; i < record.length; i++) {
      const at = i * HASH_BYTES;
      // Keys are sorted, so those of one page stand together.
      if (depth >= 0 && sharedBits(bytes, at - HASH_BYTES, bytes, at) >= depth) continue;
      const page = view.leafPageAt({ bytes, at });
      depth = page.depth;
      if (page.pending === version) keys.push(bytes.subarray(at, at + HASH_BYTES));
    }
  }
  return Buffer.concat(keys);
}
