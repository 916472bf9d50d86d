/** What a probe makes of answers that are right, late, old, false or too long. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { cometbft } from "@xinglin/crypto/pure";
import type { Bytes, MemberId } from "@xinglin/primitives";
import { forge, testValidator } from "@xinglin/verifier/testing";
import { signStatement } from "../../src/probing/node-statement.ts";
import { PeerProbe } from "../../src/probing/peer-probe.ts";
import { administrationOf, CHAIN_ID, type Conduct, FakeChain, fakeNodes, seeded, urlOf } from "../support/fake-chain.ts";

const MEMBERS = ["a", "b", "c", "d"];
const chain = new FakeChain(MEMBERS);
await chain.grow(60);

function probe(how: Conduct, timeoutMs = 5_000) {
  let clock = 0;
  const nodes = fakeNodes(
    chain,
    () => how,
    (milliseconds) => {
      clock += milliseconds;
    },
  );
  const { signal } = new AbortController();
  const options = { timeoutMs, signal, now: () => clock, random: seeded(1), fetch: nodes.fetch };
  return new PeerProbe({ member: "b" as MemberId, url: urlOf("b") }, chain.ledger, options);
}
const encoded = (block: cometbft.LightBlock): Bytes => cometbft.encodeLightBlock(block);
const at = (height: number): cometbft.LightBlock => chain.chain.blocks[height - 1] as cometbft.LightBlock;
const all = MEMBERS.map((member) => testValidator(member));

test("a right and fresh light block is an answer; of a node that is ahead or a little behind, too", async () => {
  assert.equal(await probe({}).answers(), true);
  assert.equal(await probe({ newest: () => encoded(at(40)) }).answers(), true);
  chain.behind = 3;
  try {
    assert.equal(await probe({ newest: () => encoded(at(60)) }).answers(), true);
  } finally {
    chain.behind = 0;
  }
});

const wrong: Record<string, Conduct> = {
  "nobody there": { down: true },
  "a page instead": { newest: () => new Response("<html>", { status: 200 }) },
  "an error": { newest: () => new Response("{}", { status: 503 }) },
  "an old block": { newest: () => encoded(at(20)) },
  "too much": { newest: () => new Uint8Array(1_048_577) },
};
for (const [name, how] of Object.entries(wrong))
  test(`${name} is no answer`, async () => assert.equal(await probe(how).answers(), false));

test("a header that the chain does not have is no answer, below and above this node's height", async () => {
  const other = await forge(at(60), { appHash: new Uint8Array(32) }, all);
  assert.equal(await probe({ newest: () => encoded(other) }).answers(), false);
  chain.behind = 3;
  try {
    const few = await forge(at(60), {}, all, (index) => (index < 2 ? "commit" : "absent"));
    assert.equal(await probe({ newest: () => encoded(few) }).answers(), false);
  } finally {
    chain.behind = 0;
  }
});

test("an answer that never ends is given up", async () => {
  const hang = new Response(new ReadableStream({ pull: () => new Promise(() => {}) }));
  assert.equal(await probe({ newest: () => hang }, 20).answers(), false);
});

test("free space counts if its own member signed it for this question", async () => {
  assert.equal(await probe({ freeMegabytes: 1234 }).freeMegabytes(), 1234);
  const statement =
    (by: string, changed: object = {}) =>
    (nonce: Bytes) =>
      signStatement(administrationOf(by), { chain: CHAIN_ID, nonce, freeMegabytes: 9, ...changed });
  assert.equal(await probe({ statement: statement("b") }).freeMegabytes(), 9);
  assert.equal(await probe({ statement: statement("c") }).freeMegabytes(), undefined, "another member's");
  assert.equal(await probe({ statement: statement("stranger") }).freeMegabytes(), undefined);
  assert.equal(
    await probe({ statement: statement("b", { nonce: new Uint8Array(32) }) }).freeMegabytes(),
    undefined,
    "an old one",
  );
  assert.equal(await probe({ statement: statement("b", { chain: "another" }) }).freeMegabytes(), undefined);
  const stolen = async (nonce: Bytes) =>
    signStatement({ ...administrationOf("c"), actor: administrationOf("b").actor }, { chain: CHAIN_ID, nonce, freeMegabytes: 9 });
  assert.equal(await probe({ statement: stolen }).freeMegabytes(), undefined, "by a key that is not b's");
});

test("a transfer is bytes by time, of blocks that are the chain's", async () => {
  assert.equal(await probe({ msPerKilobyte: 10 }).transfer(20_000), 100);
  assert.equal(
    await probe({ msPerKilobyte: 0.001 })
      .transfer(20_000)
      .then((rate) => (rate as number) > 10_000),
    true,
  );
  assert.equal(await probe({ down: true }).transfer(20_000), 0);
  assert.equal(await probe({ range: (blocks) => blocks.slice(1) }).transfer(20_000), 0, "not from where it was asked");
  assert.equal(await probe({ range: (blocks) => blocks.slice(0, 2) }).transfer(20_000), 0, "too few");
  assert.equal(await probe({ range: (blocks) => blocks.map(() => new Uint8Array(1_000)) }).transfer(20_000), 0, "no blocks");
  assert.equal(await probe({ range: (blocks) => [...blocks].reverse() }).transfer(20_000), 0);
});

test("a transfer keeps to what was allowed, and is left out while the chain is too short", async () => {
  let asked = 0;
  const range = (blocks: Bytes[]): Bytes[] => {
    asked = blocks.reduce((sum, { length }) => sum + length, 0);
    return blocks;
  };
  await probe({ range }).transfer(20_000);
  assert.ok(asked > 10_000 && asked <= 20_500, `${asked} bytes`);
  const young = new FakeChain(MEMBERS);
  await young.grow(10);
  const { signal } = new AbortController();
  const options = { timeoutMs: 1_000, signal, now: () => 0, random: seeded(1), fetch: fakeNodes(young, () => ({})).fetch };
  const early = new PeerProbe({ member: "b" as MemberId, url: urlOf("b") }, young.ledger, options);
  assert.equal(await early.transfer(20_000), undefined);
  assert.equal(await early.answers(), true);
});
