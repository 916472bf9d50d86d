/** Checks a whole chain as an outsider would: hashes, links, signatures, times. Throws at the first thing that is wrong. */
import assert from "node:assert/strict";
import { nodeSha256, verifySync } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import type { Bytes } from "@xinglin/primitives";
import { decodeBlock } from "../../src/block-bytes.ts";

interface Blocks {
  height(): number;
  lightBlock(height: number): Bytes | undefined;
  block(height: number): Bytes | undefined;
}

/** Every block of the chain from `from` on, checked. */
export function checkChain(blocks: Blocks, chainId: string, validatorKey: Bytes, from = 1): cometbft.LightBlock[] {
  const checked: cometbft.LightBlock[] = [];
  for (let height = from; height <= blocks.height(); height++) {
    const bytes = blocks.block(height);
    const light = blocks.lightBlock(height);
    assert.ok(bytes !== undefined && light !== undefined, `block ${height} is missing`);
    const lightBlock = cometbft.decodeLightBlock(light);
    const { header, commit, validators } = lightBlock;
    const block = decodeBlock(bytes);
    assert.deepEqual(block.header, header);
    assert.equal(header.chainId, chainId);
    assert.equal(header.height, height);
    assert.deepEqual(cometbft.blockId(header, bytes), commit.blockId);
    assert.deepEqual(cometbft.dataHash(block.txs, nodeSha256), header.dataHash);
    assert.deepEqual(cometbft.validatorsHash(validators), header.validatorsHash);
    assert.deepEqual(validators, [{ publicKey: validatorKey, power: 10 }]);
    const [sig] = commit.signatures;
    assert.ok(sig?.flag === "commit" && commit.signatures.length === 1);
    const signedBytes = cometbft.commitSignBytes(chainId, commit, 0);
    assert.ok(signedBytes !== undefined && verifySync("ed25519", validatorKey, signedBytes, sig.signature), `commit ${height}`);
    const before = checked.at(-1);
    if (before !== undefined) {
      assert.deepEqual(header.lastBlockId, before.commit.blockId);
      assert.deepEqual(header.lastCommitHash, cometbft.commitHash(before.commit));
      assert.deepEqual(block.lastCommit, before.commit);
      assert.ok(isLater(header.time, before.header.time), `time of ${height}`);
    }
    checked.push(lightBlock);
  }
  return checked;
}

const isLater = (a: cometbft.Time, b: cometbft.Time): boolean =>
  a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
