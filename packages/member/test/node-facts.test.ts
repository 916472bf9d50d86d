/** What a node says of itself to who runs it. */
import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import type { Ledger } from "@xinglin/ledger";
import type { NodeConfig } from "../src/config/node-config.ts";
import { nodeFacts } from "../src/node-facts.ts";

const of = (driver: string, ledger: object) =>
  nodeFacts({ chain: { driver }, data: tmpdir(), stores: [] } as unknown as NodeConfig, ledger as Ledger)();

test("the clock's offset is told once it is known, also when it is none; a solo node's clock is the chain's", async () => {
  const engine = (clockOffsetSeconds: number | undefined) => ({ engine: { peers: async () => ["a"], clockOffsetSeconds } });
  const offsets = [-180, 0, undefined].map(async (seconds) => (await of("cometbft", engine(seconds))).clockOffsetSeconds);
  assert.deepEqual(await Promise.all(offsets), [-180, 0, undefined]);
  const solo = await of("solo", {});
  assert.deepEqual([solo.clockOffsetSeconds, solo.peers], [undefined, undefined]);
});
