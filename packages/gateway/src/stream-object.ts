/** What a permit opens, as bytes for whoever asked, without a folder. Source: requirements C3, D5; docs/guides/archive-and-retrieve.md. */
import { type ReadOutcome, retrieveFiles, retrieveRecord, type Selection } from "@xinglin/archive";
import type { Identity } from "@xinglin/client";
import type { Permit } from "@xinglin/contracts";
import { Fault } from "@xinglin/primitives";
import type { Gateway } from "./keep-record.ts";

/**
 * Hands `take` the bytes of the permitted object, or of what `only` chooses of it, in order; nothing else is fetched. Every piece is checked before its bytes
 * are handed on; the hash of a whole file only at its end, so what was handed on of one that throws is not to be used. Of a record inside a pack, which
 * is read whole, a range is taken. Faults: those of `retrieve`, `file_unknown`, `range_invalid`.
 */
export async function streamObject(
  gateway: Pick<Gateway, "stores">,
  permit: Permit,
  contentKey: Uint8Array,
  by: Identity,
  only: Selection | undefined,
  take: (bytes: Uint8Array) => Promise<void>,
): Promise<ReadOutcome> {
  const { id, slice, ...reference } = permit.object;
  const { readable } = await gateway.stores(by);
  if (slice !== undefined) {
    const { content, outcome } = await retrieveRecord({ reference, packId: id, slice }, contentKey, readable);
    await take(only !== undefined && "start" in only ? within(content, only) : content);
    return outcome;
  }
  const files = retrieveFiles(reference, id, contentKey, readable, only === undefined ? {} : { only });
  for (;;) {
    const next = await files.next();
    if (next.done === true) return next.value;
    for await (const bytes of next.value.content) await take(bytes);
  }
}

/** Bytes `start` to before `end` of `content`. Throws `range_invalid`. */
export function within(content: Uint8Array, { start, end }: { readonly start: number; readonly end: number }): Uint8Array {
  if (start >= end || end > content.length) throw new Fault("range_invalid", { sizeBytes: content.length });
  return content.subarray(start, end);
}
