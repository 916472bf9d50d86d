import assert from "node:assert/strict";
import { test } from "node:test";
import { merkle } from "@xinglin/crypto/pure";
import { utf8 } from "@xinglin/primitives";
import { LightClient } from "../src/light-client.ts";
import { verifyLogEntry, verifyState } from "../src/state.ts";
import { TestChain, TestState, testValidator, validatorSet } from "../src/testing/index.ts";

const validators = [testValidator("solo")];
const state = new TestState({ a: utf8("1"), b: utf8("2"), c: utf8("3") });
const chain = new TestChain("test-0123456789ab", validators);
const block = await chain.next({ appHash: state.root });
const header = await new LightClient({ chainId: chain.chainId, validators: validatorSet(validators) }).advance(block);

test("a header proves what the state held and what it did not, and nothing else", () => {
  const { key, value, proof } = state.prove("a");
  assert.ok(value !== undefined);
  assert.ok(verifyState(header, { key, value, proof }));
  assert.ok(verifyState(header, { key: utf8(key), value, proof }));
  assert.ok(verifyState(header, state.prove("z")));
  const wrong = [
    { key, proof },
    { key, value: utf8("2"), proof },
    { key: "b", value, proof },
    { key, value, proof: proof.subarray(1) },
    { key, value, proof: new Uint8Array(0) },
    { ...state.prove("z"), key: "a" },
    { ...state.prove("z"), value },
  ];
  for (const other of wrong) assert.ok(!verifyState(header, other));
});

test("an entry stands at its place in the log", () => {
  const entries = ["x", "y", "z"].map(utf8);
  const root = merkle.root(entries);
  const path = merkle.inclusionProof(entries, 1);
  assert.ok(verifyLogEntry(utf8("y"), 1, 3, path, root));
  assert.ok(!verifyLogEntry(utf8("y"), 0, 3, path, root));
  assert.ok(!verifyLogEntry(utf8("x"), 1, 3, path, root));
});
