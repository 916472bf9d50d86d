/** The commands of the guide "run a consortium", in its order, on this machine: three nodes with CometBFT, and one that began alone. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ensureEngine } from "@xinglin/cometbft";
import { freePorts } from "@xinglin/engines/testing";
import { Fault } from "@xinglin/primitives";
import { assertSameCommands, blocksOf, guideText, runBlocks } from "./guide-runner.ts";

test("the Chinese guide has the same commands", () => assertSameCommands("run-a-consortium"));

test("every command of the guide works, in its order", async (context) => {
  const engine = await ensureEngine().catch((error: unknown) => error);
  if (engine instanceof Fault && engine.code === "go_missing") return context.skip(`CometBFT is not built: ${engine.message}`);
  const folder = mkdtempSync(join(tmpdir(), "xg-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const blocks = blocksOf(guideText("run-a-consortium.md")).join("\n");
  const named = [...new Set(blocks.match(/\b266[1-9][0-9]\b/g))];
  const ports = await freePorts(named.length);
  const told = await runBlocks([named.reduce((text, port, i) => text.replaceAll(port, String(ports[i])), blocks)], folder);
  assert.match(told, /Joins chain xinglin-[0-9a-f]{24}/);
  assert.match(told, /Proposal [0-9a-f]{32} is open/);
  assert.match(told, /admit an institution: hospital-b, proposed by commission/);
  assert.match(told, /validator hospital-b: \d+\.\d % of the voting power/);
  assert.match(told, /ATTENTION: only 2 validators/);
  assert.match(told, /goes on with CometBFT from height \d+/);
  assert.equal(told.match(/Stopped$/gm)?.length, 4, "each node stopped in order");
});
