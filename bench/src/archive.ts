/**
 * The archive: import, retrieval with four of fourteen stores gone, memory and the main thread's delay, over folders on this disk.
 * The source is a study of files as large as CT slices, of random bytes. Its limits do the same sealing, hashing and coding in a loop
 * over memory: no files, no stores, no threads.
 */
import { execFileSync } from "node:child_process";
import { createDecipheriv, createHash, createSecretKey, hash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import {
  auditPossession,
  closeWorkers,
  DEFAULT_CODE,
  encodeReference,
  type Ingested,
  ingest,
  openStores,
  ReedSolomon,
  repair,
  retrieve,
  type SourceFile,
  type Store,
} from "@xinglin/archive";
import { measureFilter } from "./archive-filter.ts";
import { measureLargeObject } from "./archive-large.ts";
import { sealingLoop } from "./archive-limits.ts";
import { measureNational } from "./archive-national.ts";
import { measureNetwork } from "./archive-network.ts";
import { measureSmallRecords } from "./archive-small-records.ts";
import { best, interleave, type Measure, median, type SuiteOptions, timed } from "./measure.ts";
import { anchorBytes } from "./onchain-bytes.ts";

const { k, m } = DEFAULT_CODE;
const CHUNK = 262_144;
const PIECE = CHUNK + 16;
const STRIPE = k * CHUNK;
/** A slice of 512 × 512 pixels of two bytes, with its header. */
const SLICE = 526_336;
const MEGABYTE = 1e6;
/** Members that bring 3+3+3+2+2+1 stores; the first four stores are the ones that go. */
const MEMBERS = ["a", "b", "c", "d", "a", "b", "c", "d", "a", "b", "c", "e", "e", "f"];
const GONE = 4;

/** Emits `ingest`, `ingest-national`, `loop-delay`, `compression`, `ingest-filtered`, `retrieve-degraded`, `audit`, `repair`, `import-network`, `retrieve-network`, `code`, `reference-bytes`, `onchain-bytes`, `rss`, `rss-growth`, `rss-20gb`, `small-records` and `small-records-files`. */
export async function run({ quick, emit }: SuiteOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-archive-"));
  try {
    const sizeBytes = (quick ? 150 : 500) * MEGABYTE;
    const study = await makeStudy(join(folder, "study"), sizeBytes);
    const stores = await openStores(storesBelow(join(folder, "stores")), { create: true });
    const object = await measureIngest(study, stores, quick ? 4 : 5, emit);
    await measureNational(study, stores, quick ? 4 : 5, emit);
    await measureFilter(stores, folder, quick, emit);
    await measureRetrieval(study, stores, object, folder, quick ? 4 : 5, emit);
    await measureCustodians(study, stores, object, emit);
    await measureNetwork(study, quick, emit);
    await measureCode(emit);
    emit({
      measure: "reference-bytes",
      value: encodeReference(object.reference).length,
      unit: "B",
      conditions: { size: mb(study.sizeBytes), counted: "what the chain keeps of the object, within an operation" },
    });
    emit({
      measure: "onchain-bytes",
      value: await anchorBytes(object.objectId, object.reference),
      unit: "B",
      conditions: {
        size: mb(study.sizeBytes),
        counted: "the whole signed transaction that anchors the study, custody by six",
        demand: "< 1024",
      },
    });
    await closeWorkers();
    await rm(folder, { recursive: true });
    await measureMemory(quick, emit);
    await measureLargeObject(quick, emit);
    await measureSmallRecords(quick, (at) => openStores(storesBelow(at), { create: true }), emit);
  } finally {
    await closeWorkers();
    await rm(folder, { recursive: true, force: true });
  }
}

type Emit = (measure: Measure) => void;
interface Study {
  readonly folder: string;
  readonly files: readonly SourceFile[];
  readonly sizeBytes: number;
}

const mb = (bytes: number): string => `${Math.round(bytes / MEGABYTE)}MB`;
const round = (value: number): number => Math.round(value * 1000) / 1000;
const storesBelow = (folder: string) =>
  MEMBERS.map((member, i) => ({ kind: "directory" as const, id: `${member}-${i}`, member, path: join(folder, `${i}`) }));

async function makeStudy(folder: string, sizeBytes: number): Promise<Study> {
  await mkdir(folder, { recursive: true });
  const files: SourceFile[] = [];
  for (let at = 0; at < sizeBytes; at += SLICE) {
    const location = join(folder, `IM${files.length}`);
    await writeFile(location, randomBytes(SLICE));
    files.push({ path: `study/IM${files.length}`, location, mediaType: "application/dicom" });
  }
  return { folder, files, sizeBytes: files.length * SLICE };
}

/** Import, in source bytes a CPU second of all threads; and how late the main thread's timers ran meanwhile. */
async function measureIngest(study: Study, stores: readonly Store[], rounds: number, emit: Emit): Promise<Ingested> {
  const delays: { p99: number; max: number }[] = [];
  const walls: number[] = [];
  const narrow: number[] = [];
  let kept: Ingested | undefined;
  const samples = await interleave(
    rounds,
    {
      ours: async () => {
        if (kept !== undefined) for (const store of stores) await store.remove(kept.objectId);
        const delay = monitorEventLoopDelay({ resolution: 1 });
        delay.enable();
        const { result, seconds, cpuSeconds } = await timed(() => ingest(study.files, { stores }));
        delay.disable();
        delays.push({ p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 });
        kept = result;
        walls.push(study.sizeBytes / MEGABYTE / seconds);
        return study.sizeBytes / MEGABYTE / cpuSeconds;
      },
      limit: () => {
        narrow.push(sealingRate(study.sizeBytes, false));
        return sealingRate(study.sizeBytes, true);
      },
    },
    1,
  );
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "ingest",
    value,
    unit: "MB/cpu-s",
    limit: { name: "AES-256-GCM + SHA-256 of files and pieces + code, no I/O", value: limit },
    ratio: value / limit,
    conditions: {
      size: mb(study.sizeBytes),
      files: study.files.length,
      code: `${k}+${m}`,
      wall: `${Math.round(median(walls.slice(1)))}MB/s`,
      "ratio to the same loop without the hashes of files": round(value / best(narrow.slice(1))),
    },
    samples: samples.ours,
  });
  emit({
    measure: "loop-delay",
    value: median(delays.map(({ p99 }) => p99)),
    unit: "ms",
    conditions: { percentile: "p99", max: round(Math.max(...delays.map(({ max }) => max))), work: "ingest", timer: "1 ms" },
    samples: delays.map(({ p99 }) => p99),
  });
  if (kept === undefined) throw new Error("nothing was imported");
  return kept;
}

