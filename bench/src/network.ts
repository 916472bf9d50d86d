/**
 * Four validators on CometBFT on this machine's cores, each a Node process and a CometBFT process, under an open loop of signed transactions that are
 * submitted at all four. What is counted: operations, each of which anchors a record. Durable as in operation: every block is synced by every node.
 * Source: requirements A3, A4; docs/internals/cometbft.md, "Where the time goes".
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureEngine } from "@xinglin/cometbft";
import { chainIdOf } from "@xinglin/contracts";
import { Fault } from "@xinglin/primitives";
import { RECORDS_A_BATCH } from "./ledger-chain.ts";
import { Load, verifyRate } from "./load.ts";
import type { Measure, Suite } from "./measure.ts";
import { totalOf } from "./network-cpu.ts";
import { measureGrowth } from "./network-growth.ts";
import { measureKvstore, type PeerFigures } from "./network-kvstore.ts";
import { capacityMeasure, cpuMeasure, overloadMeasure, rateMeasure, scaled, VALIDATORS } from "./network-measures.ts";
import { Network, type Trial } from "./network-nodes.ts";
import { drive, type Found, HELD_P99_MS, pace, rateOf, search } from "./network-rates.ts";

/** Assumed for the estimate of energy: a server's power divided by its cores, at full load. */
const WATTS_A_CORE = 10;
const MEASURES = ["ops-1", "ops-16", "ops-64", "ops-16-capacity", "overload", "cpu-per-1000", "joules-per-record"] as const;

/** How long things are measured, seconds; `guess` are transactions a second that are signed for the closed loop. */
const LENGTHS = {
  quick: { patients: 4_000, pilot: 1.5, trial: 3, trials: 2, idle: 1.5, overload: 4, profile: 2, mempool: 3_000 },
  full: { patients: 20_000, pilot: 4, trial: 8, trials: 4, idle: 5, overload: 12, profile: 5, mempool: 6_000 },
} as const;
const GUESSES = { 1: 2_500, 16: 500, 64: 150 } as const;
type Envelope = keyof typeof GUESSES;

/** Measures `ops-1`, `ops-16`, `ops-64`, `ops-16-capacity`, `overload`, `cpu-per-1000`, `joules-per-record`; in full also the peer and growth. */
export const run: Suite = (options) => runWith(ensureEngine, options);

/** The same with another way to an engine. */
export async function runWith(engine: () => Promise<string>, { quick, emit }: Parameters<Suite>[0]): Promise<void> {
  const binary = await engine().catch((error: unknown) => {
    if (error instanceof Fault && error.code === "go_missing") return undefined;
    throw error;
  });
  if (binary === undefined) {
    const skipped = "CometBFT is not built and there is no Go to build it: install Go 1.25 or newer from https://go.dev/dl";
    for (const measure of MEASURES) emit({ measure, skipped });
    return;
  }
  const directory = await mkdtemp(join(tmpdir(), "xinglin-bench-network-"));
  try {
    const peer = quick ? undefined : await measureKvstore({ binary, directory: join(directory, "kvstore"), emit });
    if (peer === undefined) emit({ measure: "kvstore", skipped: "a peer: leave --quick out" });
    await measureOurs({ binary, directory: join(directory, "ours"), quick, emit, peer });
    if (quick) emit({ measure: "growth", skipped: "takes minutes: leave --quick out" });
    else await measureGrowth({ binary, directory: join(directory, "growth"), emit });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

interface Ours {
  readonly binary: string;
  readonly directory: string;
  readonly quick: boolean;
  readonly emit: (measure: Measure) => void;
  readonly peer: PeerFigures | undefined;
}

async function measureOurs({ binary, directory, quick, emit, peer }: Ours): Promise<void> {
  const lengths = quick ? LENGTHS.quick : LENGTHS.full;
  const optionsOf = () => ({ mempool: { maxBytes: 64 * 1024 * 1024, maxCount: lengths.mempool } });
  const network = await Network.start({ binary, directory, validators: VALIDATORS, patients: lengths.patients, optionsOf });
  try {
    const yardstick = await verifyYardstick(network.genesis);
    // The first seconds of four new processes compile code: they are nobody's figure.
    await drive(network, 16, GUESSES[16], 2 * lengths.pilot);
    const idle = await network.idle(lengths.idle * 1_000);
    const found = new Map<Envelope, Found>();
    // The smallest last: what is compiled by then is the same for all.
    for (const operations of [64, 16, 1] as const) {
      const { pilot: pilotSeconds, trial: trialSeconds, trials } = lengths;
      const one = await search(network, { operations, guess: GUESSES[operations], pilotSeconds, trialSeconds, trials });
      found.set(operations, one);
      emit(rateMeasure(operations, one, yardstick, operations === 1 ? peer : undefined));
    }
    const sixteen = found.get(16)?.best;
    if (sixteen === undefined) emit({ measure: "ops-16-capacity", skipped: `no rate with p99 < ${HELD_P99_MS} ms was found` });
    else emit(capacityMeasure(sixteen, yardstick));

    const held = found.get(1)?.best ?? found.get(1)!.all.at(-1)!;
    const overload = await pace(network, 1, 2 * rateOf(held), lengths.overload);
    emit(overloadMeasure(overload, rateOf(held), lengths.mempool));

    // The profiled round is apart: sampling costs time.
    const profiled = rateOf(held) * 0.8;
    await network.make("record", (profiled * lengths.profile) / VALIDATORS);
    const profile = await network.profile(0, () => network.pace(profiled));
    emit(cpuMeasure(held, scaled(idle, held.seconds / lengths.idle), profile.shares, yardstick, peer));
    for (const one of await energyMeasures(network, held, lengths.profile)) emit(one);
    await network.checkEqual();
  } finally {
    await network.stop();
  }
}

/** Ed25519 verifications a second on one core of this machine, now. */
async function verifyYardstick(genesis: Uint8Array): Promise<number> {
  const load = new Load(chainIdOf(genesis), 2_000);
  try {
    const transactions = await load.make("record", 1_000);
    return Math.max(verifyRate(transactions), verifyRate(transactions), verifyRate(transactions));
  } finally {
    await load.close();
  }
}

async function energyMeasures(network: Network, held: Trial, seconds: number): Promise<Measure[]> {
  const perSecond = rateOf(held) / 2;
  await network.make("batch", (perSecond * seconds) / network.size);
  const anchors = await network.pace(perSecond);
  const estimate = { estimate: "CPU seconds of all validators x a stated wattage", wattsACore: WATTS_A_CORE };
  const joules = (trial: Trial, records: number): number => (totalOf(trial.cpu) * WATTS_A_CORE) / (trial.committed * records);
  const unit = "J";
  return [
    {
      measure: "joules-per-record",
      value: joules(held, 1),
      unit,
      conditions: { ...estimate, counted: "records anchored one by one" },
    },
    {
      measure: "joules-per-batched-record",
      value: joules(anchors, RECORDS_A_BATCH),
      unit,
      conditions: {
        ...estimate,
        counted: `records under anchors of ${RECORDS_A_BATCH}; their trees are built by the source before`,
      },
    },
  ];
}
