/** Import of a study that is compressed already: source bytes a CPU second, the main thread's delay meanwhile, and what lies on the stores after. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { type IntervalHistogram, monitorEventLoopDelay } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
import { type Ingested, ingest, type Store } from "@xinglin/archive";
import { sealingLoop } from "./archive-limits.ts";
import { type Emit, K, M, MEGABYTE, mb, PIECE, round, type Study } from "./archive-study.ts";
import { best, interleave, median, timed } from "./measure.ts";

/** How long the main thread idles for the limit of its delay. */
const IDLE_MS = 500;

/** Emits `ingest`, `loop-delay` and `overhead`; returns the object, which stays on the stores. */
export async function measureIngest(study: Study, stores: readonly Store[], rounds: number, emit: Emit): Promise<Ingested> {
  const delays: { p99: number; max: number }[] = [];
  const idle: number[] = [];
  const walls: number[] = [];
  const narrow: number[] = [];
  let kept: Ingested | undefined;
  const samples = await interleave(
    rounds,
    {
      ours: async () => {
        if (kept !== undefined) for (const store of stores) await store.remove(kept.objectId);
        const { watched, p99, max } = await delayOf(() => timed(() => ingest(study.files, { stores })));
        delays.push({ p99, max });
        kept = watched.result;
        walls.push(study.sizeBytes / MEGABYTE / watched.seconds);
        return study.sizeBytes / MEGABYTE / watched.cpuSeconds;
      },
      limit: async () => {
        idle.push((await delayOf(() => setTimeout(IDLE_MS))).p99);
        narrow.push(study.sizeBytes / MEGABYTE / sealingLoop(study.sizeBytes, false));
        return study.sizeBytes / MEGABYTE / sealingLoop(study.sizeBytes, true);
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
      code: `${K}+${M}`,
      wall: `${Math.round(median(walls.slice(1)))}MB/s`,
      "ratio to the same loop without the hashes of files": round(value / best(narrow.slice(1))),
      demand: "ratio ≥ 0.6",
    },
    samples: samples.ours,
  });
  emitDelay(delays.slice(1), idle, emit);
  if (kept === undefined) throw new Error("nothing was imported");
  await emitOverhead(stores, kept, emit);
  return kept;
}

/** How late the main thread's timers ran during `work`, in milliseconds. */
async function delayOf<T>(work: () => Promise<T>): Promise<{ watched: T; p99: number; max: number }> {
  const delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const watched = await work();
  delay.disable();
  return { watched, p99: delay.percentile(99) / 1e6, max: delay.max / 1e6 };
}

function emitDelay(delays: readonly { p99: number; max: number }[], idle: readonly number[], emit: Emit): void {
  const value = median(delays.map(({ p99 }) => p99));
  const limit = best(idle, "lower");
  emit({
    measure: "loop-delay",
    value,
    unit: "ms",
    limit: { name: "the same timer while nothing is done", value: limit },
    ratio: limit / value,
    conditions: {
      percentile: "p99",
      max: round(Math.max(...delays.map(({ max }) => max))),
      work: "ingest",
      timer: "1 ms",
      demand: "≤ 20 ms",
    },
    samples: delays.map(({ p99 }) => p99),
  });
}

/** Bytes of all files of the object on all stores, documents and the fill of the last stripe included, against its sealed chunks. */
async function emitOverhead(stores: readonly Store[], object: Ingested, emit: Emit): Promise<void> {
  const sealed = object.streamBytes + Math.ceil(object.streamBytes / object.chunkBytes) * 16;
  let stored = 0;
  for (const { description } of stores) {
    if (description.kind !== "directory") continue;
    const files = await readdir(description.path, { recursive: true, withFileTypes: true });
    for (const file of files)
      if (file.isFile() && file.parentPath.includes("objects")) stored += (await stat(join(file.parentPath, file.name))).size;
  }
  const value = stored / sealed;
  emit({
    measure: "overhead",
    value,
    unit: "ratio",
    limit: { name: "the code alone, whole stripes", value: (K + M) / K },
    ratio: (K + M) / K / value,
    conditions: {
      sealed: mb(sealed),
      stored: mb(stored),
      documents: mb(stores.length * (object.tableBytes + object.manifestBytes)),
      "last stripe, filled up": mb(object.stripes * K * PIECE - sealed),
      demand: "≤ 1.41",
    },
  });
}
