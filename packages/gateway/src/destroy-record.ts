/**
 * The end of a record, whole: the chain closes it, custodians erase their shares, stores drop the pieces, a look at all stores says what could still
 * be put together, and the institution certifies it. Every step may be repeated, so the whole may, until nothing is left to reach.
 * Source: requirements C8, D8; design.md, "Consent, access, custody" (Ending).
 */
import { destroyObject, type ObjectDestruction, type SharedRelease } from "@xinglin/archive";
import { certifyDestruction, type DestroyedVersion, TrustedChain } from "@xinglin/client";
import { keys, type MedicalRecord, record as recordSchema } from "@xinglin/contracts";
import { type ActorId, type Bytes, cbor, Fault, type RecordId, toHex } from "@xinglin/primitives";
import { destroyShared } from "./destroy-shared.ts";
import { eraseShares, type ShareErasure } from "./end-record.ts";
import type { Gateway } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";

/** What became of one version's pieces. Without `destruction` they stay: they share a pack with records that have not ended. */
export interface VersionDestruction {
  readonly version: number;
  readonly objectId: Uint8Array;
  readonly destruction?: ObjectDestruction;
}

/** What became of a record. */
export interface RecordDestruction {
  /** Newest first. */
  readonly versions: readonly VersionDestruction[];
  /** Objects with pixels that versions relied on; those that others rely on stay. */
  readonly pixels: readonly SharedRelease[];
  readonly erasures: readonly ShareErasure[];
  /** See `verifyDestruction` of `@xinglin/client`. */
  readonly certificate: Bytes;
}

/** Closes a record for good, if it is not closed already; the block's height, or undefined if it was. Throws the rules' refusals. */
export async function endRecord(
  { client }: Gateway,
  by: KeyOfFile,
  record: RecordId,
  device?: KeyOfFile,
): Promise<number | undefined> {
  const { status } = await provenRecord(await TrustedChain.of(client), by, keys.record(record), record);
  if (status === "ending") return undefined;
  const credential = by.credential === undefined ? {} : { credential: by.credential };
  const signing = device === undefined ? {} : { device };
  return requireAccepted(await client.submit(by, [{ op: "endRecord", record, ...credential }], signing)).height;
}

/**
 * Has shares and pieces of every version of an ended record destroyed, and certifies it. May be called again for what was not reached. Faults:
 * `record_unknown`, `record_in_force`, `object_referred` (another record of the institution's names an object; nothing of it was touched).
 */
export async function destroyRecord(gateway: Gateway, by: KeyOfFile, record: RecordId): Promise<RecordDestruction> {
  const { client } = gateway;
  const chain = await TrustedChain.of(client);
  const newest = await provenRecord(chain, by, keys.record(record), record);
  if (newest.status !== "ending") throw new Fault("record_in_force", { record, version: newest.version });
  const erasures = await eraseShares(gateway, by, record);
  const versions: VersionDestruction[] = [];
  const custodians: (readonly ActorId[])[] = [];
  const { readable: stores } = await gateway.stores(by);
  for (let version = newest.version; version >= 1; version--) {
    const named =
      version === newest.version ? newest : await provenRecord(chain, by, keys.recordVersion(record, version), record);
    const { object, custody } = named;
    custodians.push(custody.custodians);
    const isReferred = (id: string): Promise<boolean> => isNamedByAnother(gateway, chain, by, id, record);
    versions.push({
      version,
      objectId: object.id,
      // A record in a pack is a slice of it: the pack is its neighbours' as well.
      ...(object.slice !== undefined ? {} : { destruction: await destroyObject(object, object.id, stores, { isReferred }) }),
    });
  }
  // Last: while its version may be read, its pixels are there.
  const own = versions.filter(({ destruction }) => destruction !== undefined).map(({ objectId }) => objectId);
  const pixels = await destroyShared(gateway, by, own, stores);
  const certificate = await certifyDestruction(client, by, {
    record,
    versions: versions.map(certifiable),
    pixels: pixels.flatMap(({ objectId: object, destruction }) =>
      destruction === undefined
        ? []
        : [{ object: new Uint8Array(object), stores: [...destruction.stores], probe: destruction.probe }],
    ),
    pixelsStay: pixels.filter(({ destruction }) => destruction === undefined).length,
    custodians,
  });
  return { versions, pixels, erasures, certificate };
}

const certifiable = ({ version, objectId, destruction }: VersionDestruction): DestroyedVersion => ({
  version,
  object: new Uint8Array(objectId),
  stores: [...(destruction?.stores ?? [])],
  ...(destruction === undefined ? {} : { probe: destruction.probe }),
});

/** Whether a batch, or a record that has not ended, of the same institution names the object. What strangers write into theirs keeps nothing alive. */
async function isNamedByAnother(
  { client }: Gateway,
  chain: TrustedChain,
  by: KeyOfFile,
  object: string,
  own: RecordId,
): Promise<boolean> {
  const { records, isPack } = (await client.getJson(`/v1/objects/${object}/records`, by)) as {
    records: RecordId[];
    isPack: boolean;
  };
  if (isPack) return true;
  for (const other of records) {
    if (other === own) continue;
    const { status, source } = await provenRecord(chain, by, keys.record(other), other);
    if (source === by.member && status !== "ending") return true;
  }
  return false;
}

async function provenRecord(chain: TrustedChain, by: KeyOfFile, key: string, record: RecordId): Promise<MedicalRecord> {
  const { value } = await chain.prove(by, key);
  if (value === undefined) throw new Fault("record_unknown", { record });
  return recordSchema.parse(cbor.decodeTrusted(value));
}

/** Stores that were not reached, by what was to be dropped there: object in hex, store, code. */
export const unreached = ({
  versions,
  pixels,
}: Pick<RecordDestruction, "versions" | "pixels">): readonly { object: string; store: string; code: string }[] =>
  [...versions, ...pixels].flatMap(({ objectId, destruction }) =>
    (destruction?.stores ?? []).flatMap(({ store, outcome, code = "" }) =>
      outcome === "not_reached" ? [{ object: toHex(objectId), store, code }] : [],
    ),
  );
