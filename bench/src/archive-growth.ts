/**
 * How the archive's costs grow with what is in it. Small records through packs, a thousand to a million, each size in a process of its own; and objects
 * of their own in one folder with a quota, as many as that folder's lender may get in years. Run as a program it is one size of the first.
 */
import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  auditPossession,
  closeWorkers,
  type Ingested,
  ingest,
  openStores,
  type Pack,
  packRecords,
  retrieveRecord,
} from "@xinglin/archive";
import { toHex } from "@xinglin/primitives";
import { type Emit, round, storesBelow } from "./archive-study.ts";
import { growthExponent, peakRssBytes, timed } from "./measure.ts";

const RECORDS = { quick: [1_000, 10_000], full: [1_000, 10_000, 100_000, 1_000_000] } as const;
/** The next decade goes through packs. */
const OBJECTS = { quick: [100, 1_000], full: [1_000, 10_000, 100_000] } as const;
const RECORD_BYTES = 700;
const QUOTA_BYTES = 2e12;
/** A file has 65,000 names at most on ext4: so many objects are copies of one. */
const NAMES_A_FILE = 50_000;

/** What one size of small records took, in a process of its own. */
interface RecordCost {
  readonly size: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly packs: number;
  readonly storeBytes: number;
  readonly storeFiles: number;
  readonly listMs: number;
  readonly auditMs: number;
  readonly readMs: number;
  readonly peakBytes: number;
}

/** Emits `growth-records` and `growth-objects`; sizes a decade apart, and the exponents of what they cost. */
export async function measureGrowth(quick: boolean, emit: Emit): Promise<void> {
  const which = quick ? "quick" : "full";
  emitRecords(RECORDS[which].map(costInChild), emit);
  await measureObjects(OBJECTS[which], emit);
}

const costInChild = (size: number): RecordCost =>
  JSON.parse(execFileSync(process.execPath, [fileURLToPath(import.meta.url), `${size}`], { encoding: "utf8" })) as RecordCost;

function emitRecords(costs: readonly RecordCost[], emit: Emit): void {
  const largest = costs.at(-1) as RecordCost;
  const each = (figure: (cost: RecordCost) => number): string => costs.map((cost) => round(figure(cost))).join(", ");
  const growth = (figure: (cost: RecordCost) => number): number =>
    round(growthExponent(costs.map((cost) => ({ size: cost.size, cost: figure(cost) }))));
  emit({
    measure: "growth-records",
    value: largest.size / largest.seconds,
    unit: "records/s",
    conditions: {
      records: each(({ size }) => size),
      "records/s": each(({ size, seconds }) => Math.round(size / seconds)),
      "CPU µs a record": each(({ size, cpuSeconds }) => (cpuSeconds / size) * 1e6),
      "CPU time": `records^${growth(({ cpuSeconds }) => cpuSeconds)}`,
      packs: each(({ packs }) => packs),
      "files at a store": each(({ storeFiles }) => storeFiles),
      "MB at a store": each(({ storeBytes }) => storeBytes / 1e6),
      "bytes at a store": `records^${growth(({ storeBytes }) => storeBytes)}`,
      "peak MB": each(({ peakBytes }) => Math.round(peakBytes / 1e6)),
      "ms to list a store": each(({ listMs }) => listMs),
      "ms to audit a pack, 460 pieces a store": each(({ auditMs }) => auditMs),
      "ms to read a record": each(({ readMs }) => readMs),
      counted: "sealed, packed and stored on fourteen folders; no custody",
    },
    samples: costs.map(({ size, seconds }) => size / seconds),
  });
}

