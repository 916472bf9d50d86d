/** The import of one object, in a worker: read, filter, seal, code, hash and write stripe by stripe, then publish on all stores. */
import { randomBytes } from "node:crypto";
import { invariant } from "@xinglin/primitives";
import { ReedSolomon } from "../code/reed-solomon.ts";
import { DIGEST_BYTES } from "../digest.ts";
import { bytesPerStore, diskCheck } from "../disk-check.ts";
import type { StoreFacts } from "../durability/placement-rank.ts";
import type { PlacedFile } from "../file-entry.ts";
import { type FilterClock, ObjectStream } from "../filter/object-stream.ts";
import { type CodeParameters, type Layout, layoutFor, pieceBytesOf, sizeClassOf, slotOf } from "../layout.ts";
import { SALT_BYTES, type SharedObject, sealManifest } from "../manifest.ts";
import { PieceTable } from "../piece-table.ts";
import { markOf, type Profile, type ProfileName, profileNamed } from "../profile/profile.ts";
import type { ObjectReference } from "../reference.ts";
import { ChunkSeal } from "../seal.ts";
import { planSource, type SourceClock, type SourceFile, SourceReader } from "../source.ts";
import type { StoreDescription } from "../store/description.ts";
import { openStore } from "../store/open.ts";
import type { StagedPack } from "../store/store.ts";
import { chooseStores } from "./choose-stores.ts";
import { ChunkFeed } from "./chunk-feed.ts";
import type { TaskContext } from "./tasks.ts";

/** What to import and where it may go; `owner` is the main thread's `stageOwner`. */
export interface ImportOrder {
  readonly source: readonly SourceFile[];
  readonly stores: readonly StoreDescription[];
  readonly code: CodeParameters;
  readonly objectId: Uint8Array;
  readonly contentKey: Uint8Array;
  readonly owner: string;
  readonly profile?: ProfileName | undefined;
  /** Objects that files share pixels with, and whether the outcome tells where each file stands: see `shared/`. */
  readonly shared?: readonly SharedObject[] | undefined;
  readonly listFiles?: boolean | undefined;
  /** What is known of stores, by id, see `placeObject`; their room is asked. */
  readonly facts?: Readonly<Record<string, StoreFacts>> | undefined;
}

/** Wall time of each stage in milliseconds, in the order of the pipeline. */
export interface ImportStages extends SourceClock, FilterClock {
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
  /** Bytes of the files, and of the stream that was sealed in their stead. */
  readonly sizeBytes: number;
  readonly streamBytes: number;
  /** Bytes on all stores together. */
  readonly storedBytes: number;
  readonly manifestBytes: number;
  readonly tableBytes: number;
  readonly chunkBytes: number;
  readonly chunks: number;
  readonly stripes: number;
  /** Where each file stands, if that was asked for. */
  readonly files?: readonly PlacedFile[];
  readonly stages: ImportStages;
}

