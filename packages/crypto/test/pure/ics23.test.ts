import assert from "node:assert/strict";
import { test } from "node:test";
import { type Bytes, concat, equal, toHex, utf8 } from "@xinglin/primitives";
import fc from "fast-check";
import * as ics23 from "../../src/pure/ics23.ts";
import { absence, buildTree, presence } from "../support/smt.ts";

const entriesOf = (names: readonly string[]): [Bytes, Bytes][] => names.map((name) => [utf8(name), utf8(`value of ${name}`)]);

test("presence and absence of a small alphabet are proved exactly as they are, in trees of any size", () => {
  let present = 0;
  let absent = 0;
  const alphabet = Array.from("abcdefghijklmnopqrstuvwx");
  fc.assert(
    fc.property(fc.subarray(alphabet), (names) => {
      const tree = buildTree(entriesOf(names));
      for (const name of alphabet) {
        const key = utf8(name);
        const value = utf8(`value of ${name}`);
        if (names.includes(name)) {
          const proof = ics23.decodeProof(ics23.encodeProof(presence(tree, key)));
          assert.ok(ics23.verifyMembership(tree.root, proof, key, value));
          assert.ok(!ics23.verifyMembership(tree.root, proof, key, utf8("other")));
          assert.ok(!ics23.verifyNonMembership(tree.root, proof, key));
          present++;
        } else {
          const proof = ics23.decodeProof(ics23.encodeProof(absence(tree, key)));
          assert.ok(ics23.verifyNonMembership(tree.root, proof, key), `absence of ${name} among ${names.join("")}`);
          assert.ok(!ics23.verifyMembership(tree.root, proof, key, value));
          absent++;
        }
      }
    }),
    { numRuns: 60 },
  );
  assert.ok(present > 300 && absent > 300, `${present} present, ${absent} absent`);
});

test("no pair of neighbours that leaves a key out between them hides it", () => {
  const names = Array.from("abcdefghijklmnop");
  const tree = buildTree(entriesOf(names));
  const ordered = tree.leaves;
  let hidden = 0;
  let shown = 0;
  for (let i = -1; i < ordered.length; i++)
    for (let j = i + 1; j <= ordered.length; j++) {
      const left = i < 0 ? undefined : presence(tree, ordered[i]?.key as Bytes).exist;
      const right = j === ordered.length ? undefined : presence(tree, ordered[j]?.key as Bytes).exist;
      // A key that is present between the two, or an absent one just beside the left neighbour.
      for (const name of [...names, "q", "r", "s", "t"]) {
        const key = utf8(name);
        const proof = { nonexist: { key, ...(left === undefined ? {} : { left }), ...(right === undefined ? {} : { right }) } };
        const accepted = ics23.verifyNonMembership(tree.root, proof, key);
        if (names.includes(name)) {
          assert.ok(!accepted, `${name} was hidden by neighbours ${i} and ${j}`);
          hidden++;
        } else if (accepted) {
          assert.equal(j, i + 1);
          shown++;
        }
      }
    }
  assert.ok(hidden > 1_000 && shown === 4, `${hidden} tried to hide, ${shown} shown`);
});

test("an empty tree proves every absence, and only an empty tree does so without neighbours", () => {
  const key = utf8("anything");
  const proof: ics23.CommitmentProof = { nonexist: { key } };
  assert.ok(ics23.verifyNonMembership(ics23.EMPTY_ROOT, proof, key));
  assert.ok(!ics23.verifyNonMembership(buildTree(entriesOf(["a"])).root, proof, key));
  assert.ok(!ics23.verifyNonMembership(ics23.EMPTY_ROOT, proof, utf8("something else")));
});

test("every flipped or cut byte of a proof is refused", () => {
  const tree = buildTree(entriesOf(Array.from("abcdefgh")));
  const key = utf8("c");
  const missing = utf8("z");
  const cases: [ics23.CommitmentProof, (proof: ics23.CommitmentProof) => boolean][] = [
    [presence(tree, key), (proof) => ics23.verifyMembership(tree.root, proof, key, utf8("value of c"))],
    [absence(tree, missing), (proof) => ics23.verifyNonMembership(tree.root, proof, missing)],
  ];
  let malformed = 0;
  let refused = 0;
  for (const [proof, verify] of cases) {
    const bytes = ics23.encodeProof(proof);
    assert.ok(verify(ics23.decodeProof(bytes)));
    const check = (changed: Bytes, what: string): void => {
      try {
        assert.ok(!verify(ics23.decodeProof(changed)), `${what} was accepted`);
        refused++;
      } catch (error) {
        assert.equal((error as { code?: string }).code, "malformed", String(error));
        malformed++;
      }
    };
    for (let i = 0; i < bytes.length; i++) {
      for (const bit of [1, 0x10, 0x80])
        check(
          bytes.map((byte, at) => (at === i ? byte ^ bit : byte)),
          `flip of byte ${i}`,
        );
      check(bytes.slice(0, i), `cut at ${i}`);
    }
    check(concat(bytes, bytes), "repetition");
  }
  assert.ok(malformed > 100 && refused > 500, `${malformed} malformed, ${refused} refused`);
});

test("inner operations of another shape are refused even where they hash to the root", () => {
  const tree = buildTree(entriesOf(["a", "b", "c"]));
  const key = utf8("a");
  const value = utf8("value of a");
  const { exist } = presence(tree, key);
  const [first, ...rest] = exist.path;
  assert.ok(first !== undefined);
  const longer = { prefix: first.prefix, suffix: concat(first.suffix, new Uint8Array(32)) };
  for (const path of [[longer, ...rest], [{ prefix: Uint8Array.of(2), suffix: first.suffix }, ...rest], rest])
    assert.ok(!ics23.verifyMembership(tree.root, { exist: { ...exist, path } }, key, value));
  // An empty key or value has no leaf: an absence is proved, never an empty presence.
  for (const empty of [
    { key: new Uint8Array(0), value },
    { key, value: new Uint8Array(0) },
  ])
    assert.equal(ics23.rootOfExistence({ ...exist, ...empty }), undefined);
  assert.ok(equal(ics23.rootOfExistence(exist) as Bytes, tree.root), toHex(tree.root));
});
