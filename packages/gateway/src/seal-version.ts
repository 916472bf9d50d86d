/**
 * One version of a record, sealed into the archive: pixels of DICOM files that this institution keeps already are not stored again.
 * Source: requirement D1; docs/decisions/0012-shared-pixels.md.
 */
import {
  type Ingested,
  type IngestOptions,
  ingest,
  ingestShared,
  probeObject,
  type SharedRegistry,
  type SourceFile,
} from "@xinglin/archive";
import { type ApiClient, type Identity, TrustedChain } from "@xinglin/client";
import { keptObject, keys, type PackReference, record as recordSchema } from "@xinglin/contracts";
import { type Bytes, cbor, fromHex, type RecordId, toHex } from "@xinglin/primitives";
import { type AnchoredObject, listObjects } from "./anchored-object.ts";
import type { Gateway } from "./keep-record.ts";
import { nameOfVersion } from "./sharing.ts";

const DICOM_MEDIA_TYPE = "application/dicom";

/** A version that is sealed. */
export interface SealedVersion extends Ingested {
  /** Bytes of pixels that were kept already. */
  readonly sharedBytes: number;
  /** The object made for pixels that were new: to be kept with the anchor of this version. */
  readonly keeps?: PackReference;
}

/** What is sealed, and for whom. */
export interface SealOptions {
  readonly by: Identity;
  readonly record: RecordId;
  readonly version: number;
  readonly files: readonly SourceFile[];
}

/** Seals `files` under `to.objectId`. Whoever calls says to the member's `Sharing` what became of the version. Faults: those of `ingest`. */
export async function sealVersion(
  { client, sharing: of, stores }: Pick<Gateway, "client" | "sharing" | "stores">,
  { by, record, version, files }: SealOptions,
  to: IngestOptions & { readonly objectId: Bytes },
): Promise<SealedVersion> {
  const sharing = of(by.member);
  const name = nameOfVersion(record, version);
  if (!files.some(({ mediaType }) => mediaType === DICOM_MEDIA_TYPE)) {
    sharing.tell((registry) => registry.note(to.objectId, name));
    return { ...(await ingest(files, to)), sharedBytes: 0 };
  }
  return sharing.with(async (registry) => {
    await accountFor(client, by, registry);
    const { readable } = await stores(by);
    const { pixels, ...made } = await ingestShared(files, {
      ...to,
      registry,
      sharingKey: sharing.key(),
      name,
      mayRely: async (objectId, reference) => {
        const { packs, needed } = await probeObject(reference, objectId, readable);
        return packs >= needed && (await isObjectKept(client, by, objectId));
      },
    });
    if (pixels === undefined) return made;
    const { storedBytes, chunks, objectId, reference } = pixels;
    return {
      ...made,
      storedBytes: made.storedBytes + storedBytes,
      chunks: made.chunks + chunks,
      keeps: { id: new Uint8Array(objectId), ...reference },
    };
  });
}

/** Whether the chain keeps an object of the actor's member. */
export async function isObjectKept(client: ApiClient, by: Identity, objectId: Uint8Array): Promise<boolean> {
  const { value } = await (await TrustedChain.of(client)).prove(by, keys.object(by.member, toHex(objectId)));
  return value !== undefined && keptObject.parse(cbor.decodeTrusted(value)).status === "kept";
}

/**
 * Holds the registry against the list of what the member ever anchored, from where it was held against it last. A version that the registry does not
 * know may rely on any object in it: then the registry is an old copy, and what it has is never dropped.
 */
export async function accountFor(client: ApiClient, by: Identity, registry: SharedRegistry): Promise<void> {
  const { seen } = registry;
  const plain: Uint8Array[] = [];
  let newest: number | undefined;
  let unknown = false;
  for await (const one of listObjects(client, by)) {
    newest ??= one.sequence;
    if (seen === undefined || one.sequence <= seen) break;
    if (one.record === undefined || one.source !== by.member) continue;
    const version = fromHex(one.object.id);
    if (registry.knows(version)) plain.push(version);
    else unknown ||= await mayRely(client, by, one);
  }
  registry.accounted(newest ?? seen ?? -1, { unknown, plain });
}

/** Whether a version's record has pixels and has not ended. */
async function mayRely(client: ApiClient, by: Identity, { record }: AnchoredObject): Promise<boolean> {
  const { value } = await (await TrustedChain.of(client)).prove(by, keys.record(record as RecordId));
  if (value === undefined) return true;
  const { status, format } = recordSchema.parse(cbor.decodeTrusted(value));
  return status !== "ending" && format === "dicom";
}
