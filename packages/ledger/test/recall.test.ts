/** What a block came to, told again from what is kept of it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chainIdOf } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";
import type { BlockOutcome } from "../src/block.ts";
import { recallOutcome } from "../src/recall.ts";
import { anchor, genesisBytes, signed } from "./support/chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const genesis = genesisBytes();
const tx = (key: string, ...names: string[]): Bytes =>
  signed({
    chain: chainIdOf(genesis),
    key,
    operations: names.map((name) => anchor(name)),
    notAfter: { time: GENESIS_TIME + 300, height: 1_000 },
  });

test("a block's outcome is recalled as it was, with refusals and without what was turned away", async (context) => {
  const node = await HandDrivenNode.open(await folder(context), genesis);
  atEnd(context, () => node.close());
  const { application } = node;
  const recall = (height: number, transactions: readonly Bytes[]): BlockOutcome | undefined =>
    recallOutcome({ results: (at) => application.results(at), log: application.log }, height, transactions);
  const once = tx("hospital-a", "x");
  // The second operation anchors what the first did: refused, and it stands in the log.
  const blocks = [[once, tx("hospital-b", "y", "y")], [once, tx("hospital-a", "z")], []];
  for (const [i, transactions] of blocks.entries()) {
    const { entries, ids } = await node.block(transactions);
    const recalled = recall(i + 1, transactions);
    assert.deepEqual(recalled?.ids, ids);
    assert.deepEqual(
      recalled?.entries,
      entries.map(({ sequence, bytes, entry }) => ({ sequence, bytes, entry })),
    );
  }
  assert.deepEqual(recall(1, blocks[0]!)?.entries.length, 3);
  assert.deepEqual(recall(2, blocks[1]!)?.ids.length, 1, "the second time it was turned away");
  assert.equal(recall(4, []), undefined);
});
