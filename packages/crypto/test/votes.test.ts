/** Votes at the edges of Ed25519: what CometBFT takes by ZIP 215 must verify here, too, or one validator could spoil every commit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ED25519_TORSION_SUBGROUP, ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, fromHex, utf8 } from "@xinglin/primitives";
import { nodeCurves } from "../src/node/curves.ts";
import { portableCurves } from "../src/verify.ts";
import { verifyVote, verifyVoteWith } from "../src/votes.ts";

const { Point } = ed25519;
const N = Point.Fn.ORDER;
const integer = (bytes: Bytes): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
const littleEndian = (value: bigint): Bytes => Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
const message = utf8("a vote");
const seed = new Uint8Array(32).fill(7);
const { scalar, pointBytes } = ed25519.utils.getExtendedPublicKey(seed);

/** A signature whose R has a part of small order: right with the cofactor, wrong without. */
function edgeSignature(torsion: string): Bytes {
  const r = 123_456_789n;
  const R = Point.BASE.multiply(r)
    .add(Point.fromBytes(fromHex(torsion), true))
    .toBytes();
  const k = integer(sha512(concat(R, pointBytes, message))) % N;
  return concat(R, littleEndian((r + k * scalar) % N));
}

for (const [name, check] of Object.entries({
  portable: verifyVote,
  "with the node's": verifyVoteWith(nodeCurves),
  "with the portable": verifyVoteWith(portableCurves),
}))
  test(`a vote signed at the edge on purpose is one, as it is for CometBFT: ${name}`, async () => {
    for (const torsion of ED25519_TORSION_SUBGROUP.slice(1)) {
      const signature = edgeSignature(torsion);
      assert.equal(await check(pointBytes, message, signature), true, torsion);
      assert.equal(await check(pointBytes, utf8("another"), signature), false);
      signature[32]! ^= 1;
      assert.equal(await check(pointBytes, message, signature), false);
    }
    const beyondOrder = ed25519.sign(message, seed);
    beyondOrder.set(littleEndian(integer(beyondOrder.subarray(32)) + N), 32);
    assert.equal(await check(pointBytes, message, beyondOrder), false);
    assert.equal(await check(pointBytes.subarray(1), message, ed25519.sign(message, seed)), false);
  });

test("a transaction signed at the edge stays refused", () => {
  for (const torsion of ED25519_TORSION_SUBGROUP.slice(1))
    for (const curves of [nodeCurves, portableCurves])
      assert.equal(curves.ed25519(pointBytes, message, edgeSignature(torsion)), false);
});
