/** The worker: takes orders from `runTask`, one at a time. */
import { parentPort } from "node:worker_threads";
import { Fault, invariant } from "@xinglin/primitives";
import type { WorkerMessage, WorkerOrder } from "./pool.ts";
import { type TaskContext, tasks } from "./tasks.ts";

invariant(parentPort !== null, "the worker runs in a thread");
const port = parentPort;
const say = (message: WorkerMessage): void => port.postMessage(message);

/** Progress is for people: waking the main thread at every stripe would cost more than it tells. */
const PROGRESS_EVERY_MS = 40;

port.on("message", ({ task, input, stop }: WorkerOrder) => {
  let toldAt = Number.NEGATIVE_INFINITY;
  const context: TaskContext = {
    progress: (done, total) => {
      if (done < total && performance.now() - toldAt < PROGRESS_EVERY_MS) return;
      toldAt = performance.now();
      say({ type: "progress", done, total });
    },
    checkpoint: () => {
      if (Atomics.load(stop, 0) === 1) throw new Fault("aborted");
    },
  };
  const run = tasks[task] as (input: unknown, context: TaskContext) => Promise<unknown>;
  run(input, context).then(
    (output) => say({ type: "result", output }),
    (error: unknown) => {
      if (error instanceof Fault) say({ type: "fault", code: error.code, facts: error.facts, retry: error.retry });
      else say({ type: "bug", error });
    },
  );
});

port.postMessage("ready");