/** The loop that importing cannot avoid, in MB a CPU second. */
const sealingRate = (sizeBytes: number, hashFiles: boolean): number => sizeBytes / MEGABYTE / sealingLoop(sizeBytes, hashFiles);

/** Retrieval into a folder while four stores are renamed away, in MB a second; throws if one byte differs. */
async function measureRetrieval(
  study: Study,
  stores: readonly Store[],
  object: Ingested,
  folder: string,
  rounds: number,
  emit: Emit,
): Promise<void> {
  const gone = stores.slice(0, GONE).flatMap(({ description }) => (description.kind === "directory" ? [description.path] : []));
  for (const path of gone) await rename(path, `${path}.gone`);
  const destination = join(folder, "out");
  const cpus: number[] = [];
  const samples = await interleave(
    rounds,
    {
      ours: async () => {
        await rm(destination, { recursive: true, force: true });
        const { result, seconds, cpuSeconds } = await timed(() =>
          retrieve(object.reference, object.objectId, object.key, stores, destination),
        );
        if (result.troubles.length !== GONE || result.rebuiltPieces === 0) throw new Error("the stores were not gone");
        await compare(study, join(destination, "study"));
        cpus.push(study.sizeBytes / MEGABYTE / cpuSeconds);
        return study.sizeBytes / MEGABYTE / seconds;
      },
      limit: () => openingLoop(study.sizeBytes),
    },
    1,
  );
  for (const path of gone) await rename(`${path}.gone`, path);
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "retrieve-degraded",
    value,
    unit: "MB/s",
    limit: { name: "SHA-256 of pieces and files + code + AES-256-GCM, no I/O", value: limit },
    ratio: value / limit,
    conditions: {
      size: mb(study.sizeBytes),
      stores: `${stores.length - GONE} of ${stores.length}`,
      bytes: "identical",
      cpu: `${Math.round(median(cpus.slice(1)))}MB/cpu-s`,
    },
    samples: samples.ours,
  });
}

/** Checks pieces, rebuilds as many as four lost stores cost on average, opens chunks and hashes them; returns MB a second. */
function openingLoop(sizeBytes: number): number {
  const codec = new ReedSolomon(k, m, PIECE);
  for (let column = 0; column < k; column++) codec.piece(column).set(randomBytes(PIECE));
  codec.encode();
  const key = createSecretKey(randomBytes(32));
  const nonce = Buffer.alloc(12);
  const file = createHash("sha256");
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const start = performance.now();
  for (let stripe = 0; stripe < stripes; stripe++) {
    const columns = Array.from({ length: k + m }, (_, column) => column);
    const lost = columns.filter((column) => (column + stripe) % (k + m) < GONE);
    const present = columns.filter((column) => !lost.includes(column));
    for (const column of present) hash("sha256", codec.piece(column), "buffer");
    codec.reconstruct(
      present,
      lost.filter((column) => column < k),
    );
    for (let column = 0; column < k; column++) {
      const decipher = createDecipheriv("aes-256-gcm", key, nonce);
      const chunk = decipher.update(codec.piece(column).subarray(0, CHUNK));
      file.update(chunk);
      (chunk.buffer as ArrayBuffer).transfer(0);
    }
  }
  return (stripes * STRIPE) / 1000 / (performance.now() - start);
}

