/**
 * Preloaded into a child: kills it, as a power cut would, right before a call that changes a disk, or right after one that was waited for, at the n-th such moment. `KILL_AT` is `main:n` or `worker:n`; every
 * thread counts for itself. Nothing runs between the count and the signal, so a point that failed once fails again.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { isMainThread } from "node:worker_threads";

const [thread, n] = (process.env.KILL_AT ?? "none:0").split(":") as [string, string];
let left = thread === (isMainThread ? "main" : "worker") ? Number(n) : Number.POSITIVE_INFINITY;
/** Loading a program opens and closes files, too: those count only once something was written. */
let writing = false;

function point(): void {
  if (--left > 0) return;
  process.kill(process.pid, "SIGKILL");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0); // until it arrives
}

type Calls = Record<string, (...given: unknown[]) => unknown>;

function replace(of: object, names: readonly string[], by: (call: () => unknown) => unknown): void {
  const calls = of as Calls;
  for (const name of names) {
    const real = calls[name]!;
    calls[name] = (...given) => by(() => real.apply(of, given));
  }
}

replace(fs, ["openSync", "ftruncateSync", "closeSync"], (call) => {
  if (writing) point();
  return call();
});
replace(fs, ["writeSync"], (call) => {
  writing = true;
  point();
  return call();
});
replace(fs.promises, ["mkdir", "open", "rename", "rm", "writeFile"], (call) => {
  writing = true;
  point();
  return (call() as Promise<unknown>).finally(point);
});
syncBuiltinESMExports();
