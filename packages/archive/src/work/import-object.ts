/** The import of one object, in a worker: read, seal, code, hash and write stripe by stripe, then publish on all stores. */
import { randomBytes } from "node:crypto";
import { ReedSolomon } from "../code/reed-solomon.ts";
import { DIGEST_BYTES, sha256 } from "../digest.ts";
import { diskCheck } from "../disk-check.ts";
import {
  type CodeParameters,
  columnsOf,
  type Layout,
  layoutFor,
  pieceBytesOf,
  sizeClassOf,
  slotOf,
  stripeBytesOf,
} from "../layout.ts";
import { type FileEntry, SALT_BYTES, sealManifest } from "../manifest.ts";
import { PieceTable } from "../piece-table.ts";
import { placeObject } from "../placement.ts";
import type { ObjectReference } from "../reference.ts";
import { ChunkSeal } from "../seal.ts";
import { planSource, type SourceClock, type SourceFile, SourceReader } from "../source.ts";
import type { StoreDescription } from "../store/description.ts";
import { openStore } from "../store/open.ts";
import type { StagedPack } from "../store/store.ts";
import type { TaskContext } from "./tasks.ts";

/** What to import and where it may go; `owner` is the main thread's `stageOwner`. */
export interface ImportOrder {
  readonly source: readonly SourceFile[];
  readonly stores: readonly StoreDescription[];
  readonly code: CodeParameters;
  readonly objectId: Uint8Array;
  readonly contentKey: Uint8Array;
  readonly owner: string;
}

/** Wall time of each stage in milliseconds, in the order of the pipeline. */
export interface ImportStages extends SourceClock {
  sealMs: number;
  codeMs: number;
  pieceHashMs: number;
  writeMs: number;
  treeMs: number;
  /** Until everything is on disk and published. */
  settleMs: number;
}

/** What an import made. */
export interface ImportOutcome {
  readonly reference: ObjectReference;
  readonly salt: Uint8Array;
  readonly sizeBytes: number;
  readonly storedBytes: number;
  readonly manifestBytes: number;
  readonly tableBytes: number;
  readonly chunkBytes: number;
  readonly chunks: number;
  readonly stripes: number;
  readonly stages: ImportStages;
}

/** Looks at the source, chooses stores with room, and writes the object to all of them or to none. Faults: those of `ingest`. */
export async function importObject(order: ImportOrder, context: TaskContext): Promise<ImportOutcome> {
  const { objectId, code } = order;
  const plan = await planSource(order.source);
  const sizeBytes = plan.reduce((sum, file) => sum + file.sizeBytes, 0);
  const layout = layoutFor(sizeBytes, code);
  const stores = placeObject(order.stores.map(openStore), code, objectId);
  await diskCheck(stores, sizeBytes, { code, files: plan.length });
  const stages = { readMs: 0, fileHashMs: 0, sealMs: 0, codeMs: 0, pieceHashMs: 0, writeMs: 0, treeMs: 0, settleMs: 0 };
  const reader = new SourceReader(plan, stages);
  const packs: StagedPack[] = [];
  try {
    for (const [slot, store] of stores.entries()) packs.push(await store.stage(objectId, slot, "import", order.owner));
    const leaves = await writeStripes(order, layout, sizeBytes, reader, packs, stages, context);

    const treeStart = performance.now();
    const placement = stores.map((store) => store.id);
    const table = new PieceTable({ version: 1, objectId, ...layout, placement }, leaves);
    const salt = new Uint8Array(randomBytes(SALT_BYTES));
    const files = plan.map(({ path, sizeBytes, mediaType }, i): FileEntry => {
      return { path, sizeBytes, mediaType, sha256: reader.digests[i]! };
    });
    const manifest = sealManifest({ version: 1, objectId, sizeBytes, code, root: table.root, salt, files }, order.contentKey);
    const tableBytes = table.encode();
    stages.treeMs = performance.now() - treeStart;

    const settleStart = performance.now();
    await all(packs, async (pack) => {
      await pack.writeDocument("table", tableBytes);
      await pack.writeDocument("manifest", manifest);
      await pack.settle();
    });
    context.checkpoint();
    await all(packs, (pack) => pack.publish());
    stages.settleMs = performance.now() - settleStart;

    return {
      reference: { manifest: sha256(manifest), root: table.root, sizeClass: sizeClassOf(sizeBytes), code },
      salt,
      sizeBytes,
      storedBytes: packs.length * (layout.stripes * pieceBytesOf(layout) + tableBytes.length + manifest.length),
      manifestBytes: manifest.length,
      tableBytes: tableBytes.length,
      chunkBytes: layout.chunkBytes,
      chunks: layout.stripes * layout.code.k,
      stripes: layout.stripes,
      stages,
    };
  } catch (cause) {
    await Promise.allSettled(packs.map((pack) => pack.discard())); // the failure itself is what the caller hears of
    throw cause;
  } finally {
    reader.close();
  }
}

/** Seals, codes, hashes and writes every stripe; returns the hashes of all pieces. */
async function writeStripes(
  order: ImportOrder,
  layout: Layout,
  sizeBytes: number,
  reader: SourceReader,
  packs: readonly StagedPack[],
  stages: ImportStages,
  context: TaskContext,
): Promise<Uint8Array> {
  const { k } = layout.code;
  const columns = columnsOf(layout);
  const pieceBytes = pieceBytesOf(layout);
  const codec = new ReedSolomon(k, layout.code.m, pieceBytes);
  const seal = new ChunkSeal(order.contentKey, order.objectId);
  const leaves = new Uint8Array(layout.stripes * columns * DIGEST_BYTES);
  const chunk = new Uint8Array(layout.chunkBytes);

  for (let stripe = 0; stripe < layout.stripes; stripe++) {
    context.checkpoint();
    // A piece is hashed and written as soon as it exists, while the processor's cache still holds it.
    for (let column = 0; column < columns; column++) {
      if (column < k) {
        const filled = reader.read(chunk);
        const sealStart = performance.now();
        if (filled < chunk.length) chunk.fill(0, filled);
        seal.seal(stripe * k + column, chunk, codec.piece(column));
        stages.sealMs += performance.now() - sealStart;
      } else if (column === k) {
        const codeStart = performance.now();
        codec.encode();
        stages.codeMs += performance.now() - codeStart;
      }
      const piece = codec.piece(column);
      const hashStart = performance.now();
      leaves.set(sha256(piece), (stripe * columns + column) * DIGEST_BYTES);
      const writeStart = performance.now();
      await packs[slotOf(layout, stripe, column)]!.write(stripe * pieceBytes, piece);
      stages.pieceHashMs += writeStart - hashStart;
      stages.writeMs += performance.now() - writeStart;
    }
    context.progress(Math.min(sizeBytes, (stripe + 1) * stripeBytesOf(layout)), sizeBytes);
  }
  if (reader.read(chunk) !== 0 || !reader.isAtEnd) throw new Error("the stream has the planned length");
  return leaves;
}

/** Does the same on every pack at once, waits for all of them, then throws the first failure if there was one. */
async function all(packs: readonly StagedPack[], work: (pack: StagedPack) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(packs.map(work));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
