/** Peak memory of a process that imports a study and gives it back. Run as a program it is that process. */
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { ingest, openStores, retrieve } from "@xinglin/archive";
import { type Emit, GONE, MEGABYTE, makeStudy, storesBelow } from "./archive-study.ts";
import { peakRssBytes } from "./measure.ts";

/** Emits `rss`, and `rss-growth`: 2 GB against 200 MB. */
export async function measureMemory(quick: boolean, emit: Emit): Promise<void> {
  const small = await peakOf(200 * MEGABYTE);
  const bare = peakOfProcess("bare");
  emit({
    measure: "rss",
    value: small / MEGABYTE,
    unit: "MB",
    limit: { name: "a process with the archive loaded and a thread that does nothing", value: bare / MEGABYTE },
    ratio: bare / small,
    conditions: { size: "200MB", process: "import, then retrieval", demand: "≤ 256 MB" },
  });
  if (quick) {
    emit({ measure: "rss-growth", skipped: "2 GB against 200 MB takes longer than a quick run: leave --quick out" });
    return;
  }
  const large = await peakOf(2000 * MEGABYTE);
  emit({
    measure: "rss-growth",
    value: large / small,
    unit: "ratio",
    limit: { name: "no growth", value: 1 },
    ratio: small / large,
    conditions: { sizes: "2GB against 200MB", large: `${Math.round(large / MEGABYTE)}MB`, demand: "≤ 1.1" },
  });
}

async function peakOf(sizeBytes: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-archive-"));
  try {
    await makeStudy(join(folder, "study"), sizeBytes);
    return peakOfProcess(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const peakOfProcess = (argument: string): number =>
  Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), argument], { encoding: "utf8" }));

async function importAndRetrieve(folder: string): Promise<void> {
  const names = await readdir(join(folder, "study"));
  const files = names.map((name) => ({ path: name, location: join(folder, "study", name) }));
  const stores = await openStores(storesBelow(join(folder, "stores")), { create: true });
  const { reference, objectId, key } = await ingest(files, { stores });
  await retrieve(reference, objectId, key, stores.slice(GONE), join(folder, "out"));
}

async function startThread(): Promise<void> {
  const worker = new Worker("require('node:worker_threads').parentPort.postMessage(1)", { eval: true });
  await new Promise((resolve) => worker.once("exit", resolve));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [argument = "bare"] = process.argv.slice(2);
  await (argument === "bare" ? startThread() : importAndRetrieve(argument));
  console.log(peakRssBytes([process.pid]));
}
