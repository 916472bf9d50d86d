/** One small record out of its pack. Source: design.md, "Archive" (small records share packs). */
import { concat, Fault } from "@xinglin/primitives";
import { profileOf } from "../profile/profile.ts";
import type { ObjectReference } from "../reference.ts";
import type { RetrieveOptions } from "../retrieve.ts";
import { retrieveFiles } from "../retrieve-files.ts";
import type { Store } from "../store/store.ts";
import type { ReadOutcome } from "../work/read-object.ts";
import { PACK_FILE } from "./pack-records.ts";
import { openRecord, type PackSlice, packKeyOf } from "./record-seal.ts";

/** Where a small record is: its pack, as anchored, and its place in it. */
export interface SmallRecord {
  readonly reference: ObjectReference;
  readonly packId: Uint8Array;
  readonly slice: PackSlice;
}

/**
 * The content of one record; of the pack only the pieces that hold it are read. Faults: `content_key_wrong`, `range_invalid` (the slice is not in the
 * pack), those of `retrieve`.
 */
export async function retrieveRecord(
  { reference, packId, slice }: SmallRecord,
  key: Uint8Array,
  stores: readonly Store[],
  options: Omit<RetrieveOptions, "only"> = {},
): Promise<{ readonly content: Uint8Array; readonly outcome: ReadOutcome }> {
  const profile = profileOf(reference);
  const only = { path: PACK_FILE, start: slice.at, end: slice.at + slice.length };
  const files = retrieveFiles(reference, packId, packKeyOf(profile, packId), stores, { ...options, only });
  const parts: Uint8Array[] = [];
  for (;;) {
    const next = await files.next();
    if (next.done === true) {
      const content = openRecord(profile, concat(...parts), key, packId, slice.at);
      if (content === undefined) throw new Fault("content_key_wrong");
      return { content, outcome: next.value };
    }
    for await (const bytes of next.value.content) parts.push(bytes);
  }
}
