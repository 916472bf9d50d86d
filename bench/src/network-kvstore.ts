/**
 * The peer: CometBFT's own example application in Go under the same network settings, with transactions of the same size, without signatures, rules
 * or state proofs. Load comes over its RPC in batches, which is how it takes any.
 */
import { randomBytes } from "node:crypto";
import { type KvstoreNetwork, kvstoreNetwork } from "@xinglin/cometbft/testing/kvstore";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { genesisBytes } from "./ledger-chain.ts";
import { onCommonClock } from "./load.ts";
import { cpuSecondsOf, latency, type Measure } from "./measure.ts";
import type { Cpu } from "./network-cpu.ts";
import type { Trial } from "./network-nodes.ts";
import { heldRateOf, type Loadable, search } from "./network-rates.ts";

/** What ours is held against. */
export interface PeerFigures {
  /** Transactions a second held. */
  readonly perSecond: number;
  readonly cpuPer1000: number;
}

const VALIDATORS = 4;
/** Bytes of our transactions of one operation. */
const TRANSACTION_BYTES = 706;
const MEMPOOL = 20_000;
const STEP_MS = 10;
const GIVE_UP_MS = 20_000;

export async function measureKvstore({
  binary,
  directory,
  emit,
}: {
  readonly binary: string;
  readonly directory: string;
  readonly emit: (measure: Measure) => void;
}): Promise<PeerFigures> {
  const seeds = Array.from({ length: VALIDATORS }, () => new Uint8Array(randomBytes(32)));
  const genesis = genesisBytes(seeds.map((seed) => nodeEd25519Signer(seed).publicKey));
  const options = { binary, directory, genesis, seeds, maxTransactionBytes: 4_194_304, mempoolCount: MEMPOOL };
  const network = await kvstoreNetwork(options);
  try {
    const load = new KvstoreLoad(network);
    const found = await search(load, { operations: 1, guess: 6_000, pilotSeconds: 4, trialSeconds: 8, trials: 4 });
    const shown = found.best ?? found.all.at(-1)!;
    const perSecond = found.best === undefined ? 0 : heldRateOf(found.best);
    const cpuPer1000 = (shown.cpu.cometbft / shown.committed) * 1_000;
    const { p50, p99, p999, max } = latency(shown.latencies);
    emit({
      measure: "kvstore",
      value: perSecond,
      unit: "tx/s",
      conditions: {
        counted: "transactions of CometBFT's own kvstore in Go: no signatures, no rules, no state proofs",
        bytes: TRANSACTION_BYTES,
        cpuPer1000: Number(cpuPer1000.toPrecision(3)),
        p50Ms: Math.round(p50),
        p99Ms: Math.round(p99),
        p999Ms: Math.round(p999),
        maxMs: Math.round(max),
        blocksPerSecond: Number((shown.blocksAt.length / shown.seconds).toPrecision(2)),
        closedLoopPerSecond: Math.round(found.pilot),
        validators: VALIDATORS,
        mempool: "flood",
      },
      samples: [...shown.latencies],
    });
    return { perSecond, cpuPer1000 };
  } finally {
    await network.stop();
  }
}

const numberOf = (transaction: Uint8Array): number => Number(Buffer.from(transaction.subarray(1, 13)).toString("latin1"));

/** Sends `key=value` at all nodes, and looks at each block of the first for what came through. */
class KvstoreLoad implements Loadable {
  readonly #network: KvstoreNetwork;
  #next = 0;
  #made: Uint8Array[] = [];

  constructor(network: KvstoreNetwork) {
    this.#network = network;
  }

  get size(): number {
    return this.#network.nodes.length;
  }

  async make(_kind: "record", perNode: number): Promise<void> {
    this.#made = Array.from({ length: Math.ceil(perNode) * this.size }, () => {
      const key = `k${String(this.#next++).padStart(12, "0")}=`;
      return new TextEncoder().encode(key.padEnd(TRANSACTION_BYTES, "v"));
    });
  }

  pace(perSecond: number): Promise<Trial> {
    const due = (passedMs: number): number => Math.floor((passedMs * perSecond) / 1_000);
    return this.#trial(perSecond, due, (i) => (i * 1_000) / perSecond);
  }

  /** `window` on the way on each node. */
  drive(window: number, milliseconds: number): Promise<Trial> {
    const due = (passedMs: number, committed: number): number => (passedMs > milliseconds ? 0 : committed + window * this.size);
    return this.#trial(0, due, undefined);
  }

  async #trial(
    offeredPerSecond: number,
    due: (passedMs: number, committed: number) => number,
    dueMs: ((index: number) => number) | undefined,
  ): Promise<Trial> {
    const made = this.#made;
    const { nodes } = this.#network;
    const [watched] = nodes;
    const first = made.length === 0 ? 0 : numberOf(made[0]!);
    const pids = nodes.map(({ pid }) => pid ?? 0);
    const cpuBefore = cpuSecondsOf(pids);
    const startAt = onCommonClock();
    const dueAt = new Map<number, number>();
    const latencies: number[] = [];
    const committedAt: number[] = [];
    const blocksAt: number[] = [];
    let [sent, turnedAway, seen] = [0, 0, await watched!.height()];
    let lastProgress = startAt;
    const sending: Promise<void>[] = [];
    for (;;) {
      const passed = onCommonClock() - startAt;
      const until = Math.min(made.length, due(passed, committedAt.length));
      for (const [index, node] of nodes.entries()) {
        const batch = made.slice(sent, Math.max(sent, until)).filter((_, i) => (sent + i) % nodes.length === index);
        if (batch.length > 0)
          sending.push(
            node.submit(batch).then((away) => {
              turnedAway += away;
            }),
          );
      }
      for (; sent < until; sent++) dueAt.set(first + sent, startAt + (dueMs?.(sent) ?? passed));
      for (const height = await watched!.height(); seen < height; ) {
        const transactions = await watched!.block(++seen);
        const now = onCommonClock();
        blocksAt.push(now);
        for (const transaction of transactions) {
          const at = dueAt.get(numberOf(transaction));
          if (at === undefined) continue;
          latencies.push(now - at);
          committedAt.push(now);
          lastProgress = now;
        }
      }
      const isOver = until === made.length || (dueMs === undefined && due(passed, 0) === 0);
      if (isOver && committedAt.length + turnedAway >= sent) break;
      if (onCommonClock() - Math.max(lastProgress, startAt) > GIVE_UP_MS) break;
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
    await Promise.all(sending);
    const cpu: Cpu = { cometbft: cpuSecondsOf(pids) - cpuBefore, signatures: 0, mainThread: 0, database: 0, runtime: 0, load: 0 };
    const seconds = ((committedAt.at(-1) ?? onCommonClock()) - startAt) / 1_000;
    const committed = committedAt.length;
    return { operations: 1, offeredPerSecond, committed, turnedAway, seconds, latencies, committedAt, blocksAt, startAt, cpu };
  }
}