/** Looks at the source, chooses stores with room, and writes the object to all of them or to none. Faults: those of `ingest`. */
export async function importObject(order: ImportOrder, context: TaskContext): Promise<ImportOutcome> {
  const { objectId, code } = order;
  const profile = profileNamed(order.profile);
  const mark = markOf(profile);
  const plan = await planSource(order.source);
  const sizeBytes = plan.reduce((sum, file) => sum + file.sizeBytes, 0);
  layoutFor(sizeBytes, code); // too large is better said now
  const perStore = bytesPerStore(sizeBytes, code, plan.length);
  const placing = { code, objectId, bytesPerStore: perStore, facts: order.facts };
  const stores = await chooseStores(order.stores.map(openStore), placing);
  await diskCheck(stores, sizeBytes, { code, files: plan.length });
  const stages = emptyStages();
  const source = new SourceReader(profile, plan, stages);
  const packs: StagedPack[] = [];
  try {
    for (const [slot, store] of stores.entries()) packs.push(await store.stage(objectId, slot, "import", order.owner));
    const stream = new ObjectStream(source, stages, order.listFiles);
    let told = 0;
    const tell = (): void => {
      if (source.readBytes > told) context.progress(source.readBytes, sizeBytes); // the last stripes may hold nodes only
      told = source.readBytes;
    };
    const { layout, leaves } = await writeStripes(order, profile, stream, packs, stages, tell, context);

    const treeStart = performance.now();
    const placement = stores.map((store) => store.id);
    const table = new PieceTable({ version: 1, objectId, ...layout, placement, ...mark }, leaves);
    const salt = new Uint8Array(randomBytes(SALT_BYTES));
    const { streamBytes } = stream;
    const files = "files" in stream.table ? { files: stream.table.files } : { nodes: stream.table.nodes };
    const shared = order.shared === undefined || order.shared.length === 0 ? {} : { shared: [...order.shared] };
    const root = {
      version: 3,
      objectId,
      streamBytes,
      sizeBytes,
      fileCount: plan.length,
      code,
      ...mark,
      root: table.root,
      salt,
      ...files,
      ...shared,
    };
    const manifest = sealManifest(root, order.contentKey);
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
      reference: { manifest: profile.digest(manifest), root: table.root, sizeClass: sizeClassOf(streamBytes), code, ...mark },
      salt,
      sizeBytes,
      streamBytes,
      storedBytes: packs.length * (layout.stripes * pieceBytesOf(layout) + tableBytes.length + manifest.length),
      manifestBytes: manifest.length,
      tableBytes: tableBytes.length,
      chunkBytes: layout.chunkBytes,
      chunks: layout.stripes * layout.code.k,
      stripes: layout.stripes,
      ...(order.listFiles === true ? { files: stream.files } : {}),
      stages,
    };
  } catch (cause) {
    await Promise.allSettled(packs.map((pack) => pack.discard())); // the failure itself is what the caller hears of
    throw cause;
  } finally {
    source.close();
  }
}

const emptyStages = (): ImportStages => ({
  readMs: 0,
  fileHashMs: 0,
  filterMs: 0,
  sealMs: 0,
  codeMs: 0,
  pieceHashMs: 0,
  writeMs: 0,
  treeMs: 0,
  settleMs: 0,
});

/** Seals, codes, hashes and writes stripe after stripe until the stream ends; returns its layout and the hashes of all pieces. */
async function writeStripes(
  order: ImportOrder,
  profile: Profile,
  stream: ObjectStream,
  packs: readonly StagedPack[],
  stages: ImportStages,
  tell: () => void,
  context: TaskContext,
): Promise<{ layout: Layout; leaves: Uint8Array }> {
  const { k, m } = order.code;
  const feed = new ChunkFeed(stream, k);
  const pieceBytes = pieceBytesOf(feed);
  const codec = new ReedSolomon(k, m, pieceBytes);
  const seal = new ChunkSeal(profile, order.contentKey, order.objectId);
  const leaves: Uint8Array[] = [];

  for (let plain = feed.next(); plain !== undefined; plain = feed.next()) {
    context.checkpoint();
    const stripe = leaves.length;
    const hashes = new Uint8Array((k + m) * DIGEST_BYTES);
    // A piece is hashed and written as soon as it exists, while the processor's cache still holds it.
    for (let column = 0; column < k + m; column++) {
      if (column < k) {
        if (column > 0) plain = feed.next() ?? feed.zeros;
        const sealStart = performance.now();
        seal.seal(stripe * k + column, plain, codec.piece(column));
        stages.sealMs += performance.now() - sealStart;
      } else if (column === k) {
        const codeStart = performance.now();
        codec.encode();
        stages.codeMs += performance.now() - codeStart;
      }
      const piece = codec.piece(column);
      const hashStart = performance.now();
      const digest = profile.digest(piece);
      hashes.set(digest, column * DIGEST_BYTES);
      const writeStart = performance.now();
      await packs[slotOf(order, stripe, column)]!.write(stripe * pieceBytes, piece, profile.isSha256 ? digest : undefined);
      stages.pieceHashMs += writeStart - hashStart;
      stages.writeMs += performance.now() - writeStart;
    }
    leaves.push(hashes);
    tell();
  }
  const layout = layoutFor(stream.streamBytes, order.code);
  invariant(layout.stripes === leaves.length && layout.chunkBytes === feed.chunkBytes, "the stream was cut as its length says");
  return { layout, leaves: new Uint8Array(Buffer.concat(leaves)) };
}

/** Does the same on every pack at once, waits for all of them, then throws the first failure if there was one. */
async function all(packs: readonly StagedPack[], work: (pack: StagedPack) => Promise<void>): Promise<void> {
  const outcomes = await Promise.allSettled(packs.map(work));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
