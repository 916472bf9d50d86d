/**
 * The archive beside what a user would take instead: restic, MinIO with an erasure code, Tahoe-LAFS. One file of random bytes is written and read back by
 * each in turn, all stores there, everything on this disk; the CPU time is that of all processes, the client's included.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, open, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { closeWorkers, type Ingested, ingest, openStores, retrieve } from "@xinglin/archive";
import { type Emit, MEGABYTE, mb, round, storesBelow } from "./archive-study.ts";
import { best, cpuSecondsOf, median } from "./measure.ts";
import { minio } from "./peers/minio.ts";
import { have, type Peer, type RunningPeer, sentenceOf } from "./peers/peer.ts";
import { restic } from "./peers/restic.ts";
import { tahoe } from "./peers/tahoe.ts";

const PEERS: readonly Peer[] = [restic, minio, tahoe];
const STEPS = ["write", "read"] as const;
type Step = (typeof STEPS)[number];
const ROUNDS = 3;
/** No further round begins after so long. */
const ROUNDS_MS = 60_000;
const NOISE = 8 * 1024 * 1024;

/** Emits `PEER-write` and `PEER-read` for each peer: ours in MB a CPU second, the peer's, and both by the clock. One that is missing is skipped by name. */
export async function measurePeers(
  { quick, sizeBytes }: { readonly quick: boolean; readonly sizeBytes: number },
  emit: Emit,
  peers: readonly Peer[] = PEERS,
): Promise<void> {
  for (const peer of peers) {
    const skip = (reason: string): void => {
      for (const step of STEPS) emit({ measure: `${peer.name}-${step}`, skipped: reason });
    };
    if (quick) {
      skip("three rounds with a program of others take longer than a quick run: leave --quick out");
      continue;
    }
    const had = await have(peer);
    if ("missing" in had) {
      skip(had.missing);
      continue;
    }
    const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-peer-"));
    try {
      const running = await peer.start(had.program, folder).catch((cause: unknown) => sentenceOf(cause));
      if (typeof running === "string") skip(`${peer.name} does not start: ${running}`);
      else await compareWith(peer, running, { folder, sizeBytes }, emit);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
}

interface Place {
  readonly folder: string;
  readonly sizeBytes: number;
}

async function compareWith(peer: Peer, running: RunningPeer, { folder, sizeBytes }: Place, emit: Emit): Promise<void> {
  try {
    const file = join(folder, "study");
    await writeNoise(file, sizeBytes);
    const sides = { ours: await oursBelow(join(folder, "ours")), peer: running };
    const walls: Record<string, number[]> = {};
    /** MB a CPU second of one step, its result compared; the rate by the clock is kept beside. */
    const timedStep = async (whose: keyof typeof sides, step: Step): Promise<number> => {
      const side = sides[whose];
      const processes = [process.pid, ...side.pids];
      const out = join(folder, `out-${whose}`);
      await rm(out, { recursive: true, force: true });
      const used = cpuSecondsOf(processes);
      const start = performance.now();
      await (step === "write" ? side.write(file) : side.read(out)).catch((cause: unknown) => {
        throw whose === "ours" ? new OursFailed("the archive failed", { cause }) : cause;
      });
      const name = `${whose}-${step}`;
      walls[name] = [...(walls[name] ?? []), sizeBytes / 1000 / (performance.now() - start)];
      const figure = sizeBytes / MEGABYTE / (cpuSecondsOf(processes) - used);
      if (step === "read") await requireSame(file, out, whose);
      return figure;
    };
    const samples: Record<`${"ours" | "peer"}-${Step}`, number[]> = {
      "ours-write": [],
      "peer-write": [],
      "ours-read": [],
      "peer-read": [],
    };
    const start = performance.now();
    // A peer that takes minutes a round is known well enough after one.
    for (let round = 0; round < ROUNDS && performance.now() - start < ROUNDS_MS; round++) {
      await running.reset(file);
      await sides.ours.reset(file);
      for (const step of STEPS)
        for (const whose of ["ours", "peer"] as const) samples[`${whose}-${step}`].push(await timedStep(whose, step));
    }
    for (const step of STEPS) emitStep(peer, step, { samples, walls, sizeBytes }, emit);
  } catch (cause) {
    if (cause instanceof OursFailed) throw cause;
    for (const step of STEPS) emit({ measure: `${peer.name}-${step}`, skipped: `${peer.name} failed: ${sentenceOf(cause)}` });
  } finally {
    await running.stop();
    await closeWorkers();
  }
}

/** Not the peer's fault: it ends the suite. */
class OursFailed extends Error {}

async function requireSame(file: string, out: string, whose: "ours" | "peer"): Promise<void> {
  const found = (await readdir(out, { recursive: true, withFileTypes: true })).find((one) => one.isFile());
  const there = found === undefined ? undefined : await readFile(join(found.parentPath, found.name));
  if (there?.equals(await readFile(file)) === true) return;
  throw whose === "ours" ? new OursFailed("the archive gave back other bytes") : new Error("other bytes came back");
}

/** The archive over fourteen folders, behind what peers have. */
async function oursBelow(folder: string): Promise<Omit<RunningPeer, "stop">> {
  const stores = await openStores(storesBelow(folder), { create: true });
  let object: Ingested | undefined;
  return {
    pids: [],
    reset: async () => {
      if (object !== undefined) for (const store of stores) await store.remove(object.objectId);
    },
    write: async (location) => {
      object = await ingest([{ path: "study", location, mediaType: "application/octet-stream" }], { stores });
    },
    read: async (into) => {
      if (object === undefined) throw new Error("nothing was written");
      await retrieve(object.reference, object.objectId, object.key, stores, into);
    },
  };
}

async function writeNoise(path: string, sizeBytes: number): Promise<void> {
  const file = await open(path, "w");
  for (let at = 0; at < sizeBytes; at += NOISE) await file.write(randomBytes(Math.min(NOISE, sizeBytes - at)));
  await file.close();
}

interface Rounds {
  readonly samples: Readonly<Record<`${"ours" | "peer"}-${Step}`, readonly number[]>>;
  readonly walls: Readonly<Record<string, readonly number[]>>;
  readonly sizeBytes: number;
}

function emitStep(peer: Peer, step: Step, { samples, walls, sizeBytes }: Rounds, emit: Emit): void {
  const value = median(samples[`ours-${step}`]);
  const theirs = best(samples[`peer-${step}`]);
  const wall = (whose: string): string => `${round(best(walls[`${whose}-${step}`] ?? []))}MB/s`;
  emit({
    measure: `${peer.name}-${step}`,
    value,
    unit: "MB/cpu-s",
    peer: { name: peer.title, value: theirs },
    speedup: value / theirs,
    conditions: {
      size: mb(sizeBytes),
      stores: "14 of 14",
      rounds: samples[`ours-${step}`].length,
      "best by the clock": `${wall("ours")} against ${wall("peer")}`,
      counted: "CPU seconds of all processes, client included",
      ...(peer.floor === undefined ? {} : { demand: `≥ ${peer.floor} ×` }),
    },
    samples: samples[`ours-${step}`],
  });
}
