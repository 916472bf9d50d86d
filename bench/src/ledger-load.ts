/**
 * The thread that makes the load: signs transactions before they are needed, and says when each is due. It measures nothing; what CPU it used
 * is reported beside the figures.
 */
import { parentPort, workerData } from "node:worker_threads";
import { type Kind, transaction } from "./ledger-chain.ts";

/** What the measured thread asks for. */
export type LoadRequest =
  | {
      readonly make: Kind;
      readonly from: number;
      readonly count: number;
      readonly patients: number;
      /** Of a transaction that holds records; 1 if absent. */
      readonly operations?: number;
    }
  /** From `startAt` on the common clock on, at once if absent; what is due is told every `everyMs`, 1 if absent. */
  | {
      readonly pace: { readonly perSecond: number; readonly count: number; readonly startAt?: number; readonly everyMs?: number };
    };
/** What it gets: packed transactions with where each ends; or how many are due by now, counted from `start` on the common clock. */
export type LoadAnswer =
  | { readonly packed: Uint8Array<ArrayBuffer>; readonly ends: Float64Array<ArrayBuffer>; readonly cpuSeconds: number }
  | { readonly due: number; readonly start: number; readonly cpuSeconds: number };

const port = parentPort!;
const { chain } = workerData as { chain: string };
const cpuSeconds = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1e6;
};

function make({ make: kind, from, count, patients, operations }: Extract<LoadRequest, { make: Kind }>): void {
  const all = Array.from({ length: count }, (_, i) => transaction(chain, kind, from + i, patients, operations));
  const packed = new Uint8Array(all.reduce((sum, one) => sum + one.length, 0));
  const ends = new Float64Array(count);
  let at = 0;
  for (const [i, one] of all.entries()) {
    packed.set(one, at);
    at += one.length;
    ends[i] = at;
  }
  port.postMessage({ packed, ends, cpuSeconds: cpuSeconds() } satisfies LoadAnswer, [packed.buffer, ends.buffer]);
}

function pace({ perSecond, count, startAt, everyMs = 1 }: Extract<LoadRequest, { pace: unknown }>["pace"]): void {
  const start = startAt ?? performance.timeOrigin + performance.now();
  let told = 0;
  const timer = setInterval(() => {
    const passed = performance.timeOrigin + performance.now() - start;
    const due = Math.min(count, Math.floor((passed * perSecond) / 1_000));
    if (due > told) port.postMessage({ due, start, cpuSeconds: cpuSeconds() } satisfies LoadAnswer);
    told = due;
    if (due === count) clearInterval(timer);
  }, everyMs);
}

port.on("message", (request: LoadRequest) => {
  if ("make" in request) make(request);
  else pace(request.pace);
});
