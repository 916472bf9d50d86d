/** Whether nodes have one chain, looked at block by block. */
import assert from "node:assert/strict";
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { decodeBlock, type Ledger } from "@xinglin/ledger";
import { type Bytes, equal, toHex } from "@xinglin/primitives";

/**
 * Checks that the nodes have one chain: same headers and so the same app hashes, every block whole, every link. From `from` on, where one of them let go
 * of what was before or never had it. Returns the height up to which it looked.
 */
export function checkOneChain(ledgers: readonly Ledger[], from = 1): number {
  const height = Math.min(...ledgers.map((ledger) => ledger.height()));
  assert.ok(height >= from, `no block from ${from} on that all have`);
  let before: cometbft.LightBlock | undefined;
  for (let at = from; at <= height; at++) {
    const lights = ledgers.map((ledger) => cometbft.decodeLightBlock(ledger.lightBlock(at) as Bytes));
    const hashes = new Set(lights.map(({ header }) => toHex(cometbft.headerHash(header))));
    assert.equal(hashes.size, 1, `two blocks at ${at}`);
    const { header } = lights[0]!;
    assert.equal(header.chainId, ledgers[0]!.chainId);
    if (before !== undefined) assert.deepEqual(header.lastBlockId, before.commit.blockId);
    before = lights[0]!;
    // A block with evidence in it stays with CometBFT.
    if (!equal(header.evidenceHash, cometbft.NO_EVIDENCE_HASH)) continue;
    for (const [i, ledger] of ledgers.entries()) {
      const bytes = ledger.block(at) as Bytes;
      assert.deepEqual(cometbft.blockId(header, bytes, nodeSha256), lights[i]!.commit.blockId);
      assert.deepEqual(cometbft.dataHash(decodeBlock(bytes).txs, nodeSha256), header.dataHash);
    }
  }
  return height;
}
