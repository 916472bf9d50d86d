/**
 * One node of the network that is measured, in a process of its own, as every member runs it: a ledger on CometBFT. Its load is signed beforehand
 * on a thread of its own, whose CPU time is told apart, and submitted here.
 */

import { type CometbftLedger, type CometbftLedgerOptions, openCometbftLedger } from "@xinglin/cometbft";
import { decodeTransaction } from "@xinglin/contracts";
import { Fault, invariant } from "@xinglin/primitives";
import type { Kind } from "./ledger-chain.ts";
import { Load, onCommonClock } from "./load.ts";
import { Profile, type Shares } from "./network-profile.ts";

/** What is asked of a node, one question at a time; each is answered by the answer of the same name, or by `failed`. */
export type NodeQuestion =
  /** Numbers of its load begin at `first`. */
  | { readonly ask: "open"; readonly options: CometbftLedgerOptions; readonly first: number }
  /** Signs what `pace` or `drive` will send. */
  | { readonly ask: "make"; readonly kind: Kind; readonly count: number; readonly operations: number; readonly patients: number }
  /** Sends at this rate, from `startAt` on the common clock on, whatever becomes of it. */
  | { readonly ask: "pace"; readonly perSecond: number; readonly startAt: number }
  /** Keeps so many on the way, for so long. */
  | { readonly ask: "drive"; readonly window: number; readonly milliseconds: number }
  | { readonly ask: "tip" }
  | { readonly ask: "profile"; readonly on: boolean }
  | { readonly ask: "close" };

export interface NodeAnswers {
  readonly open: { readonly enginePid: number };
  readonly make: object;
  readonly pace: Sent;
  readonly drive: Sent;
  readonly tip: {
    readonly height: number;
    readonly entries: number;
    readonly block: Uint8Array;
    readonly loadCpuSeconds: number;
  };
  readonly profile: Shares;
  readonly close: object;
}

/** What became of what one node sent. Times are milliseconds on the common clock. */
export interface Sent {
  /** From when each transaction was due until it was committed. */
  readonly latencies: Float64Array;
  readonly committedAt: Float64Array;
  /** Turned away with "try again later". */
  readonly turnedAway: number;
  /** When each block came meanwhile. */
  readonly blocksAt: Float64Array;
}

/** What is due is told in steps: a timer of each node for every millisecond would cost more than it tells. */
const STEP_MS = 4;

let ledger: CometbftLedger | undefined;
let load: Load | undefined;
let profile: Profile | undefined;
let made: Uint8Array[] = [];

const open = (): CometbftLedger => {
  invariant(ledger !== undefined, "network node: not open");
  return ledger;
};

/** Watches blocks, and collects what becomes of transactions. */
function collector(): { send: (transaction: Uint8Array, dueAt: number) => Promise<void>; done: () => Sent } {
  const latencies: number[] = [];
  const committedAt: number[] = [];
  const blocksAt: number[] = [];
  let turnedAway = 0;
  const stop = open().subscribe(() => blocksAt.push(onCommonClock()));
  return {
    send: async (transaction, dueAt) => {
      try {
        const { id } = await open().submit(transaction);
        const { results } = await open().receipt(id, "committed");
        const now = onCommonClock();
        const refused = results.find(({ outcome }) => outcome !== "accepted");
        invariant(refused === undefined, `an operation of the load was refused: ${refused?.code}`);
        latencies.push(now - dueAt);
        committedAt.push(now);
      } catch (error) {
        if (!(error instanceof Fault && error.retry)) throw error;
        turnedAway++;
      }
    },
    done: () => {
      stop();
      const [a, b, c] = [latencies, committedAt, blocksAt].map((list) => Float64Array.from(list)) as [
        Float64Array,
        Float64Array,
        Float64Array,
      ];
      return { latencies: a, committedAt: b, blocksAt: c, turnedAway };
    },
  };
}

async function pace({ perSecond, startAt }: Extract<NodeQuestion, { ask: "pace" }>): Promise<Sent> {
  const { send, done } = collector();
  const all: Promise<void>[] = [];
  const transactions = made;
  const pacing = { perSecond, count: transactions.length, startAt, everyMs: STEP_MS };
  await load?.pace(pacing, (i, dueAt) => all.push(send(transactions[i]!, dueAt)));
  await Promise.all(all);
  return done();
}

async function drive({ window, milliseconds }: Extract<NodeQuestion, { ask: "drive" }>): Promise<Sent> {
  const { send, done } = collector();
  const end = onCommonClock() + milliseconds;
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < made.length && onCommonClock() < end) await send(made[next++]!, onCommonClock());
  };
  await Promise.all(Array.from({ length: window }, one));
  return done();
}

/** One answer to each question. */
const answers: { [Name in keyof NodeAnswers]: (question: Extract<NodeQuestion, { ask: Name }>) => Promise<NodeAnswers[Name]> } = {
  open: async ({ options, first }) => {
    ledger = await openCometbftLedger(options);
    load = new Load(ledger.chainId, 0, first);
    return { enginePid: ledger.engine.pid ?? 0 };
  },
  make: async ({ kind, count, operations, patients }) => {
    invariant(load !== undefined, "network node: not open");
    load.patients = patients;
    made = await load.make(kind, count, operations);
    invariant(made.length === 0 || decodeTransaction(made[0]!).body.chain === open().chainId, "network node: another chain");
    return {};
  },
  pace,
  drive,
  tip: async () => ({
    height: open().height(),
    entries: open().entryCount(),
    block: open().newestLightBlock(),
    loadCpuSeconds: load?.cpuSeconds ?? 0,
  }),
  profile: async ({ on }) => {
    if (on) {
      profile = await Profile.start();
      return { seconds: 0, shares: {} };
    }
    invariant(profile !== undefined, "network node: no profile");
    return profile.stop();
  },
  close: async () => {
    await load?.close();
    await ledger?.close();
    return {};
  },
};

process.on("message", async (question: NodeQuestion) => {
  try {
    const answer = await (answers[question.ask] as (asked: NodeQuestion) => Promise<object>)(question);
    process.send?.({ [question.ask]: answer });
  } catch (error) {
    process.send?.({ failed: error instanceof Error ? `${(error as Fault).code ?? ""} ${error.stack}` : String(error) });
  }
  if (question.ask === "close") process.disconnect();
});

// Whoever measures has gone: nothing goes on behind its back. CometBFT ends with its connections.
process.once("disconnect", () => process.exit(0));
