/** The light client over a real network of four CometBFT validators: each member's node is a witness of the others. */
import assert from "node:assert/strict";
import { nodeCurves } from "@xinglin/crypto/node";
import type { Ledger } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";
import { decodeLightBlock, headerHash, type LightBlockSource, LightFollower } from "@xinglin/verifier";
import { engineTest, network, submit, untilHeight } from "../packages/cometbft/test/support/network.ts";

const sourceOf = (ledger: Ledger, i: number): LightBlockSource => ({
  name: `node ${i}`,
  lightBlock: async (height) => {
    const block = height === "newest" ? ledger.newestLightBlock() : ledger.lightBlock(height);
    if (block === undefined) throw new Fault("height_unknown", { height: ledger.height() });
    return decodeLightBlock(block);
  },
});

engineTest("four real validators: every node confirms what one shows, from a checkpoint on", async (context, binary) => {
  const { nodes } = await network(context, binary, 4);
  const ledgers: Ledger[] = nodes.map(({ ledger }) => ledger);
  const [first] = ledgers as [Ledger, ...Ledger[]];
  const [primary, ...witnesses] = ledgers.map(sourceOf) as [LightBlockSource, ...LightBlockSource[]];
  // The network's genesis, and with it the first block, is dated long ago, so that tests are the same on any day.
  await untilHeight(first, 2);
  const second = decodeLightBlock(first.lightBlock(2) as Uint8Array);
  const follower = await LightFollower.open({
    trust: { chainId: first.chainId, height: 2, headerHash: headerHash(second.header) },
    primary,
    witnesses,
    verify: nodeCurves.ed25519,
    now: () => Math.floor(Date.now() / 1000),
  });
  let before = 0;
  for (let look = 0; look < 2; look++) {
    const { height } = await first.receipt(await submit(first), "provable");
    await Promise.all(ledgers.map((ledger) => untilHeight(ledger, height + 1)));
    const report = await follower.update();
    assert.ok(report.height > before, `${report.height} after ${before}`);
    assert.deepEqual([report.validators, report.isSoleKey], [4, false]);
    assert.ok(report.signed >= 3);
    // A node may be one block behind the newest of another; none shows something else.
    assert.ok(
      report.witnesses.every(({ outcome }) => outcome === "agrees" || outcome === "behind"),
      JSON.stringify(report.witnesses),
    );
    before = report.height;
  }
});
