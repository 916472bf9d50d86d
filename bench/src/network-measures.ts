/** From trials to the measures of the network suite. */
import { availableParallelism } from "node:os";
import { latency, type Measure } from "./measure.ts";
import { type Cpu, totalOf } from "./network-cpu.ts";
import type { PeerFigures } from "./network-kvstore.ts";
import type { Trial } from "./network-nodes.ts";
import { type Found, HELD_P99_MS, heldRateOf, rateOf } from "./network-rates.ts";

/** Validators of the network that is measured. */
export const VALIDATORS = 4;

const rounded = (value: number, digits = 3): number => Number(value.toPrecision(digits));

/** CPU seconds over another time. */
export const scaled = (cpu: Cpu, by: number): Cpu =>
  Object.fromEntries(Object.entries(cpu).map(([name, used]) => [name, used * by])) as unknown as Cpu;

/** `ops-N`: the highest rate held, beside what verifying alone would allow. */
export function rateMeasure(
  operations: number,
  { best, all, pilot }: Found,
  verify: number,
  peer: PeerFigures | undefined,
): Measure {
  // Each validator verifies each signature once, and here they share the cores.
  const limit = {
    name: "Ed25519 by every validator on shared cores",
    value: (verify * operations * availableParallelism()) / VALIDATORS,
  };
  const shown = best ?? all.at(-1)!;
  const value = best === undefined ? 0 : heldRateOf(best) * operations;
  return {
    measure: `ops-${operations}`,
    value,
    unit: "operations/s",
    limit,
    ratio: value / limit.value,
    ...(peer === undefined ? {} : { peer: { name: "CometBFT kvstore", value: peer.perSecond }, speedup: value / peer.perSecond }),
    conditions: {
      counted: "operations committed, anchorRecord, open loop at four nodes",
      envelope: operations,
      held: best === undefined ? `no rate with p99 < ${HELD_P99_MS} ms` : `p99 < ${HELD_P99_MS} ms`,
      offeredPerSecond: Math.round(shown.offeredPerSecond * operations),
      untilLastPerSecond: Math.round(rateOf(shown) * operations),
      ...milliseconds(shown.latencies),
      blocksPerSecond: rounded(shown.blocksAt.length / shown.seconds, 2),
      closedLoopPerSecond: Math.round(pilot * operations),
      tries: all.length,
      validators: VALIDATORS,
      cores: availableParallelism(),
      cpuPer1000Operations: rounded((totalOf(shown.cpu) / (shown.committed * operations)) * 1_000),
      verifyPerSecond: Math.round(verify),
    },
    samples: [...shown.latencies],
  };
}

/** `ops-16-capacity`. One validator with two cores of its own: its share of the CPU seconds on two cores, or its busiest thread on one, whichever is less. */
export function capacityMeasure(trial: Trial, verify: number): Measure {
  const operations = trial.committed * trial.operations * VALIDATORS;
  const perOperation = { all: totalOf(trial.cpu) / operations, main: trial.cpu.mainThread / operations };
  return {
    measure: "ops-16-capacity",
    value: Math.min(2 / perOperation.all, 1 / perOperation.main),
    unit: "operations/s",
    conditions: {
      counted:
        "derived, not measured: two cores over CPU seconds an operation of one validator, at most one core over its main thread's",
      cpuMicroseconds: rounded(perOperation.all * 1e6),
      mainThreadMicroseconds: rounded(perOperation.main * 1e6),
      verifyPerSecond: Math.round(verify),
    },
  };
}

/** `overload`: what is committed of a load that is too high, and that blocks go on. */
export function overloadMeasure(trial: Trial, held: number, mempool: number): Measure {
  const value = rateOf(trial);
  const gaps = trial.blocksAt.map((at, i) => at - (trial.blocksAt[i - 1] ?? trial.startAt));
  return {
    measure: "overload",
    value,
    unit: "tx/s",
    limit: { name: "ops-1 held", value: held },
    ratio: value / held,
    conditions: {
      offeredPerSecond: Math.round(trial.offeredPerSecond),
      turnedAwayToRetry: trial.turnedAway,
      committed: trial.committed,
      mempoolTransactions: mempool,
      blocks: trial.blocksAt.length,
      longestGapMs: Math.round(Math.max(...gaps)),
      ...milliseconds(trial.latencies),
    },
  };
}

/** `cpu-per-1000` of single-operation transactions, by what used it: processes and threads as measured, the main thread as profiled. */
export function cpuMeasure(
  trial: Trial,
  idle: Cpu,
  shares: Readonly<Record<string, number>>,
  verify: number,
  peer: PeerFigures | undefined,
): Measure {
  const per = (seconds: number): number => rounded((seconds / trial.committed) * 1_000);
  const value = (totalOf(trial.cpu) / trial.committed) * 1_000;
  const { cometbft, signatures, mainThread, database, runtime, load } = trial.cpu;
  const busy = Math.max(0, mainThread - idle.mainThread);
  const parts = Object.fromEntries(Object.entries(shares).map(([part, share]) => [`node:${part}`, per(busy * share)]));
  return {
    measure: "cpu-per-1000",
    value,
    unit: "CPU s",
    ...(peer === undefined
      ? {}
      : { peer: { name: "CometBFT kvstore", value: peer.cpuPer1000 }, speedup: peer.cpuPer1000 / value }),
    conditions: {
      counted: "1,000 transactions of one operation, all processes of four validators; signing and pacing the load excluded",
      perSecond: Math.round(rateOf(trial)),
      cometbft: per(cometbft - idle.cometbft),
      signatures: per(signatures - idle.signatures),
      ...parts,
      database: per(database - idle.database),
      v8Threads: per(runtime - idle.runtime),
      idlePolling: per(totalOf(idle)),
      idleCoresPerValidator: rounded(totalOf(idle) / trial.seconds / VALIDATORS, 2),
      loadExcluded: per(load),
      verifyPerSecond: Math.round(verify),
    },
  };
}

const milliseconds = (samples: readonly number[]): Record<string, number> =>
  samples.length === 0
    ? {}
    : Object.fromEntries(Object.entries(latency(samples)).map(([name, value]) => [`${name}Ms`, Math.round(value)]));
