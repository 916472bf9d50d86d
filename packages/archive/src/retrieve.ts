/**
 * Giving back an object: from any k pieces of each stripe, every piece checked against the anchored root before it is decoded, every
 * file against its hash after.
 * Source: design.md, "Archive".
 */
import { randomBytes } from "node:crypto";
import type { ObjectReference } from "./reference.ts";
import type { Selection } from "./selection.ts";
import type { Store } from "./store/store.ts";
import { runTask, type WorkOptions } from "./work/pool.ts";
import type { ReadOutcome } from "./work/read-object.ts";

export interface RetrieveOptions extends WorkOptions {
  /** Some of the files, or a range of one; all of the object without it. */
  readonly only?: Selection;
}

/**
 * Writes the object's files below `destination`, which must be empty or not exist: it appears whole or not at all. Stores that are
 * gone or wrong are read around and named in `troubles`. Faults: `archive_unrecoverable` (fewer than k pieces of a stripe),
 * `manifest_mismatch`, `content_key_wrong`, `path_refused`, `malformed`, `file_unknown`, `range_invalid`, `destination_exists`,
 * `destination_unwritable`, `disk_full`, `aborted`, `worker_died`.
 */
export async function retrieve(
  reference: ObjectReference,
  objectId: Uint8Array,
  key: Uint8Array,
  stores: readonly Store[],
  destination: string,
  options: RetrieveOptions = {},
): Promise<ReadOutcome> {
  const { only, ...work } = options;
  const descriptions = stores.map((store) => store.description);
  const partial = `${destination.replace(/[/\\]+$/, "")}.partial-${randomBytes(4).toString("hex")}`;
  const order = { reference, objectId, stores: descriptions, contentKey: key, destination, partial };
  return await runTask("retrieveToFolder", only === undefined ? order : { ...order, only }, work);
}
