/**
 * Importing many small records: packs in the archive, shares deposited in bulk, and one transaction a batch that names a root over all of them.
 * Source: design.md, "Archive" and "Transactions" (record batch); requirement J9.
 */
import { packRecords } from "@xinglin/archive";
import { signTransaction } from "@xinglin/client";
import type {
  CustodyReference,
  DescribedRecord,
  Description,
  MedicalRecord,
  PackReference,
  RecordClass,
} from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { type KeyedRecord, MAX_BULK_SHARES, prepareBulkDeposits } from "@xinglin/custody/client";
import { type ActorId, Fault, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import { type BatchLeaves, NewLeaves, type PackedLeaf } from "./batch-leaves.ts";
import { placingFor, type StoragePromise } from "./choose-code.ts";
import { custodiansFor, type KnownCustodian, listCustodians, thresholdFor } from "./custodians.ts";
import { describeContent, describeImported } from "./describe-records.ts";
import { newRecordId } from "./ids.ts";
import type { Gateway } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";
import { shareOut } from "./share-out.ts";

/** Records of one batch at most: what is held of them in memory meanwhile is some 60 MB. */
const MAX_RECORDS = 65_536;
/** Bytes of content of one batch at most, so that its packs fit into one anchor. */
const MAX_CONTENT_BYTES = 1 << 30;
const SALT_BYTES = 32;

/** A small record that is imported. */
export interface SmallRecordInput {
  readonly patient: ActorId;
  readonly class: RecordClass;
  readonly format: MedicalRecord["format"];
  /** 1..65,536 bytes. */
  readonly content: Uint8Array;
  /** Drawn without it. Never one that was used before. */
  readonly record?: RecordId;
}

/** Who imports, and what the source keeps. */
export interface BatchOptions {
  readonly by: KeyOfFile;
  readonly device?: KeyOfFile;
  readonly leaves: BatchLeaves;
  /** Records of a batch, at most 65,536. */
  readonly batchRecords?: number;
  /** Told after each deposit, with the records of all batches so far whose shares are kept. */
  readonly onProgress?: (records: number) => void;
  readonly signal?: AbortSignal;
}

/** An anchored batch. */
export interface ImportedBatch {
  readonly root: Uint8Array;
  /** In the order in which they came. */
  readonly records: readonly RecordId[];
  readonly packs: number;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly transactionBytes: number;
  readonly height: number;
  /** What its packs can be told to keep. */
  readonly promise: StoragePromise;
  /** What kept some of its records from being described for searches, if anything did. */
  readonly undescribed?: string;
}

/**
 * Imports `records` in batches, each anchored when it is yielded. If one fails or is stopped, what was written of it is removed and those before it stay.
 * Faults: `record_too_large`, `source_empty`, `deposits_refused`, those of the archive and of `anchorBatch`.
 */
export async function* importBatches(
  gateway: Gateway,
  records: AsyncIterable<SmallRecordInput> | Iterable<SmallRecordInput>,
  options: BatchOptions,
): AsyncGenerator<ImportedBatch> {
  const source = Symbol.asyncIterator in records ? records[Symbol.asyncIterator]() : records[Symbol.iterator]();
  const custodians = await listCustodians(gateway.client, options.by);
  let done = 0;
  try {
    for (let next = await source.next(); next.done !== true; next = await source.next()) {
      const batch = new Batch(gateway, options, custodians, done);
      const imported = await batch.import(next.value, source);
      done += imported.records.length;
      yield imported;
    }
  } finally {
    await source.return?.();
  }
}

type Source = AsyncIterator<SmallRecordInput> | Iterator<SmallRecordInput>;
type Meta = Omit<SmallRecordInput, "content"> & { readonly record: RecordId };

/** One batch under way. */
class Batch {
  readonly #gateway: Gateway;
  readonly #options: BatchOptions;
  readonly #custodians: readonly KnownCustodian[];
  readonly #before: number;
  readonly #objects: Uint8Array[] = [];
  readonly #metas: Meta[] = [];
  readonly #descriptions: (Description | undefined)[] = [];
  readonly #leaves: PackedLeaf[] = [];
  readonly #packs: PackReference[] = [];

  constructor(gateway: Gateway, options: BatchOptions, custodians: readonly KnownCustodian[], before: number) {
    this.#gateway = gateway;
    this.#options = options;
    this.#custodians = custodians;
    this.#before = before;
  }

  async import(first: SmallRecordInput, source: Source): Promise<ImportedBatch> {
    const { by, signal } = this.#options;
    const { promise, ...placing } = await placingFor(this.#gateway, by);
    let sizeBytes = 0;
    let storedBytes = 0;
    try {
      const packing = packRecords(this.#contents(first, source), {
        ...placing,
        ...(this.#gateway.profile === undefined ? {} : { profile: this.#gateway.profile }),
        onBegin: (objectId) => {
          this.#gateway.journal.beginPack(objectId);
          this.#objects.push(objectId);
        },
        ...(signal === undefined ? {} : { signal }),
      });
      for await (const pack of packing) {
        sizeBytes += pack.sizeBytes;
        storedBytes += pack.storedBytes;
        const reference = { id: pack.objectId, ...pack.reference };
        this.#packs.push(reference);
        try {
          await this.#deposit(reference, pack.records);
        } finally {
          for (const { key } of pack.records) key.fill(0);
        }
      }
      if (signal?.aborted === true) throw new Fault("aborted");
    } catch (error) {
      await this.#takeBack();
      throw error;
    }
    const anchored = await this.#anchor();
    const undescribed = await describeImported(this.#gateway.client, by, this.#described(anchored.root));
    const records = this.#metas.map(({ record }) => record);
    return {
      records,
      packs: this.#packs.length,
      sizeBytes,
      storedBytes,
      promise,
      ...anchored,
      ...(undescribed === undefined ? {} : { undescribed }),
    };
  }

  #described(root: Uint8Array): DescribedRecord[] {
    return this.#metas.flatMap(({ record, patient, class: recordClass }, i) => {
      const description = this.#descriptions[i];
      return description === undefined ? [] : [{ kind: "leaf", record, root, patient, class: recordClass, description }];
    });
  }

  /** The batch's share of the source: `first`, and what follows until the batch is full. */
  async *#contents(first: SmallRecordInput, source: Source): AsyncGenerator<Uint8Array> {
    const most = Math.min(this.#options.batchRecords ?? MAX_RECORDS, MAX_RECORDS);
    let bytes = 0;
    for (let input: SmallRecordInput | undefined = first; input !== undefined; ) {
      const { content, record = newRecordId(), ...meta } = input;
      this.#metas.push({ ...meta, record });
      this.#descriptions.push(await describeContent(meta.format, content));
      bytes += content.length;
      yield content;
      if (this.#metas.length >= most || bytes >= MAX_CONTENT_BYTES) return;
      const next: IteratorResult<SmallRecordInput> = await source.next();
      input = next.done === true ? undefined : next.value;
    }
  }

  async #deposit(
    pack: PackReference,
    records: readonly { readonly slice: PackedLeaf["object"]["slice"]; readonly key: Uint8Array }[],
  ): Promise<void> {
    for (let at = 0; at < records.length; at += MAX_BULK_SHARES) {
      const part = records.slice(at, at + MAX_BULK_SHARES);
      const metas = this.#metas.slice(this.#leaves.length, this.#leaves.length + part.length);
      const custodies = await this.#share(part.map(({ key }, i) => ({ record: (metas[i] as Meta).record, contentKey: key })));
      part.forEach(({ slice }, i) => {
        const custody = custodies[i] as CustodyReference;
        this.#leaves.push({ salt: randomBytes(SALT_BYTES), ...(metas[i] as Meta), object: { ...pack, slice }, custody });
      });
      this.#options.onProgress?.(this.#before + this.#leaves.length);
      if (this.#options.signal?.aborted === true) throw new Fault("aborted");
    }
  }

  /** Splits the keys among custodians, who all hold their shares when this returns. */
  async #share(records: readonly KeyedRecord[]): Promise<readonly CustodyReference[]> {
    const { client, threshold } = this.#gateway;
    const { by } = this.#options;
    const { chainId, time } = await client.tip();
    // One choice a deposit: of more custodians than share a key, each deposit has others.
    const recipients = custodiansFor((records[0] as KeyedRecord).record, this.#custodians);
    const deposits = await prepareBulkDeposits({
      chain: chainId,
      records,
      threshold: thresholdFor(threshold, recipients.length),
      recipients,
      depositor: by,
      time: time as UnixSeconds,
    });
    await shareOut(client, by, "bulk-deposits", recipients, deposits);
    return deposits.custodies;
  }

  /** As `anchor` of single records: what may be anchored after all is not taken back. */
  async #anchor(): Promise<Pick<ImportedBatch, "root" | "transactionBytes" | "height">> {
    const { client, journal } = this.#gateway;
    const { by, device, leaves } = this.#options;
    const made = new NewLeaves(this.#leaves);
    const { root, count } = made;
    let isSent = false;
    try {
      for (const object of this.#objects) journal.nameBatch(object, root, leaves.pathOf(root));
      leaves.keep(made);
      const credential = by.credential === undefined ? {} : { credential: by.credential };
      const operation = { op: "anchorBatch" as const, root, count, packs: this.#packs, ...credential };
      const transaction = await signTransaction(await client.tip(), by, [operation], device);
      isSent = true;
      const { height } = requireAccepted(await client.submitSigned(transaction));
      for (const object of this.#objects) journal.end(object);
      return { root, transactionBytes: transaction.bytes.length, height };
    } catch (error) {
      if (!isSent || (error instanceof Fault && !error.retry)) {
        leaves.discard(root);
        await this.#takeBack();
      }
      throw error;
    }
  }

  async #takeBack(): Promise<void> {
    const { writable: stores } = await this.#gateway.stores(this.#options.by);
    for (const object of this.#objects) {
      const removed = await Promise.allSettled(stores.map((store) => store.remove(object)));
      // What a store that is away still has is removed when the journal is gone through.
      if (removed.every(({ status }) => status === "fulfilled")) this.#gateway.journal.end(object);
    }
  }
}
