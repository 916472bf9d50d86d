/** Archive objects as the chain names them: what audits and repairs walk over. Source: requirement D3. */
import type { ApiClient, Identity, TrustedChain } from "@xinglin/client";
import { keptObject, keys, record as recordSchema } from "@xinglin/contracts";
import { cbor, fromHex, type MemberId, type RecordId } from "@xinglin/primitives";

/** An object as `/v1/objects` tells of it. */
export interface AnchoredObject {
  readonly sequence: number;
  /** The record, or of a pack the batch, that names it. */
  readonly record?: string;
  readonly batch?: string;
  /** Of one that neither names: pixels that its member keeps for several versions, or dropped. */
  readonly status?: "kept" | "dropped";
  readonly source: string;
  /** Time of the block that anchored it, and of the last read that was permitted, where records name it; of a pack of a batch it is not known. */
  readonly time: number;
  readonly readAt?: number;
  readonly object: {
    readonly id: string;
    readonly manifest: string;
    readonly root: string;
    readonly sizeClass: number;
    readonly code: { k: number; m: number };
    readonly profile?: "national";
  };
}

const PAGE = 100;

/** Every object that `by` may audit, newest first: a commission's all, another member's its own. */
export async function* listObjects(client: ApiClient, by: Identity): AsyncGenerator<AnchoredObject> {
  for (let before: number | undefined; ; ) {
    const page = (await client.getJson(`/v1/objects?limit=${PAGE}${before === undefined ? "" : `&before=${before}`}`, by)) as {
      items: AnchoredObject[];
    };
    yield* page.items;
    const last = page.items.at(-1);
    if (last === undefined || page.items.length < PAGE) return;
    before = last.sequence;
  }
}

/** Id and reference of an object, for the archive. */
export const archived = ({ object }: AnchoredObject) => ({
  id: fromHex(object.id),
  reference: {
    manifest: fromHex(object.manifest),
    root: fromHex(object.root),
    sizeClass: object.sizeClass,
    code: object.code,
    ...(object.profile === undefined ? {} : { profile: object.profile }),
  },
});

/** Whether the record that names an object has ended, or the object was dropped: its pieces went on purpose, and nobody should mend them. */
export async function hasEnded(
  chain: TrustedChain,
  by: Identity,
  { record, status, source, object }: AnchoredObject,
): Promise<boolean> {
  if (status !== undefined) {
    const { value } = await chain.prove(by, keys.object(source as MemberId, object.id));
    return value !== undefined && keptObject.parse(cbor.decodeTrusted(value)).status === "dropped";
  }
  if (record === undefined) return false;
  const { value } = await chain.prove(by, keys.record(record as RecordId));
  return value !== undefined && recordSchema.parse(cbor.decodeTrusted(value)).status === "ending";
}
