/**
 * The solo ledger under a load of signed transactions: durable (every block synced), audit log on, 10^5 patients in the state. The load is
 * signed beforehand on a thread of its own. What is counted: `signed-tx` transactions of one operation (anchoring one record),
 * `batch-records` records under batch anchors.
 *
 * Latencies are open loop: each transaction has a time at which it is due, whatever the ledger is doing, and its latency counts from then.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chainIdOf, decodeTransaction } from "@xinglin/contracts";
import { type Ledger, openLedger } from "@xinglin/ledger";
import { Fault, invariant } from "@xinglin/primitives";
import { FILLING_OPERATIONS, genesisBytes, keyOf, RECORDS_A_BATCH } from "./ledger-chain.ts";
import { measureHttp } from "./ledger-http.ts";
import { Load, onCommonClock, verifyRate } from "./load.ts";
import { best, interleave, latency, median, type Suite } from "./measure.ts";

const PATIENTS = 100_000;
/** Of the throughput that was measured, this share is sent when latencies are. */
const LATENCY_SHARE = 0.8;
/** Transactions on their way when throughput is measured: enough for full blocks, far from what the mempool holds. */
const WINDOW = 8_000;
/** Of these, so many have not been taken into the mempool yet; of large ones as many as a member may have verified at a time, 8 MB. */
const SUBMITTING = 500;
const SUBMITTING_BYTES = 4 * 1024 * 1024;

/** Sends everything, `WINDOW` on the way at a time, and waits until all is committed. Returns seconds. */
async function drive(ledger: Ledger, transactions: readonly Uint8Array[], operations = 1): Promise<number> {
  const start = performance.now();
  const before = ledger.entryCount();
  const most = Math.max(1, Math.min(SUBMITTING, Math.floor(SUBMITTING_BYTES / (transactions[0]?.length ?? 1))));
  let sent = 0;
  let submitting = 0;
  await new Promise<void>((resolve, reject) => {
    const committed = (): number => (ledger.entryCount() - before) / operations;
    const more = (): void => {
      while (sent < transactions.length && submitting < most && sent - committed() < WINDOW) {
        submitting++;
        ledger.submit(transactions[sent++]!).then(() => {
          submitting--;
          more();
        }, reject);
      }
    };
    const stop = ledger.subscribe(() => {
      more();
      if (committed() < transactions.length) return;
      stop();
      resolve();
    });
    more();
  });
  return (performance.now() - start) / 1_000;
}

/** Throws unless the last entries of the log are what was asked for, accepted, and the last proves itself. */
async function check(ledger: Ledger, last: Uint8Array): Promise<void> {
  const { id } = decodeTransaction(last);
  const { results } = await ledger.receipt(id, "provable");
  invariant(
    results.every(({ outcome }) => outcome === "accepted"),
    `an operation of the load was refused: ${results[0]?.code}`,
  );
  invariant(ledger.proveEntry(results[0]!.sequence).path.length > 0, "an entry of the load has no proof");
}

/** Latencies of an open loop at `perSecond`, in milliseconds from when each transaction was due. */
async function openLoop(
  ledger: Ledger,
  load: Load,
  transactions: readonly Uint8Array[],
  perSecond: number,
): Promise<{ committed: number[]; provable: number[]; turnedAway: number; latestSendMs: number }> {
  const committed: number[] = [];
  const provable: number[] = [];
  let turnedAway = 0;
  let latestSendMs = 0;
  const all: Promise<void>[] = [];
  const one = async (transaction: Uint8Array, dueAt: number): Promise<void> => {
    latestSendMs = Math.max(latestSendMs, onCommonClock() - dueAt);
    try {
      const { id } = await ledger.submit(transaction);
      await ledger.receipt(id, "committed");
      committed.push(onCommonClock() - dueAt);
      await ledger.receipt(id, "provable");
      provable.push(onCommonClock() - dueAt);
    } catch (error) {
      if (!(error instanceof Fault && error.retry)) throw error;
      turnedAway++;
    }
  };
  await load.pace({ perSecond, count: transactions.length }, (i, dueAt) => all.push(one(transactions[i]!, dueAt)));
  await Promise.all(all);
  return { committed, provable, turnedAway, latestSendMs };
}

/** How many times what the ledger can do is sent when it is overloaded. */
const OVERLOAD = 2;
/** Transactions that warm up, and tell about how fast the machine is. */
const PILOT = 4_000;

const inMilliseconds = (samples: readonly number[]): Record<"p50" | "p99" | "p999" | "max", number> => {
  const { p50, p99, p999, max } = latency(samples);
  const [a, b, c, d] = [p50, p99, p999, max].map((value) => Math.round(value * 10) / 10) as [number, number, number, number];
  return { p50: a, p99: b, p999: c, max: d };
};

