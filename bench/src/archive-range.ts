/** Reading one chunk of 256 KiB out of an object, from nothing but its reference and key: found, checked, opened. Open loop, at a stated rate. */
import { createDecipheriv, createSecretKey, hash, randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { decodeTable, type Ingested, retrieveFiles, type Store, type StoredPack } from "@xinglin/archive";
import { CHUNK, type Emit, K, M, PIECE, round, type Study } from "./archive-study.ts";
import { latency } from "./measure.ts";

const MAX_TABLE_BYTES = 16e6;
const PER_SECOND = 5;

/** A study on stores, whatever they are. */
export interface RangeSource {
  readonly study: Pick<Study, "files" | "sizeBytes">;
  readonly stores: readonly Store[];
  readonly object: Ingested;
}

/** A chunk that lies in one file as a whole: where, and on which store. */
interface ChunkPlace {
  readonly path: string;
  readonly start: number;
  readonly stripe: number;
  readonly store: string;
}

/** What is measured of one set of stores. */
export interface RangeOrder {
  readonly measure: string;
  readonly source: RangeSource;
  /** Only chunks whose holders these are. */
  readonly holders?: readonly Store[];
  readonly reads: number;
  /** In what state the stores are. */
  readonly state: string;
  readonly demand: string;
}

/** Emits one measure: the median of the reads, the rest of the distribution beside it. The limit asks a holder that is there for a piece, and finds nothing out. */
export async function measureRange(order: RangeOrder, emit: Emit): Promise<void> {
  const { measure, source, holders, reads, state, demand } = order;
  const all = await chunkPlaces(source);
  const wanted = holders?.map(({ id }) => id);
  const places = wanted === undefined ? all : all.filter(({ store }) => wanted.includes(store));
  const there = all.filter(({ store }) => wanted?.includes(store) !== true);
  const pieces = await bareReader(source, there);
  const limit = await readChunks(there, Math.min(reads, 15), pieces.read).finally(pieces.close);
  const samples = await readChunks(places, reads, (place) => readChunk(source, place));
  const { p50, p99, p999, max } = latency(samples);
  const least = latency(limit).p50;
  emit({
    measure,
    value: p50,
    unit: "ms",
    limit: { name: "the piece from its store, SHA-256 and AES-256-GCM, nothing looked for", value: least },
    ratio: least / p50,
    conditions: {
      bytes: CHUNK,
      stores: state,
      rate: `${PER_SECOND}/s, open loop`,
      reads,
      p99: round(p99),
      "p99.9": round(p999),
      max: round(max),
      demand,
    },
    samples,
  });
}

/** The chunks that lie in one file as a whole, of a study that is kept as it is: its files stand one after the other in the stream. */
async function chunkPlaces({ study, stores, object }: RangeSource): Promise<ChunkPlace[]> {
  const pack = await stores.at(-1)?.open(object.objectId);
  const document = await pack?.readDocument("table", MAX_TABLE_BYTES);
  await pack?.close();
  if (document === undefined) throw new Error("the last store has no table");
  const table = decodeTable(document, object.reference, object.objectId);
  const fileBytes = study.sizeBytes / study.files.length;
  const places: ChunkPlace[] = [];
  for (let chunk = 0; (chunk + 1) * CHUNK <= study.sizeBytes; chunk++) {
    const file = study.files[Math.floor((chunk * CHUNK) / fileBytes)];
    const start = (chunk * CHUNK) % fileBytes;
    if (file === undefined || start + CHUNK > fileBytes) continue;
    const [stripe, column] = [Math.floor(chunk / K), chunk % K];
    const store = table.header.placement[(column + stripe) % (K + M)] ?? "none";
    places.push({ path: file.path, start, stripe, store });
  }
  return places;
}

type Read = (place: ChunkPlace) => Promise<void>;

/** Milliseconds of each read, from when it was due. The chunks are spread over the object. */
async function readChunks(places: readonly ChunkPlace[], count: number, read: Read): Promise<number[]> {
  const place = (i: number): ChunkPlace => places[Math.floor((i * places.length) / count)] as ChunkPlace;
  await read(place(0)); // starts a thread
  const start = performance.now();
  const reads = Array.from({ length: count }, async (_, i) => {
    const due = start + (i * 1_000) / PER_SECOND;
    await setTimeout(Math.max(0, due - performance.now()));
    const begun = performance.now(); // a timer may be a moment early
    await read(place(i));
    return performance.now() - Math.min(due, begun);
  });
  return await Promise.all(reads);
}

async function readChunk({ stores, object }: RangeSource, { path, start }: ChunkPlace): Promise<void> {
  let bytes = 0;
  const only = { path, start, end: start + CHUNK };
  for await (const file of retrieveFiles(object.reference, object.objectId, object.key, stores, { only }))
    for await (const part of file.content) bytes += part.length;
  if (bytes !== CHUNK) throw new Error(`${bytes} bytes came of a chunk of ${CHUNK}`);
}

/** Reads pieces from packs that are open already. */
async function bareReader(
  { stores, object }: RangeSource,
  places: readonly ChunkPlace[],
): Promise<{ read: Read; close(): Promise<void> }> {
  const packs = new Map<string, StoredPack>();
  for (const store of stores) {
    if (!places.some((place) => place.store === store.id)) continue;
    const pack = await store.open(object.objectId);
    if (pack !== undefined) packs.set(store.id, pack);
  }
  const key = createSecretKey(randomBytes(32));
  return {
    read: async ({ store, stripe }) => {
      const piece = new Uint8Array(PIECE);
      if ((await packs.get(store)?.read(stripe * PIECE, piece)) !== true) throw new Error("a piece is missing");
      hash("sha256", piece, "buffer");
      createDecipheriv("aes-256-gcm", key, Buffer.alloc(12)).update(piece.subarray(0, CHUNK));
    },
    close: async () => {
      for (const pack of packs.values()) await pack.close();
    },
  };
}