/** Imports so many records, and does with them what is done every day. */
async function importRecords(size: number): Promise<RecordCost> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-growth-"));
  try {
    const descriptions = storesBelow(folder).map((one) => ({ ...one, quotaBytes: QUOTA_BYTES }));
    const stores = await openStores(descriptions, { create: true });
    function* contents(): Generator<Uint8Array> {
      for (let n = 0; n < size; n++) yield Buffer.alloc(RECORD_BYTES, `{"resourceType":"Observation","n":${n}}`);
    }
    let packs = 0;
    let last: Pack | undefined;
    const { seconds, cpuSeconds } = await timed(async () => {
      for await (const pack of packRecords(contents(), { stores })) {
        packs++;
        last = pack;
      }
    });
    const { reference, objectId: packId, records } = last as Pack;
    const { key, slice } = records.at(-1)!;
    await retrieveRecord({ reference, packId, slice }, key, stores);
    const read = await timed(() => retrieveRecord({ reference, packId, slice }, key, stores));
    const audited = await timed(() => auditPossession(reference, packId, stores, { sample: 460 }));
    if (!audited.result.intact) throw new Error("a pack is not intact");
    const listed = await timed(() => stores[0]!.list());
    const { bytes, files } = await below(descriptions[0]!.path);
    return {
      size,
      seconds,
      cpuSeconds,
      packs,
      storeBytes: bytes,
      storeFiles: files,
      listMs: listed.seconds * 1_000,
      auditMs: audited.seconds * 1_000,
      readMs: read.seconds * 1_000,
      peakBytes: peakRssBytes([process.pid]),
    };
  } finally {
    await closeWorkers();
    await rm(folder, { recursive: true, force: true });
  }
}

async function below(path: string): Promise<{ bytes: number; files: number }> {
  let [bytes, files] = [0, 0];
  for (const entry of await readdir(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    files++;
    bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return { bytes, files };
}

/** A folder with ever more objects, copies of one by name: what listing, its room, opening and importing one more cost. */
async function measureObjects(sizes: readonly number[], emit: Emit): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-objects-"));
  try {
    const descriptions = storesBelow(folder).map((one, i) => (i === 0 ? { ...one, quotaBytes: QUOTA_BYTES } : one));
    const stores = await openStores(descriptions, { create: true });
    const content = Buffer.alloc(3_000, "a Bundle");
    const importOne = () => ingest([{ path: "x", content }], { stores });
    const store = stores[0]!;
    const full = descriptions[0]!.path;
    const costs: { size: number; list: number; room: number; open: number; import: number; start: number }[] = [];
    let made = 0;
    let template: Template | undefined;
    for (const size of sizes) {
      for (; made < size; made++) {
        if (template === undefined || made % NAMES_A_FILE === 0) template = await templateOf(full, await importOne());
        linkObject(join(full, "objects"), template, made);
      }
      const { objectId } = await importOne();
      const ms = async (work: () => Promise<unknown>): Promise<number> => (await timed(work)).seconds * 1_000;
      const open = async (): Promise<void> => void (await (await store.open(objectId))?.close());
      costs.push({
        size,
        start: await ms(() => openStores(descriptions)),
        list: await ms(() => store.list()),
        room: await ms(() => store.room()),
        open: await ms(open),
        import: await ms(importOne),
      });
    }
    const largest = costs.at(-1)!;
    const each = (name: Exclude<keyof typeof largest, "size">): string =>
      `${costs.map((cost) => round(cost[name])).join(", ")} (objects^${round(growthExponent(costs.map((cost) => ({ size: cost.size, cost: cost[name] }))))})`;
    emit({
      measure: "growth-objects",
      value: largest.import,
      unit: "ms",
      conditions: {
        objects: sizes.join(", "),
        "ms to import one more": each("import"),
        "ms to open one": each("open"),
        "ms to list": each("list"),
        "ms to say what room there is": each("room"),
        "ms to open all stores": each("start"),
        counted: "one folder with a quota holds them; thirteen others are empty",
      },
      samples: costs.map((cost) => cost.import),
    });
  } finally {
    await closeWorkers();
    // Node takes a call a name; the system's own way is many times as fast.
    execFileSync("rm", ["-rf", folder]);
  }
}

/** An object on a store, to be linked to by others. */
interface Template {
  readonly path: string;
  readonly names: readonly string[];
}

async function templateOf(store: string, { objectId }: Ingested): Promise<Template> {
  const path = join(store, "objects", toHex(objectId));
  return { path, names: await readdir(path) };
}

/** The n-th object, which has the files of another. */
function linkObject(objects: string, { path, names }: Template, n: number): void {
  const copy = join(objects, n.toString(16).padStart(32, "0"));
  mkdirSync(copy);
  for (const name of names) linkSync(join(path, name), join(copy, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(await importRecords(Number(process.argv[2]))));
