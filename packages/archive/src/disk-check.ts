/** Whether an object fits, asked before anything is written. Source: design.md, "What a user gets" (hospital IT lends idle disks). */
import { Fault } from "@xinglin/primitives";
import { DIGEST_BYTES } from "./digest.ts";
import { type CodeParameters, columnsOf, DEFAULT_CODE, layoutFor, packBytesOf } from "./layout.ts";
import type { Store } from "./store/store.ts";

/** Header, manifest and file system blocks: a generous bound for thousands of files. */
const DOCUMENTS_MARGIN_BYTES = 64 * 1024;
const MANIFEST_BYTES_A_FILE = 256;

/** Bytes that an object takes on each store that holds a piece of it. */
export function bytesPerStore(sizeBytes: number, code: CodeParameters = DEFAULT_CODE, files = 1): number {
  const layout = layoutFor(sizeBytes, code);
  const table = layout.stripes * columnsOf(layout) * DIGEST_BYTES;
  return packBytesOf(layout) + table + files * MANIFEST_BYTES_A_FILE + DOCUMENTS_MARGIN_BYTES;
}

/**
 * Checks that each store has room for its part of an object of `sizeBytes` in `files` files.
 * Faults: `disk_full` naming the store, what it needs and has; `store_absent`.
 */
export async function diskCheck(
  stores: readonly Store[],
  sizeBytes: number,
  options: { code?: CodeParameters; files?: number } = {},
): Promise<void> {
  const neededBytes = bytesPerStore(sizeBytes, options.code, options.files);
  const rooms = await Promise.all(stores.map((store) => store.room()));
  const leftOnDisk = new Map<string, number>();
  stores.forEach((store, i) => {
    const { disk, diskFreeBytes, freeBytes } = rooms[i]!;
    const left = leftOnDisk.get(disk) ?? diskFreeBytes; // what the stores before this one leave of a disk that they share
    const available = Math.min(freeBytes, left);
    if (available < neededBytes) throw new Fault("disk_full", { store: store.id, neededBytes, freeBytes: available });
    leftOnDisk.set(disk, left - neededBytes);
  });
}
