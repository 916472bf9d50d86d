import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import fc from "fast-check";
import { append, EMPTY_FRONTIER, type Frontier, isFrontier, rootOf } from "../../src/pure/frontier.ts";
import * as merkle from "../../src/pure/merkle.ts";
import { sha256 } from "../../src/pure/sha256.ts";

/** RFC 6962, section 2.1, word by word. */
function definition(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length === 0) return sha256(new Uint8Array(0));
  if (leaves.length === 1) return sha256(concat(Uint8Array.of(0), leaves[0] as Uint8Array));
  let k = 1;
  while (2 * k < leaves.length) k *= 2;
  return sha256(concat(Uint8Array.of(1), definition(leaves.slice(0, k)), definition(leaves.slice(k))));
}

test("the roots of the test tree of the Certificate Transparency implementations", () => {
  const leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"].map(
    fromHex,
  );
  const roots = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ];
  roots.forEach((expected, i) => {
    assert.equal(toHex(merkle.root(leaves.slice(0, i + 1))), expected);
  });
  assert.equal(toHex(merkle.root([])), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

const leavesOf = (size: number): Uint8Array[] => Array.from({ length: size }, (_, i) => utf8(`leaf ${i}`));

test("roots, frontiers and every path of every small tree agree with the definition", () => {
  let frontier: Frontier = EMPTY_FRONTIER;
  for (let size = 0; size <= 40; size++) {
    const leaves = leavesOf(size);
    const root = definition(leaves);
    assert.deepEqual(merkle.root(leaves), root);
    assert.deepEqual(rootOf(frontier), root);
    for (let i = 0; i < size; i++)
      assert.ok(
        merkle.verifyInclusion(leaves[i] as Uint8Array, i, size, merkle.inclusionProof(leaves, i), root),
        `${i} of ${size}`,
      );
    frontier = append(frontier, merkle.leafHash(utf8(`leaf ${size}`)));
  }
});

test("a path proves its own leaf, place, size and root, and nothing else", () => {
  let accepted = 0;
  let refused = 0;
  const anyPlace = fc
    .integer({ min: 1, max: 70 })
    .chain((size) => fc.record({ size: fc.constant(size), index: fc.nat(size - 1) }));
  fc.assert(
    fc.property(anyPlace, fc.nat(75), fc.nat(75), fc.nat(7), ({ size, index }, otherIndex, otherSize, change) => {
      const leaves = leavesOf(size);
      const root = merkle.root(leaves);
      const path = merkle.inclusionProof(leaves, index);
      const leaf = leaves[index] as Uint8Array;
      if (!merkle.verifyInclusion(leaf, index, size, path, root)) return false;
      accepted++;
      const flipped = path.map((node, i) => (i === change ? node.map((byte, at) => (at === 5 ? byte ^ 1 : byte)) : node));
      const wrong = [
        otherIndex !== index && merkle.verifyInclusion(leaf, otherIndex, size, path, root),
        otherSize < size && merkle.verifyInclusion(leaf, index, otherSize, path.slice(1), root),
        change < path.length && merkle.verifyInclusion(leaf, index, size, flipped, root),
        merkle.verifyInclusion(utf8("other"), index, size, path, root),
        merkle.verifyInclusion(leaf, index, size, [...path, root], root),
        path.length > 0 && merkle.verifyInclusion(leaf, index, size, path.slice(0, -1), root),
        merkle.verifyInclusion(leaf, size, size, path, root),
        merkle.verifyInclusion(leaf, -1, size, path, root),
        merkle.verifyInclusion(leaf, index + 0.5, size, path, root),
      ];
      refused += wrong.length;
      return wrong.every((answer) => answer === false);
    }),
    { numRuns: 400 },
  );
  assert.ok(accepted > 100 && refused > 500, `${accepted} accepted, ${refused} refused`);
});

test("sizes beyond 32 bits are counted exactly", () => {
  const size = 2 ** 40;
  const node = sha256(utf8("a complete half"));
  const leaf = utf8("the last but one");
  // Leaf 2^40 of 2^40 + 1 stands alone at the right: its path is the complete left half.
  const root = merkle.nodeHash(node, merkle.leafHash(leaf));
  assert.ok(merkle.verifyInclusion(leaf, size, size + 1, [node], root));
  assert.ok(!merkle.verifyInclusion(leaf, size - 1, size + 1, [node], root));
  const frontier: Frontier = { size, nodes: [node] };
  assert.deepEqual(rootOf(append(frontier, merkle.leafHash(leaf))), root);
});

test("a frontier that does not fit its size is a bug, not a root", () => {
  assert.ok(isFrontier(EMPTY_FRONTIER));
  for (const size of [1, 3, -1, 0.5]) {
    assert.ok(!isFrontier({ size, nodes: [] }));
    assert.throws(() => rootOf({ size, nodes: [] }), { name: "Bug" });
  }
});