async function compare(study: Study, folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length !== study.files.length) throw new Error(`${names.length} files came back of ${study.files.length}`);
  for (const name of names) {
    const [there, here] = await Promise.all([readFile(join(folder, name)), readFile(join(study.folder, name))]);
    if (!there.equals(here)) throw new Error(`${name} came back with other bytes`);
  }
}

/** An audit of all pieces, and the repair of four stores whose packs are gone. */
async function measureCustodians(study: Study, stores: readonly Store[], object: Ingested, emit: Emit): Promise<void> {
  const { reference, objectId } = object;
  const audited = await timed(() => auditPossession(reference, objectId, stores));
  if (!audited.result.intact) throw new Error("the object is not intact");
  const size = mb(study.sizeBytes);
  emit({
    measure: "audit",
    value: study.sizeBytes / MEGABYTE / audited.cpuSeconds,
    unit: "MB/cpu-s",
    conditions: { size, pieces: audited.result.checked, counted: "source bytes, all pieces" },
  });
  for (const store of stores.slice(0, GONE)) await store.remove(objectId);
  const repaired = await timed(() => repair(reference, objectId, stores));
  if (!repaired.result.after.intact || repaired.result.repaired.length !== GONE) throw new Error("the repair left damage");
  emit({
    measure: "repair",
    value: study.sizeBytes / MEGABYTE / repaired.seconds,
    unit: "MB/s",
    conditions: { size, stores: `${GONE} packs of ${stores.length}`, counted: "source bytes, audits before and after included" },
  });
}

/** The erasure code alone, on one thread. */
async function measureCode(emit: Emit): Promise<void> {
  const codec = new ReedSolomon(k, m, PIECE);
  for (let column = 0; column < k; column++) codec.piece(column).set(randomBytes(PIECE));
  const present = Array.from({ length: k }, (_, i) => i + m);
  const lost = Array.from({ length: m }, (_, i) => i);
  const speed = (work: () => void) => (): number => {
    const start = performance.now();
    for (let i = 0; i < 60; i++) work();
    return (60 * STRIPE) / 1000 / (performance.now() - start);
  };
  const samples = await interleave(
    7,
    {
      encode: speed(() => codec.encode()),
      reconstruct: speed(() => codec.reconstruct(present, lost)),
    },
    1,
  );
  emit({
    measure: "code",
    value: median(samples.encode),
    unit: "MB/s",
    conditions: {
      code: `${k}+${m}`,
      work: "parity of data, one thread",
      reconstruct: `${Math.round(median(samples.reconstruct))}MB/s`,
    },
    samples: samples.encode,
  });
}

/** Peak memory of a process that does nothing but import and give back a study, at two sizes. */
async function measureMemory(quick: boolean, emit: Emit): Promise<void> {
  const small = await peakOf(200 * MEGABYTE);
  emit({ measure: "rss", value: small / MEGABYTE, unit: "MB", conditions: { size: "200MB", process: "import, then retrieval" } });
  if (quick) {
    emit({ measure: "rss-growth", skipped: "2 GB against 200 MB takes longer than a quick run: leave --quick out" });
    return;
  }
  const large = await peakOf(2000 * MEGABYTE);
  emit({
    measure: "rss-growth",
    value: large / small,
    unit: "ratio",
    conditions: { sizes: "2GB against 200MB", large: `${Math.round(large / MEGABYTE)}MB` },
  });
}

async function peakOf(sizeBytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-archive-"));
  try {
    await makeStudy(join(folder, "study"), sizeBytes);
    const printed = execFileSync(process.execPath, [fileURLToPath(import.meta.url), folder], { encoding: "utf8" });
    return Number(printed);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The process whose memory is measured: imports the study in a folder, gives it back and prints its peak. */
async function importAndRetrieve(folder: string): Promise<void> {
  const names = await readdir(join(folder, "study"));
  const files = names.map((name) => ({ path: name, location: join(folder, "study", name) }));
  const stores = await openStores(storesBelow(join(folder, "stores")), { create: true });
  const { reference, objectId, key } = await ingest(files, { stores });
  await retrieve(reference, objectId, key, stores.slice(GONE), join(folder, "out"));
  console.log(process.resourceUsage().maxRSS * 1024);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await importAndRetrieve(process.argv[2]!);
