/**
 * Importing: archive each part of a document under its own class and key, then let one transaction name them all.
 * Source: requirements C4, D1; design.md, "Consent, access, custody" (class).
 */
import type { SourceFile } from "@xinglin/archive";
import { signTransaction } from "@xinglin/client";
import type { MedicalRecord, Operation, RecordClass } from "@xinglin/contracts";
import { type ActorId, cbor, Fault, type RecordId } from "@xinglin/primitives";
import type { StoragePromise } from "./choose-code.ts";
import { newRecordId } from "./ids.ts";
import { type Gateway, type KeptRecord, keepRecord } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";

/** A part of what is imported: one record of one class. */
export interface ImportPart {
  readonly class: RecordClass;
  readonly format: MedicalRecord["format"];
  readonly files: readonly SourceFile[];
}

/** What became of one record: its sizes in bytes, in the archive and on the chain, and the block that holds it. */
export interface Anchored {
  readonly record: RecordId;
  readonly version: number;
  readonly class: RecordClass;
  /** Id of the archive object, as in the pieces' folders. */
  readonly objectId: Uint8Array;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly chunks: number;
  readonly promise: StoragePromise;
  /** Bytes of pixels that the institution kept already, and did not store again. */
  readonly sharedBytes: number;
  /** Bytes of the operation, and of the whole signed transaction that carries it (with its siblings). */
  readonly operationBytes: number;
  readonly transactionBytes: number;
  readonly height: number;
  /** What kept it from being described for searches, if anything did; `xinglin search rebuild` makes up for it. */
  readonly undescribed?: string;
}

/** Who imports, at which work station, for which patient. */
export interface ImportOptions {
  readonly by: KeyOfFile;
  readonly device?: KeyOfFile;
  readonly patient: ActorId;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  readonly signal?: AbortSignal;
}

/** Archives and anchors new records. If anything fails, the pieces that were written are removed and nothing is anchored. */
export async function importRecords(gateway: Gateway, parts: readonly ImportPart[], options: ImportOptions): Promise<Anchored[]> {
  const { by, patient } = options;
  const kept: KeptRecord[] = [];
  const credential = by.credential === undefined ? {} : { credential: by.credential };
  try {
    for (const { files } of parts)
      kept.push(await keepRecord(gateway, { ...working(options), record: newRecordId(), version: 1, files }));
  } catch (error) {
    await takeBack(kept);
    throw error;
  }
  const operations = parts.map((part, i): Operation => {
    const { record, object, custody } = kept[i] as KeptRecord;
    return { op: "anchorRecord", record, patient, class: part.class, format: part.format, object, custody, ...credential };
  });
  const { height, transactionBytes } = await anchor(gateway, options, operations, kept);
  return parts.map((part, i) => ({
    ...summary(kept[i] as KeptRecord, part.class, 1),
    ...sizes(operations[i], transactionBytes),
    height,
  }));
}

const takeBack = async (kept: readonly KeptRecord[]): Promise<void> => {
  await Promise.all(kept.map((record) => record.discard()));
};

/** Archives `files` as the next version of a record, under a new key, and anchors it. The old version stays provable. */
export async function amendRecord(
  gateway: Gateway,
  record: { readonly id: RecordId; readonly version: number; readonly class: RecordClass },
  files: readonly SourceFile[],
  options: Omit<ImportOptions, "patient">,
): Promise<Anchored> {
  const version = record.version + 1;
  return newVersion(gateway, record, files, options, (kept) => ({ op: "amendRecord", record: record.id, ...kept }), version);
}

/** Files a record that stood under the wrong patient under the right one: new content, new key; the old version is closed for good. */
export async function refileRecord(
  gateway: Gateway,
  record: { readonly id: RecordId; readonly version: number; readonly class: RecordClass },
  to: ActorId,
  files: readonly SourceFile[],
  options: Omit<ImportOptions, "patient">,
): Promise<Anchored> {
  const version = record.version + 1;
  return newVersion(gateway, record, files, options, (kept) => ({ op: "refileRecord", record: record.id, to, ...kept }), version);
}

async function newVersion(
  gateway: Gateway,
  record: { readonly id: RecordId; readonly class: RecordClass },
  files: readonly SourceFile[],
  options: Omit<ImportOptions, "patient">,
  operationOf: (
    kept: Pick<KeptRecord, "object" | "custody"> & { credential?: NonNullable<KeyOfFile["credential"]> },
  ) => Operation,
  version: number,
): Promise<Anchored> {
  const kept = await keepRecord(gateway, { ...working(options), record: record.id, version, files });
  const { credential } = options.by;
  const operation = operationOf({
    object: kept.object,
    custody: kept.custody,
    ...(credential === undefined ? {} : { credential }),
  });
  const { height, transactionBytes } = await anchor(gateway, options, [operation], [kept]);
  return { ...summary(kept, record.class, version), ...sizes(operation, transactionBytes), height };
}

/**
 * Names what was kept on the chain. If that fails, the pieces are removed, unless the anchor may have happened after all: an answer that got
 * lost must not cost an anchored record its pieces. What is left over then is collected later, when the chain shows that nothing names it.
 */
async function anchor(
  { client }: Gateway,
  { by, device }: Pick<ImportOptions, "by" | "device">,
  anchors: readonly Operation[],
  kept: readonly KeptRecord[],
) {
  let isSent = false;
  try {
    const transaction = await signTransaction(await client.tip(), by, [...anchors, ...keptObjects(kept)], device);
    isSent = true;
    const receipt = requireAccepted(await client.submitSigned(transaction));
    for (const record of kept) record.anchored();
    return { height: receipt.height, transactionBytes: transaction.bytes.length };
  } catch (error) {
    if (!isSent || (error instanceof Fault && !error.retry)) await takeBack(kept);
    throw error;
  }
}

/** In the anchors' transaction and after them: where an anchor is refused, what it would rely on is. */
const keptObjects = (kept: readonly KeptRecord[]): Operation[] =>
  kept.flatMap(({ record, keeps: object }) => (object === undefined ? [] : [{ op: "keepObject", object, record }]));

const working = ({ by, onProgress, signal }: Omit<ImportOptions, "patient">) => ({
  by,
  ...(onProgress === undefined ? {} : { onProgress }),
  ...(signal === undefined ? {} : { signal }),
});

const summary = (
  { record, object, sizeBytes, storedBytes, chunks, promise, sharedBytes }: KeptRecord,
  recordClass: RecordClass,
  version: number,
) => ({
  record,
  version,
  class: recordClass,
  objectId: object.id,
  sizeBytes,
  storedBytes,
  chunks,
  promise,
  sharedBytes,
});

const sizes = (operation: Operation | undefined, transactionBytes: number) => ({
  operationBytes: cbor.encode(operation).length,
  transactionBytes,
});
