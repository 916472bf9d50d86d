/** The public piece table: its root, its proofs, and what is refused. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { test } from "node:test";
import { cbor } from "@xinglin/primitives";
import { decodeTable, PieceTable, verifyPiece } from "../src/piece-table.ts";
import { decodeReference, encodeReference } from "../src/reference.ts";
import { fault } from "./support/consortium.ts";

const objectId = new Uint8Array(randomBytes(16));
const header = {
  version: 1,
  objectId,
  code: { k: 4, m: 2 },
  chunkBytes: 1024,
  stripes: 3,
  placement: ["a", "b", "c", "d", "e", "f"],
};
const pieces = Array.from({ length: 18 }, () => randomBytes(1040));
const sha = (...parts: Uint8Array[]): Buffer => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const table = new PieceTable(header, new Uint8Array(Buffer.concat(pieces.map((piece) => sha(piece)))));

test("the root is RFC 6962 over the header, then the hash of each piece", () => {
  const hashTree = (leaves: readonly Uint8Array[]): Uint8Array => {
    if (leaves.length === 1) return sha(Buffer.of(0), leaves[0]!);
    let split = 1;
    while (split * 2 < leaves.length) split *= 2;
    return sha(Buffer.of(1), hashTree(leaves.slice(0, split)), hashTree(leaves.slice(split)));
  };
  assert.deepEqual(Buffer.from(table.root), hashTree([cbor.encode(header), ...pieces.map((piece) => sha(piece))]));
});

test("each piece is proved, and nothing else is", () => {
  let proved = 0;
  for (let stripe = 0; stripe < 3; stripe++)
    for (let column = 0; column < 6; column++) {
      const proof = table.prove(stripe, column);
      const piece = pieces[stripe * 6 + column]!;
      assert.ok(verifyPiece(piece, proof, table.root, header));
      proved++;
      assert.ok(!verifyPiece(piece.subarray(1), proof, table.root, header), "another piece");
      assert.ok(!verifyPiece(piece, { ...proof, column: (column + 1) % 6 }, table.root, header), "another column");
      assert.ok(!verifyPiece(piece, { ...proof, stripe: (stripe + 1) % 3 }, table.root, header), "another stripe");
      assert.ok(!verifyPiece(piece, { ...proof, path: proof.path.slice(1) }, table.root, header), "a shorter path");
      assert.ok(!verifyPiece(piece, proof, sha(table.root), header), "another root");
    }
  assert.equal(proved, 18);
  assert.ok(!verifyPiece(pieces[0]!, { ...table.prove(0, 0), column: 6 }, table.root, header));
  assert.ok(!verifyPiece(pieces[0]!, { ...table.prove(0, 0), stripe: 3 }, table.root, header));
});

test("survives encoding", () => {
  const again = decodeTable(table.encode(), { root: table.root }, objectId);
  assert.deepEqual(again.header, header);
  assert.deepEqual(again.leaves, table.leaves);
});

const refusals: Record<string, { bytes: Uint8Array; code: string }> = {
  "a truncated table": { bytes: table.encode().subarray(0, 300), code: "malformed" },
  "a changed leaf": {
    bytes: new PieceTable(
      header,
      table.leaves.map((byte, i) => (i === 40 ? byte ^ 1 : byte)),
    ).encode(),
    code: "manifest_mismatch",
  },
  "another chunk size": {
    bytes: new PieceTable({ ...header, chunkBytes: 2048 }, table.leaves).encode(),
    code: "manifest_mismatch",
  },
  "another placement": {
    bytes: new PieceTable({ ...header, placement: ["b", "a", "c", "d", "e", "f"] }, table.leaves).encode(),
    code: "manifest_mismatch",
  },
  "more stripes than leaves": {
    bytes: cbor.encode({ header: { ...header, stripes: 4 }, leaves: table.leaves }),
    code: "malformed",
  },
  "a store too few": { bytes: cbor.encode({ header: { ...header, placement: ["a"] }, leaves: table.leaves }), code: "malformed" },
  "an odd chunk size": {
    bytes: cbor.encode({ header: { ...header, chunkBytes: 1025 }, leaves: table.leaves }),
    code: "malformed",
  },
};
for (const [what, { bytes, code }] of Object.entries(refusals))
  test(`refuses ${what}`, () => assert.throws(() => decodeTable(bytes, { root: table.root }, objectId), fault(code)));
test("refuses the table of another object", () =>
  assert.throws(
    () => decodeTable(table.encode(), { root: table.root }, randomBytes(16)),
    fault("manifest_mismatch", { part: "object_id" }),
  ));

test("a reference takes little over a hundred bytes, and only its canonical form is read", () => {
  const reference = { manifest: new Uint8Array(32), root: new Uint8Array(32), sizeClass: 53, code: { k: 10, m: 4 } };
  const bytes = encodeReference(reference);
  assert.ok(bytes.length <= 110, `${bytes.length} bytes`);
  assert.deepEqual(decodeReference(bytes), reference);
  assert.throws(() => decodeReference(Buffer.concat([bytes, Buffer.of(0)])), fault("malformed"));
  assert.throws(() => decodeReference(cbor.encode({ ...reference, sizeClass: 54 })), fault("malformed"));
});
