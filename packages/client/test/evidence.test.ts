import assert from "node:assert/strict";
import { test } from "node:test";
import { cbor, type Fault, fromHex, utf8 } from "@xinglin/primitives";
import { decodeEvidence, encodeLightBlock, genesisTrust, headerHash, type LightBlock, verifyEvidence } from "@xinglin/verifier";
import { TestChain, TestState, type TestValidator, testValidator, validatorSet } from "@xinglin/verifier/testing";
import type { ApiClient } from "../src/api-client.ts";
import { collectEvidence } from "../src/evidence.ts";
import type { Identity } from "../src/identity.ts";
import { TrustedChain } from "../src/trusted-chain.ts";

const people = "abcdefghij".split("").map((name) => testValidator(name));
const set = (...names: string[]): TestValidator[] => names.map((name) => people["abcdefghij".indexOf(name)] as TestValidator);
const first = set("a", "b", "c", "d");
const genesis = cbor.encode({
  type: "xinglin-genesis/1",
  name: "test",
  validators: validatorSet(first).map((validator) => ({ ...validator, member: "commission" })),
});
const trust = genesisTrust(genesis);

/** Changes after these heights; all leave after 12, and after 30 the set of before 20 comes back. */
const changes: Record<number, TestValidator[]> = {
  5: set("a", "b", "c", "e"),
  12: set("f", "g", "h"),
  20: set("f", "g", "i"),
  30: set("f", "g", "h"),
  44: set("a", "g", "h"),
};
const chain = new TestChain(trust.chainId, first);
const state = new TestState({ a: utf8("value of a"), b: utf8("value of b") });
for (let height = 1; height <= 50; height++) {
  const nextValidators = changes[height];
  await chain.next({ appHash: state.root, ...(nextValidators === undefined ? {} : { nextValidators }) });
}
const at = (height: number): LightBlock => chain.blocks[height - 1] as LightBlock;

/** What of an API the gathering needs. `heights` fills with the light blocks that were asked for. */
function api(blocks: readonly LightBlock[], proveAt: Record<string, number>): ApiClient & { heights: number[] } {
  const heights: number[] = [];
  const lightBlock = (height: number): Uint8Array => encodeLightBlock(blocks[height - 1] as LightBlock);
  return {
    url: "http://localhost:1",
    heights,
    genesis: async () => ({ bytes: genesis, chainId: trust.chainId }),
    getBytes: async (path: string) => {
      const height = Number(/^\/v1\/light-blocks\/(\d+)/.exec(path)?.[1]);
      heights.push(height);
      return lightBlock(height);
    },
    prove: async (_: Identity, key: string) => {
      const height = proveAt[key] as number;
      return { height, ...state.prove(key), lightBlock: lightBlock(height + 1) };
    },
  } as unknown as ApiClient & { heights: number[] };
}
const identity = {} as Identity;
const collect = (client: ApiClient, ...keys: string[]) => collectEvidence(client, identity, { keys, sequences: [] });
const heightsOf = (file: Uint8Array): number[] => decodeEvidence(file).headers.map(({ header }) => header.height);

test("a file leads over every change of the validators, and no other block is in it", async () => {
  const client = api(chain.blocks, { a: 47 });
  const file = await collect(client, "a");
  assert.deepEqual(heightsOf(file), [5, 12, 20, 30, 44, 48]);
  assert.ok(client.heights.length < 40, `${client.heights.length} requests for 50 blocks`);
  const verdict = await verifyEvidence(file, { genesis: trust });
  assert.ok(verdict.ok);
  assert.deepEqual(
    verdict.proves.map(({ code, height }) => [code, height]),
    [["state_held", 47]],
  );
  assert.deepEqual(verdict.assumes.find(({ code }) => code === "validators_honest")?.facts, { validators: 9, sets: 5 });
});

test("statements between the changes bring the changes around them along", async () => {
  const file = await collect(api(chain.blocks, { a: 24, b: 47 }), "a", "b");
  assert.deepEqual(heightsOf(file), [5, 12, 20, 25, 30, 44, 48]);
  assert.ok((await verifyEvidence(file, { genesis: trust })).ok);
  const checkpoint = { height: 5, hash: headerHash(at(5).header) };
  const verdict = await verifyEvidence(file, { checkpoint });
  assert.ok(verdict.ok, "the same file serves whoever trusts its first header");
});

test("a node that hides a change, or contradicts itself about one, gives no file", async () => {
  // The block of the change is replaced by its successor's content: the heights do not fit.
  const hidden = chain.blocks.map((block, i) => (i === 11 ? at(13) : block));
  await assert.rejects(collect(api(hidden, { a: 47 }), "a"), (error: Fault) =>
    /^(header|validators|malformed|evidence)/.test(error.code),
  );
  const stranger = new TestChain(trust.chainId, set("i", "j"));
  for (let height = 1; height <= 50; height++) await stranger.next({ appHash: state.root });
  await assert.rejects(collect(api(stranger.blocks, { a: 47 }), "a"), { code: "validators_unproven" });
  const mixed = [...stranger.blocks.slice(0, 47), ...chain.blocks.slice(47)];
  await assert.rejects(collect(api(mixed, { a: 47 }), "a"), (error: Fault) => /^(header|validators)/.test(error.code));
});

test("a reader of single proofs follows the same changes, upwards and back down", async () => {
  const client = api(chain.blocks, { a: 47, b: 24 });
  const trusted = await TrustedChain.of(client);
  assert.equal((await trusted.prove(identity, "a")).height, 47);
  const before = client.heights.length;
  assert.equal((await trusted.prove(identity, "b")).height, 24);
  await assert.rejects(
    trusted.header(encodeLightBlock({ ...at(48), header: { ...at(48).header, appHash: fromHex("00".repeat(32)) } })),
    { code: "header_conflict" },
  );
  assert.ok(client.heights.length - before < 12);
});
