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

/** Who must have signed: the one validator's key, or all validators in the order of the set. */
export type Signers = Bytes | readonly cometbft.Validator[];

const SOLE_POWER = 10;
const listed = (signers: Signers): readonly cometbft.Validator[] =>
  signers instanceof Uint8Array ? [{ publicKey: signers, power: SOLE_POWER }] : signers;

/** Every block of the chain from `from` on, checked. */
export function checkChain(blocks: Blocks, chainId: string, signers: Signers, from = 1): cometbft.LightBlock[] {
  const checked: cometbft.LightBlock[] = [];
  const expected = listed(signers);
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
    assert.deepEqual(validators, expected);
    checkCommit(chainId, commit, expected);
    const before = checked.at(-1);
    if (before !== undefined) {
      assert.deepEqual(header.lastBlockId, before.commit.blockId);
      assert.deepEqual(header.lastCommitHash, cometbft.commitHash(block.lastCommit));
      // Of several validators each node may have heard other votes first.
      if (expected.length === 1) assert.deepEqual(block.lastCommit, before.commit);
      assert.deepEqual(block.lastCommit.blockId, before.commit.blockId);
      checkCommit(chainId, block.lastCommit, expected);
      assert.ok(isLater(header.time, before.header.time), `time of ${height}`);
    }
    checked.push(lightBlock);
  }
  return checked;
}

/** Every vote is by its validator, and together they have more than two thirds of the power. */
function checkCommit(chainId: string, commit: cometbft.Commit, validators: readonly cometbft.Validator[]): void {
  assert.equal(commit.signatures.length, validators.length);
  let signed = 0;
  for (const [i, { publicKey, power }] of validators.entries()) {
    const sig = commit.signatures[i];
    if (sig?.flag !== "commit") continue;
    const bytes = cometbft.commitSignBytes(chainId, commit, i);
    assert.ok(bytes !== undefined && verifySync("ed25519", publicKey, bytes, sig.signature), `commit ${commit.height}`);
    signed += power;
  }
  assert.ok(3 * signed > 2 * cometbft.totalPower(validators), `too few signed ${commit.height}`);
}

const isLater = (a: cometbft.Time, b: cometbft.Time): boolean =>
  a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
