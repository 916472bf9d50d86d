/** The worker: takes orders from `runTask`, one at a time. */
import { parentPort } from "node:worker_threads";
import { Fault, invariant } from "@xinglin/primitives";
import type { WorkerMessage, WorkerOrder } from "./pool.ts";
import { type TaskContext, tasks } from "./tasks.ts";

invariant(parentPort !== null, "the worker runs in a thread");
const port = parentPort;
const say = (message: WorkerMessage): void => port.postMessage(message);

port.on("message", ({ task, input, stop }: WorkerOrder) => {
  const context: TaskContext = {
    progress: (done, total) => say({ type: "progress", done, total }),
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
