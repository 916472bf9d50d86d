/**
 * Work off the main thread: a worker takes one task at a time, opens stores and files itself and moves nothing big between threads.
 * Idle workers are kept for a while, since starting one takes half a second of CPU, and do not keep the process alive.
 */
import { availableParallelism } from "node:os";
import { type Transferable, Worker } from "node:worker_threads";
import { Fault } from "@xinglin/primitives";
import type { TaskInput, TaskName, TaskOutput } from "./tasks.ts";

/** What the caller of a long operation may pass. */
export interface WorkOptions {
  /** Called as work proceeds, with bytes of the object done and in all. */
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
  /** Stops the work at the next stripe: `aborted`. */
  readonly signal?: AbortSignal;
}

/** What a worker says. A fault crosses threads as its parts, anything else as the error it is. */
export type WorkerMessage =
  | { readonly type: "progress"; readonly done: number; readonly total: number }
  | { readonly type: "result"; readonly output: unknown }
  | { readonly type: "fault"; readonly code: string; readonly facts: Fault["facts"]; readonly retry: boolean }
  | { readonly type: "bug"; readonly error: unknown };

/** What a worker is told. `stop` becomes 1 when the caller no longer wants the result. */
export interface WorkerOrder {
  readonly task: TaskName;
  readonly input: unknown;
  readonly stop: Int32Array;
}

/** Workers at once, as long as nobody streams: more would only share the same cores and disks. */
const MAX_BUSY = Math.max(2, availableParallelism());

/**
 * A worker makes little that lives long. Left alone, its young generation grows with the hours at work, up to 48 MB; kept small, memory is
 * the same for 200 MB and 2 GB.
 */
const WORKER_LIMITS = { maxYoungGenerationSizeMb: 1 };

/** Idle workers that are kept, and for how long: a gateway that is asked for a few ranges at once would start them anew all the time. */
const MAX_IDLE = Math.min(4, MAX_BUSY);
const IDLE_MS = 60_000;

const idle: { readonly worker: Worker; readonly timer: NodeJS.Timeout }[] = [];
const waiting: (() => void)[] = [];
let busy = 0;

/** Runs one task in a worker. Faults: the task's, `aborted`, `worker_died`. */
export async function runTask<Name extends TaskName>(
  task: Name,
  input: TaskInput<Name>,
  options: WorkOptions = {},
  transfer: readonly Transferable[] = [],
): Promise<TaskOutput<Name>> {
  const { onProgress, signal } = options;
  if (signal?.aborted === true) throw new Fault("aborted");
  const stop = new Int32Array(new SharedArrayBuffer(4));
  const abort = (): void => void Atomics.store(stop, 0, 1);
  signal?.addEventListener("abort", abort, { once: true });
  // A stream lasts as long as its reader likes, who may ask for other work meanwhile: it takes no one's turn.
  const takesTurn = task !== "streamObject";
  if (takesTurn) await myTurn();
  try {
    const worker = await takeWorker();
    worker.ref();
    let alive = true;
    return await new Promise<TaskOutput<Name>>((resolve, reject) => {
      const died = (cause?: unknown): void => {
        alive = false;
        reject(new Fault("worker_died", {}, { cause, retry: true }));
      };
      worker.on("message", (message: WorkerMessage) => {
        if (message.type === "progress") onProgress?.(message.done, message.total);
        else if (message.type === "result") resolve(message.output as TaskOutput<Name>);
        else if (message.type === "fault") reject(new Fault(message.code, message.facts, { retry: message.retry }));
        else reject(message.error);
      });
      worker.on("error", died);
      worker.on("exit", () => died());
      worker.postMessage({ task, input, stop } satisfies WorkerOrder, [...transfer]);
    }).finally(() => {
      for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event); // all of them at once would deafen the worker
      if (alive) give(worker);
    });
  } finally {
    signal?.removeEventListener("abort", abort);
    if (takesTurn) {
      busy--;
      waiting.shift()?.();
    }
  }
}

async function myTurn(): Promise<void> {
  if (busy >= MAX_BUSY) await new Promise<void>((resolve) => waiting.push(resolve));
  busy++;
}

/** Ends idle workers; the next task starts a new one. */
export async function closeWorkers(): Promise<void> {
  await Promise.all(idle.splice(0).map(end));
}

type Idle = (typeof idle)[number];

/** Who waits for a worker, first come first. */
const wanting: { resolve(worker: Worker): void; reject(cause: unknown): void }[] = [];
let isStarting = false;

/** The idle one that worked last, or the next that is free. */
function takeWorker(): Worker | Promise<Worker> {
  const last = idle.pop();
  if (last !== undefined) {
    clearTimeout(last.timer);
    last.worker.removeAllListeners("error");
    return last.worker;
  }
  return new Promise((resolve, reject) => {
    wanting.push({ resolve, reject });
    startIfWanted();
  });
}

/** Starts one at a time: of many who ask for little at once, most are served by those that become free before another has started. */
function startIfWanted(): void {
  if (isStarting || wanting.length === 0) return;
  isStarting = true;
  const worker = new Worker(new URL("./main.ts", import.meta.url), { resourceLimits: WORKER_LIMITS });
  const over = (): void => {
    isStarting = false;
    for (const event of ["message", "error", "exit"]) worker.removeAllListeners(event);
  };
  const failed = (cause?: unknown): void => {
    over();
    wanting.shift()?.reject(new Fault("worker_died", {}, { cause, retry: true }));
    startIfWanted();
  };
  // The first thing that it says is that it is there.
  worker.once("message", () => {
    over();
    give(worker);
    startIfWanted();
  });
  worker.once("error", failed);
  worker.once("exit", () => failed());
}

/** Hands a worker to the next who waits, or keeps it; one that fails meanwhile is forgotten. */
function give(worker: Worker): void {
  const next = wanting.shift();
  if (next !== undefined) {
    next.resolve(worker);
    return;
  }
  if (idle.length >= MAX_IDLE) {
    void worker.terminate();
    return;
  }
  const forget = (): void => void idle.splice(idle.indexOf(kept), 1);
  const timer = setTimeout(() => {
    forget();
    void end(kept);
  }, IDLE_MS).unref();
  const kept: Idle = { worker, timer };
  worker.on("error", () => {
    clearTimeout(timer); // heard only as long as it is idle
    forget();
  });
  worker.unref();
  idle.push(kept);
}

async function end({ worker, timer }: Idle): Promise<void> {
  clearTimeout(timer);
  await worker.terminate();
}
