/** CometBFT's RPC answers nobody for many blocks while blocks go on: who waits is told all of them, in order, once it answers again. */
import assert from "node:assert/strict";
import type { BlockNotice } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";
import { RpcClient } from "../../src/rpc/rpc-client.ts";
import { engineTest, network, submit, untilHeight } from "../support/network.ts";
import { checkOneChain } from "../support/one-chain.ts";

/** More blocks than anybody would keep in memory for this. */
const TRANSACTIONS = 70;
/** A node that lets everything go as soon as it may: not what it has still to tell of. */
const RETENTION = { keepBlocks: 1, evidence: { maxAgeBlocks: 1, maxAgeSeconds: 1 } };

engineTest(
  "blocks that were made while the RPC did not answer are told later, each once and in order",
  async (context, binary) => {
    const options = { retention: RETENTION, evidenceAge: RETENTION.evidence };
    const net = await network(
      context,
      binary,
      1,
      { maxBlockGapSeconds: 1, maxValiditySeconds: 301 },
      { optionsOf: () => options },
    );
    const { ledger } = net.nodes[0]!;
    const notices: BlockNotice[] = [];
    ledger.subscribe((notice) => notices.push(notice));
    await untilHeight(ledger, ledger.height() + 1);

    const original = RpcClient.prototype.call;
    RpcClient.prototype.call = async (method) => {
      throw new Fault("engine_unreachable", { method, reason: "no_answer" }, { retry: true });
    };
    const waiting: Promise<{ height: number }>[] = [];
    let stands = 0;
    try {
      stands = ledger.height();
      for (let i = 0; i < TRANSACTIONS; i++) {
        const id = await submit(ledger);
        waiting.push(ledger.receipt(id, "committed"));
        // Nobody is told of the block; what it wrote is here.
        while (ledger.entryCount() <= i) await new Promise((resolve) => setTimeout(resolve, 2));
      }
      assert.ok(ledger.height() <= stands + 1, "a block was told without its light block");
    } finally {
      RpcClient.prototype.call = original;
    }
    const heights = (await Promise.all(waiting)).map(({ height }) => height);
    assert.deepEqual(
      heights,
      heights.toSorted((a, b) => a - b),
    );
    assert.ok(heights.at(-1)! - stands > 64, `only ${heights.at(-1)! - stands} blocks without an RPC`);
    const last = await ledger.receipt(await submit(ledger), "provable");
    const [first] = notices as [BlockNotice];
    assert.deepEqual(
      notices.map(({ height }) => height),
      notices.map((_, i) => first.height + i),
    );
    const entries = notices.flatMap((notice) => notice.entries.map(({ sequence }) => ({ sequence, height: notice.height })));
    assert.deepEqual(
      entries.map(({ sequence }) => sequence),
      Array.from({ length: TRANSACTIONS + 1 }, (_, i) => i),
    );
    assert.deepEqual(
      entries.map(({ height }) => height),
      [...heights, last.height],
    );
    checkOneChain([ledger], heights[0]);
  },
);