/** Measures `signed-tx`, `finality`, `provable`, `overload`, `batch-records` and `signed-tx-http`. */
export const run: Suite = async ({ quick, emit }) => {
  const directory = await mkdtemp(join(tmpdir(), "xinglin-bench-ledger-"));
  const genesis = genesisBytes();
  const load = new Load(chainIdOf(genesis), PATIENTS);
  const validator = { publicKey: keyOf("validator").publicKey, sign: (bytes: Uint8Array) => keyOf("validator").signSync(bytes) };
  const ledger = await openLedger({ directory, genesis, validator });
  try {
    const filling = await load.make("patients", PATIENTS / FILLING_OPERATIONS);
    const fillSeconds = await drive(ledger, filling, FILLING_OPERATIONS);
    await check(ledger, filling.at(-1)!);

    const rounds = quick ? 3 : 5;
    const verified = await load.make("record", PILOT);
    // How much is sent follows from how fast this machine is, so that a quick run ends in its time.
    const pilot = PILOT / (await drive(ledger, verified));
    const perRound = Math.ceil(pilot * (quick ? 1.5 : 6));
    let usedCpu = 0;
    let usedSeconds = 0;
    const figures = await interleave(rounds, {
      verify: () => verifyRate(verified),
      ours: async () => {
        const transactions = await load.make("record", perRound);
        const cpu = process.cpuUsage();
        const seconds = await drive(ledger, transactions);
        const { user, system } = process.cpuUsage(cpu);
        usedCpu += (user + system) / 1e6;
        usedSeconds += seconds;
        await check(ledger, transactions.at(-1)!);
        return perRound / seconds;
      },
    });
    const perSecond = median(figures.ours);
    const limit = best(figures.verify);
    const cpu = {
      cpuPerTxMicroseconds: Math.round((usedCpu * 1e6) / (rounds * perRound)),
      coresUsed: Number((usedCpu / usedSeconds).toFixed(2)),
    };
    emit({
      measure: "signed-tx",
      value: perSecond,
      unit: "tx/s",
      limit: { name: "Ed25519 verify, one core", value: limit },
      ratio: perSecond / limit,
      conditions: {
        counted: "transactions of one operation (anchorRecord)",
        keys: PATIENTS,
        bytes: verified[0]!.length,
        window: WINDOW,
        ...cpu,
        fillOperationsPerSecond: Math.round(PATIENTS / fillSeconds),
      },
      samples: figures.ours,
    });

    const rate = Math.floor(perSecond * LATENCY_SHARE);
    const timed = await load.make("record", rate * (quick ? 5 : 30));
    const loadCpu = load.cpuSeconds;
    const { committed, provable, turnedAway, latestSendMs } = await openLoop(ledger, load, timed, rate);
    const held = turnedAway === 0;
    const conditions = {
      perSecond: rate,
      share: LATENCY_SHARE,
      transactions: timed.length,
      held: held ? "yes" : `no: ${turnedAway} turned away`,
      latestSendMs: Math.round(latestSendMs),
      loadCpuSeconds: Number((load.cpuSeconds - loadCpu).toFixed(2)),
    };
    for (const [measure, samples] of [
      ["finality", committed],
      ["provable", provable],
    ] as const) {
      const percentiles = inMilliseconds(samples);
      emit({
        measure,
        value: percentiles.p99,
        unit: "ms p99",
        conditions: { ...percentiles, ...conditions },
        samples: [...samples],
      });
    }

    const offered = Math.ceil(perSecond * OVERLOAD);
    const crowd = await load.make("record", offered * (quick ? 3 : 10));
    const before = ledger.entryCount();
    const crowdStart = onCommonClock();
    const overload = await openLoop(ledger, load, crowd, offered);
    const crowdSeconds = (onCommonClock() - crowdStart) / 1_000;
    const { p50, p99 } = inMilliseconds(overload.committed);
    emit({
      measure: "overload",
      value: (ledger.entryCount() - before) / crowdSeconds,
      unit: "tx/s",
      limit: { name: "signed-tx", value: perSecond },
      ratio: (ledger.entryCount() - before) / crowdSeconds / perSecond,
      conditions: {
        offeredPerSecond: offered,
        offered: crowd.length,
        turnedAwayToRetry: overload.turnedAway,
        finalityP50: p50,
        finalityP99: p99,
      },
    });

    const anchors = await load.make("batch", Math.ceil(perSecond * (quick ? 1 : 5)));
    const anchorSeconds = await drive(ledger, anchors);
    await check(ledger, anchors.at(-1)!);
    emit({
      measure: "batch-records",
      value: (anchors.length * RECORDS_A_BATCH) / anchorSeconds,
      unit: "records/s",
      conditions: {
        counted: "records under anchors; their trees are built by the source before",
        recordsPerAnchor: RECORDS_A_BATCH,
        anchorsPerSecond: Math.round(anchors.length / anchorSeconds),
      },
    });

    await measureHttp({ ledger, quick, emit, patients: PATIENTS, from: load.made("record"), inProcess: perSecond });
  } finally {
    await load.close();
    await ledger.close();
    await rm(directory, { recursive: true, force: true });
  }
};
