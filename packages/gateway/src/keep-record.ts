/**
 * The hospital's side of a record: archive it sealed, give the shares of its key to the custodians, and only then let the chain name it.
 * Whatever fails before that is taken back. Source: requirements C3, D1; design.md, "Archive" and "Consent, access, custody".
 */
import { ingest, OBJECT_ID_BYTES, type ProfileName, type SourceFile } from "@xinglin/archive";
import type { ApiClient, Identity } from "@xinglin/client";
import type { CustodyReference, MedicalRecord } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { prepareDeposits } from "@xinglin/custody/client";
import { Fault, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import { placingFor, type StoragePromise } from "./choose-code.ts";
import { custodiansFor, listCustodians, thresholdFor } from "./custodians.ts";
import type { ImportJournal } from "./import-journal.ts";
import { shareOut } from "./share-out.ts";
import type { FindStores } from "./stores.ts";

/** What a hospital's gateway works with: the API, the stores that members lend, and how many custodians restore a key. */
export interface Gateway {
  readonly client: ApiClient;
  readonly stores: FindStores;
  readonly threshold: number;
  readonly journal: ImportJournal;
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
    const removed = await Promise.allSettled(placing.stores.map((store) => store.remove(objectId)));
    // What a store that is away still has is removed when the journal is gone through.
    if (removed.every(({ status }) => status === "fulfilled")) journal.end(objectId);
  };
  journal.begin(objectId, record, version);
  try {
    const sealed = await ingest(options.files, {
      ...placing,
      objectId,
      ...(gateway.profile === undefined ? {} : { profile: gateway.profile }),
      ...(onProgress === undefined ? {} : { onProgress }),
      ...(signal === undefined ? {} : { signal }),
    });
    const custody = await depositShares(gateway, options, sealed.key);
    sealed.key.fill(0);
    if (signal?.aborted === true) throw new Fault("aborted"); // the archive looks at it only while it writes
    const { sizeBytes, storedBytes, chunks, reference } = sealed;
    const anchored = (): void => journal.end(objectId);
    const object = { id: objectId, ...reference };
    return { record, object, custody, sizeBytes, storedBytes, chunks, promise, discard, anchored };
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
