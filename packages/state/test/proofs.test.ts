/** Proofs of presence and absence, judged by the project's own strict verifier; the Go reference judges them in ics23.test.ts. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ics23 } from "@xinglin/crypto/pure";
import type { Proof } from "../src/index.ts";
import { block, del, fresh, put } from "./fixture.ts";

const accepted = ({ key, value, proof, root }: Proof): boolean => {
  const decoded = ics23.decodeProof(proof);
  const raw = Buffer.from(key);
  return value === undefined ? ics23.verifyNonMembership(root, decoded, raw) : ics23.verifyMembership(root, decoded, raw, value);
};

test("every key of a map of any size from one is proved, every other key's absence too", async (t) => {
  let present = 0;
  let absent = 0;
  for (const size of [1, 2, 3, 30, 64, 65, 700]) {
    const { state } = await fresh(t);
    await block(
      state,
      1,
      Array.from({ length: size }, (_, i) => put(`病历/${i}`, `v${i}`)),
    );
    for (let i = 0; i < size; i++) {
      const proof = state.prove(`病历/${i}`);
      assert.equal(Buffer.from(proof.value ?? []).toString(), `v${i}`);
      assert.ok(accepted(proof));
      present++;
    }
    for (let i = 0; i < 200; i++) {
      const proof = state.prove(`none/${i}`);
      assert.equal(proof.value, undefined);
      assert.ok(accepted(proof), `size ${size}, none/${i}`);
      absent++;
    }
  }
  assert.ok(present > 800 && absent > 800);
});

test("in an empty map an absence has no neighbours and holds for the empty root only", async (t) => {
  const { state } = await fresh(t);
  const proof = state.prove("a");
  assert.deepEqual(proof.root, new Uint8Array(32));
  assert.ok(accepted(proof));
  await block(state, 1, [put("b", "1")]);
  assert.ok(!accepted({ ...proof, root: state.root }));
  await block(state, 2, [del("b")]);
  assert.ok(accepted(state.prove("b")));
});

test("a proof holds for its own root, key and value, and a flipped bit anywhere in it is refused", async (t) => {
  const { state } = await fresh(t);
  await block(
    state,
    1,
    Array.from({ length: 300 }, (_, i) => put(`k/${i}`, `v${i}`)),
  );
  const proofs = [state.prove("k/17"), state.prove("none")];
  let refused = 0;
  for (const proof of proofs) {
    for (let bit = 0; bit < 8 * proof.proof.length; bit++) {
      const bytes = Uint8Array.from(proof.proof);
      bytes[bit >> 3] = (bytes[bit >> 3] as number) ^ (1 << (bit & 7));
      assert.ok(!acceptedOrMalformed({ ...proof, proof: bytes }), `bit ${bit}`);
      refused++;
    }
    assert.ok(!accepted({ ...proof, root: new Uint8Array(32).fill(1) }));
    assert.ok(!accepted({ ...proof, key: "k/18" }));
  }
  const [presence, absence] = proofs as [Proof, Proof];
  assert.ok(!accepted({ ...presence, value: Buffer.from("v18") }));
  assert.ok(!accepted({ ...presence, value: undefined }));
  assert.ok(!accepted({ ...absence, value: Buffer.from("v") }));
  assert.ok(refused > 5_000);
});

function acceptedOrMalformed(proof: Proof): boolean {
  try {
    return accepted(proof);
  } catch {
    return false;
  }
}

test("each kept height is proved against its own root, long after, from memory and from disk", async (t) => {
  const opened = await fresh(t, { windowBytes: 400_000, cacheBytes: 50_000 });
  const roots = new Map<number, Uint8Array>();
  for (let height = 1; height <= 40; height++) {
    const changes = Array.from({ length: 60 }, (_, i) => {
      const key = `k/${(height * 37 + i * 11) % 900}`;
      return (height + i) % 5 === 0 ? del(key) : put(key, `v${height}`);
    });
    await block(opened.state, height, changes);
    roots.set(height, opened.state.root);
  }
  let present = 0;
  let absent = 0;
  for (const _ of ["memory", "disk"]) {
    for (const [height, root] of roots) {
      for (let i = 0; i < 900; i += 90) {
        const proof = opened.state.prove(`k/${i}`, height);
        assert.deepEqual(proof.root, root);
        assert.ok(accepted(proof));
        if (proof.value === undefined) absent++;
        else present++;
      }
    }
    await opened.reopen();
  }
  assert.ok(present > 100 && absent > 100, `${present} present, ${absent} absent`);
});
