/** The engine's process from its owner's side. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { EngineProcess } from "../../src/process/engine-process.ts";
import { emptyFolder } from "../support/network.ts";

test("stopped while a start is being prepared, it is not started any more and the stop ends", async (context) => {
  const home = await emptyFolder(context);
  const preparing = Promise.withResolvers<void>();
  const prepared = Promise.withResolvers<void>();
  const beforeStart = (): Promise<void> => {
    preparing.resolve();
    return prepared.promise;
  };
  const engine = new EngineProcess({ binary: process.execPath, home, logFile: join(home, "engine.log"), beforeStart });
  let starts = 0;
  engine.on("started", () => starts++);
  engine.start();
  await preparing.promise;
  const stopped = engine.stop();
  prepared.resolve();
  await stopped;
  assert.deepEqual([starts, engine.pid], [0, undefined]);
});
