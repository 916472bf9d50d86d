/**
 * The hospital's side of a record: archive it sealed, give the shares of its key to the custodians, and only then let the chain name it.
 * Whatever fails before that is taken back. Source: requirements C3, D1; design.md, "Archive" and "Consent, access, custody".
 */
import { OBJECT_ID_BYTES, type ProfileName, type SourceFile, takeBackShared } from "@xinglin/archive";
import type { ApiClient, Identity } from "@xinglin/client";
import type { CustodyReference, MedicalRecord, PackReference } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { prepareDeposits } from "@xinglin/custody/client";

import { Fault, type MemberId, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import { placingFor, type StoragePromise } from "./choose-code.ts";

import { custodiansFor, listCustodians, thresholdFor } from "./custodians.ts";
import type { ImportJournal } from "./import-journal.ts";
import { sealVersion } from "./seal-version.ts";
import { shareOut } from "./share-out.ts";
import type { Sharing } from "./sharing.ts";
import type { FindStores } from "./stores.ts";

/** What a hospital's gateway works with: the API, the stores that members lend, and how many custodians restore a key. */
export interface Gateway {
  readonly client: ApiClient;
  readonly stores: FindStores;
  readonly threshold: number;
  readonly journal: ImportJournal;
  /** What a member remembers of pixels that it keeps once. */
  readonly sharing: (member: MemberId) => Sharing;
  /** What the institution seals with from now on; `standard` unless said. What is there already says its own. */
  readonly profile?: ProfileName;
}

/** A sealed record version that the chain does not know yet. */
export interface KeptRecord {
  readonly record: RecordId;
  readonly object: MedicalRecord["object"];
  readonly custody: CustodyReference;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly chunks: number;
  /** What it can be told to keep, by what is known of the stores now. */
  readonly promise: StoragePromise;
  /** Bytes of pixels that the institution kept already. */
  readonly sharedBytes: number;
  /** The object with those that were new: to be kept with the anchor. */
  readonly keeps?: PackReference;
  /** Takes the pieces back; for a caller whose anchor failed. */
  readonly discard: () => Promise<void>;
  /** The anchor is on the chain. */
  readonly anchored: () => void;
}

/** What to keep: the files of one version of a record, and by whose hand. */
export interface KeepOptions {
  readonly by: Identity;
  readonly record: RecordId;
  readonly version: number;
  readonly files: readonly SourceFile[];
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Seals `files` into the archive and deposits the shares of the content key. Faults: `disk_full`, `deposits_refused`, those of `placingFor` and of the archive. */
export async function keepRecord(gateway: Gateway, options: KeepOptions): Promise<KeptRecord> {
  const { journal } = gateway;
  const { by, record, version, onProgress, signal } = options;
  const { promise, ...placing } = await placingFor(gateway, by);
  const objectId = randomBytes(OBJECT_ID_BYTES);
  const discard = async (): Promise<void> => {
    const sharing = gateway.sharing(by.member);
    if (sharing.exists) await sharing.with((registry) => takeBackShared(registry, objectId, placing.stores));
    const removed = await Promise.allSettled(placing.stores.map((store) => store.remove(objectId)));
    // What a store that is away still has is removed when the journal is gone through.
    if (removed.every(({ status }) => status === "fulfilled")) journal.end(objectId);
  };
  journal.begin(objectId, record, version);
  try {
    const sealed = await sealVersion(gateway, options, {
      ...placing,
      objectId,
      ...(gateway.profile === undefined ? {} : { profile: gateway.profile }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    const custody = await depositShares(gateway, options, sealed.key);
    sealed.key.fill(0);
    if (signal?.aborted === true) throw new Fault("aborted"); // the archive looks at it only while it writes
    const { sizeBytes, storedBytes, chunks, reference, sharedBytes, keeps } = sealed;
    const anchored = (): void => {
      gateway.sharing(by.member).tell((registry) => registry.anchored(objectId));
      journal.end(objectId);
    };
    const object = { id: objectId, ...reference };
    const shared = { sharedBytes, ...(keeps === undefined ? {} : { keeps }) };
    return { record, object, custody, sizeBytes, storedBytes, chunks, promise, ...shared, discard, anchored };
  } catch (error) {
    await discard();
    throw error;
  }
}

async function depositShares(gateway: Gateway, options: KeepOptions, contentKey: Uint8Array): Promise<CustodyReference> {
  const { client, threshold } = gateway;
  const { by, record, version } = options;
  const { chainId, time } = await client.tip();
  const recipients = custodiansFor(record, await listCustodians(client, by));
  const deposits = await prepareDeposits({
    chain: chainId,
    record,
    version,
    epoch: 1,
    contentKey,
    threshold: thresholdFor(threshold, recipients.length),
    recipients,
    depositor: by,
    time: time as UnixSeconds,
  });
  await shareOut(client, by, "deposits", recipients, deposits);
  return deposits.custody;
}
