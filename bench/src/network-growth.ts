/**
 * How the network's figures grow: with validators, with keys in the state, on the disk with transactions; and how fast a node that joins comes to
 * where the others are, by replaying every block and by a snapshot.
 */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { cometbft } from "@xinglin/crypto/pure";
import { freePorts } from "@xinglin/engines/testing";
import { toHex } from "@xinglin/primitives";
import { growthExponent, latency, type Measure } from "./measure.ts";
import { totalOf } from "./network-cpu.ts";
import { Network, type Trial } from "./network-nodes.ts";
import { drive, heldRateOf, isHeld, pace, search } from "./network-rates.ts";

export interface GrowthOptions {
  readonly binary: string;
  readonly directory: string;
  readonly emit: (measure: Measure) => void;
}

const ENVELOPE = 16;
const VALIDATORS = [4, 7, 10] as const;
const KEYS = [10_000, 100_000, 1_000_000] as const;
/** Validators of the network whose state grows. */
const FEW = 4;
const SEARCH = { operations: ENVELOPE, guess: 500, pilotSeconds: 4, trialSeconds: 8, trials: 3 } as const;
/** Transactions of one operation whose bytes on the disk are counted. */
const DISK_TRANSACTIONS = 4_000;
const SNAPSHOT_BLOCKS = 100;

/** Measures `validators-N`, `validators-growth`, `replay`, `disk-per-tx`, `keys-N`, `keys-growth`, `join-by-snapshot`. */
export async function measureGrowth(options: GrowthOptions): Promise<void> {
  await overValidators(options);
  await overKeys(options);
}

const cpuOf = (trial: Trial): number => totalOf(trial.cpu) / (trial.committed * ENVELOPE);

function heldMeasure(measure: string, trial: Trial, conditions: Readonly<Record<string, number>>): Measure {
  const { p50, p99 } = latency(trial.latencies);
  return {
    measure,
    value: isHeld(trial) ? heldRateOf(trial) * ENVELOPE : 0,
    unit: "operations/s",
    conditions: {
      ...conditions,
      envelope: ENVELOPE,
      offeredPerSecond: Math.round(trial.offeredPerSecond * ENVELOPE),
      p50Ms: Math.round(p50),
      p99Ms: Math.round(p99),
      cpuMicrosecondsPerOperation: Math.round(cpuOf(trial) * 1e6),
    },
  };
}

async function overValidators({ binary, directory, emit }: GrowthOptions): Promise<void> {
  const points: { size: number; cost: number }[] = [];
  for (const validators of VALIDATORS) {
    const network = await Network.start({ binary, directory: join(directory, `of-${validators}`), validators, patients: 4_000 });
    try {
      await drive(network, ENVELOPE, SEARCH.guess, SEARCH.pilotSeconds);
      const { best, all } = await search(network, SEARCH);
      const trial = best ?? all.at(-1)!;
      emit(heldMeasure(`validators-${validators}`, trial, { validators }));
      points.push({ size: validators, cost: cpuOf(trial) });
      if (validators === FEW) {
        emit(await diskMeasure(network));
        emit(await replayMeasure(network));
      }
      await network.checkEqual();
    } finally {
      await network.stop();
    }
  }
  emit({
    measure: "validators-growth",
    value: growthExponent(points),
    unit: "exponent",
    conditions: { of: "CPU seconds an operation over all validators", sizes: VALIDATORS.join(" ") },
  });
}

/** What a transaction of one operation leaves on one node's disk, the engine's part apart. */
async function diskMeasure(network: Network): Promise<Measure> {
  const folder = network.folderOf(0);
  const before = { all: await bytesIn(folder), engine: await bytesIn(join(folder, "engine")) };
  const trial = await pace(network, 1, 400, DISK_TRANSACTIONS / 400);
  const after = { all: await bytesIn(folder), engine: await bytesIn(join(folder, "engine")) };
  const per = (bytes: number): number => Math.round(bytes / trial.committed);
  return {
    measure: "disk-per-tx",
    value: per(after.all - before.all),
    unit: "bytes",
    conditions: {
      counted:
        "growth of one validator's folder over transactions of one operation (706 bytes), nothing pruned, logs of the database included",
      cometbft: per(after.engine - before.engine),
      transactions: trial.committed,
      blocks: trial.blocksAt.length,
    },
  };
}

async function replayMeasure(network: Network): Promise<Measure> {
  const { height, entries } = await network.tip(0);
  const seconds = await network.join();
  return {
    measure: "replay",
    value: entries / seconds,
    unit: "operations/s",
    conditions: {
      counted: "operations that a joining node executes until it is where the others were, its start included",
      blocksPerSecond: Number((height / seconds).toPrecision(3)),
      blocks: height,
      operations: entries,
      seconds: Number(seconds.toPrecision(3)),
    },
  };
}

async function overKeys({ binary, directory, emit }: GrowthOptions): Promise<void> {
  const ports = await freePorts(FEW);
  const optionsOf = (index: number) => ({ rpc: { host: "127.0.0.1", port: ports[index]! }, snapshotBlocks: SNAPSHOT_BLOCKS });
  const options = { binary, directory: join(directory, "keys"), validators: FEW, patients: KEYS[0] };
  const network = await Network.start({ ...options, optionsOf: (index) => (index < FEW ? optionsOf(index) : {}) });
  try {
    await drive(network, ENVELOPE, SEARCH.guess, SEARCH.pilotSeconds);
    const points: { size: number; cost: number }[] = [];
    for (const keys of KEYS) {
      if (keys > KEYS[0]) await network.fillTo(keys);
      const { best, all } = await search(network, SEARCH);
      const trial = best ?? all.at(-1)!;
      emit(heldMeasure(`keys-${keys}`, trial, { patients: keys }));
      points.push({ size: keys, cost: cpuOf(trial) });
    }
    emit({
      measure: "keys-growth",
      value: growthExponent(points),
      unit: "exponent",
      conditions: { of: "CPU seconds an operation over all validators", sizes: KEYS.join(" "), validators: FEW },
    });
    emit(await snapshotMeasure(network, ports));
  } finally {
    await network.stop();
  }
}

async function snapshotMeasure(network: Network, ports: readonly number[]): Promise<Measure> {
  // One more snapshot, so that the state that is taken in has all keys.
  const wanted = (Math.floor((await network.tip(0)).height / SNAPSHOT_BLOCKS) + 1) * SNAPSHOT_BLOCKS + 4;
  while ((await network.tip(0)).height < wanted) await pace(network, 1, 20, 2);
  const { height, entries, block } = await network.tip(0);
  const { commit } = cometbft.decodeLightBlock(block);
  const [one, other] = ports.map((port) => `http://127.0.0.1:${port}`) as [string, string];
  const seconds = await network.join({
    stateSync: {
      rpcServers: [one, other],
      trustHeight: commit.height,
      trustHash: toHex(commit.blockId.hash),
      trustPeriodSeconds: 3_600,
    },
  });
  return {
    measure: "join-by-snapshot",
    value: seconds,
    unit: "s",
    conditions: {
      counted: "until the node is where the others were, its start and the search for snapshots (5 s) included",
      patients: KEYS.at(-1)!,
      operations: entries,
      height,
    },
  };
}

async function bytesIn(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map((entry) =>
        stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        ),
      ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
