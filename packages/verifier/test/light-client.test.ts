import assert from "node:assert/strict";
import { test } from "node:test";
import { cometbft } from "@xinglin/crypto/pure";
import { concat, type Fault } from "@xinglin/primitives";
import { decodeLightBlock, encodeLightBlock } from "../src/light-block.ts";
import { LightClient, type LightClientOptions } from "../src/light-client.ts";
import { MAX_CLOCK_DRIFT_SECONDS } from "../src/light-step.ts";
import { forge, signCommit, TestChain, type TestValidator, testValidator, validatorSet } from "../src/testing/index.ts";

const CHAIN = "test-0123456789ab";
const four = ["a", "b", "c", "d"].map((name) => testValidator(name));
const others = ["p", "q", "r", "s"].map((name) => testValidator(name));

/** Twelve blocks; at 5 one of the four leaves for a newcomer, at 8 all do. */
async function chainWithChanges(): Promise<TestChain> {
  const chain = new TestChain(CHAIN, four);
  for (let height = 1; height <= 12; height++) {
    const nextValidators = height === 4 ? [...four.slice(1), testValidator("e")] : height === 7 ? others : undefined;
    await chain.next(nextValidators === undefined ? {} : { nextValidators });
  }
  return chain;
}
const chain = await chainWithChanges();
const at = (height: number): cometbft.LightBlock => chain.blocks[height - 1] as cometbft.LightBlock;
const fromGenesis = (options?: LightClientOptions): LightClient =>
  new LightClient({ chainId: CHAIN, validators: validatorSet(four) }, undefined, options);
const fromCheckpoint = (height: number): LightClient =>
  new LightClient({ chainId: CHAIN, height, headerHash: cometbft.headerHash(at(height).header) });
const code = (expected: string) => (error: unknown) => {
  assert.equal((error as Fault).code, expected, String(error));
  return true;
};

test("every block follows the one before, through every change of the validators", async () => {
  for (const options of [{ skipping: true }, { skipping: false }]) {
    const client = fromGenesis(options);
    for (const block of chain.blocks) assert.deepEqual(await client.advance(encodeLightBlock(block)), block.header);
    assert.equal(client.height, 12);
  }
});

test("a jump needs the same validators, or more than a third of the trusted power among those that signed", async () => {
  const sameSet = fromGenesis({ skipping: false });
  await sameSet.advance(at(3));
  await assert.rejects(sameSet.advance(at(5)), code("validators_unproven"));

  const threeOfFour = fromGenesis();
  await threeOfFour.advance(at(6));
  await assert.rejects(threeOfFour.advance(at(9)), code("validators_unproven"));
  await threeOfFour.advance(at(7));
  await threeOfFour.advance(at(12));

  // Exactly a third of the trusted power is not more than a third.
  const trusted = [testValidator("x", 1), testValidator("y", 2)];
  const jump = async (next: readonly TestValidator[]): Promise<unknown> => {
    const small = new TestChain(CHAIN, trusted);
    await small.next({ nextValidators: next });
    const client = new LightClient({ chainId: CHAIN, validators: validatorSet(trusted) });
    await small.next();
    return client.advance((await small.next()) as cometbft.LightBlock);
  };
  await assert.rejects(jump([testValidator("x", 9), testValidator("z", 1)]), code("validators_unproven"));
  await jump([testValidator("y", 9), testValidator("z", 1)]);
});

test("a checkpoint is where it starts, and only there", async () => {
  const client = fromCheckpoint(6);
  await assert.rejects(fromCheckpoint(6).advance(at(7)), code("checkpoint_differs"));
  await client.advance(at(6));
  await client.advance(at(7));
  await client.advance(at(11));
  const forged = await forge(at(6), { appHash: new Uint8Array(32) }, four);
  await assert.rejects(fromCheckpoint(6).advance(forged), code("checkpoint_differs"));
});

test("the same block again is answered, an older or another one at the same height is not", async () => {
  const client = fromGenesis();
  const header = await client.advance(at(3));
  assert.deepEqual(await client.advance(at(3)), header);
  await assert.rejects(client.advance(at(2)), code("header_not_newer"));
  await assert.rejects(client.advance(await forge(at(3), { appHash: new Uint8Array(32) }, four)), code("header_conflict"));
  assert.equal(client.height, 3);
});

test("two calls at once: the newest stands, and two histories do not both pass", async () => {
  const client = fromGenesis();
  await Promise.all([client.advance(at(3)), client.advance(at(2)), client.advance(at(4))]);
  assert.equal(client.height, 4);
  const torn = fromGenesis();
  const forged = await forge(at(3), { appHash: new Uint8Array(32) }, four);
  const outcomes = await Promise.allSettled([torn.advance(at(3)), torn.advance(forged)]);
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
});

test("each forgery is refused with its own code", async () => {
  const block = at(2);
  const { header, commit } = block;
  const sig = (index: number): Exclude<cometbft.CommitSig, { flag: "absent" }> => {
    const found = commit.signatures[index];
    assert.ok(found !== undefined && found.flag !== "absent");
    return found;
  };
  const withSignatures = (signatures: readonly cometbft.CommitSig[]): cometbft.LightBlock => ({
    ...block,
    commit: { ...commit, signatures },
  });
  const votes = async (flags: readonly cometbft.CommitSig["flag"][]): Promise<cometbft.LightBlock> => ({
    ...block,
    commit: await signCommit(header, commit.blockId, four, (index) => flags[index] ?? "commit"),
  });
  const changed = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte));
  const strangers = ["w", "x", "y", "z"].map((name) => testValidator(name));

  const refused: [string, cometbft.LightBlock][] = [
    ["header_chain", await forge(block, { chainId: "another-0123456789" }, four)],
    ["header_protocol", await forge(block, { version: { block: 10, app: 1 } }, four)],
    ["header_time", await forge(block, { time: at(1).header.time }, four)],
    ["header_validators", { ...block, validators: validatorSet([...four.slice(1), testValidator("e")]) }],
    ["validators_unproven", await forge(block, {}, strangers)],
    ["commit_block", { ...block, header: { ...header, appHash: changed(header.appHash) } }],
    ["commit_block", { ...block, commit: { ...commit, height: 3 } }],
    ["commit_count", withSignatures(commit.signatures.slice(1))],
    ["commit_address", withSignatures([sig(1), sig(0), sig(2), sig(3)])],
    ["commit_signature", withSignatures([{ ...sig(0), signature: changed(sig(0).signature) }, sig(1), sig(2), sig(3)])],
    ["commit_signature", withSignatures([{ ...sig(0), timestamp: { seconds: 1, nanos: 0 } }, sig(1), sig(2), sig(3)])],
    ["commit_signature", withSignatures([{ ...sig(0), flag: "nil" }, sig(1), sig(2), sig(3)])],
    ["commit_signature", { ...block, commit: { ...commit, round: 1 } }],
    ["commit_power", await votes(["absent", "absent"])],
    ["commit_power", await votes(["nil", "nil"])],
    ["malformed", { ...block, validators: [] }],
  ];
  for (const [expected, forged] of refused) {
    const client = fromGenesis();
    await client.advance(at(1));
    await assert.rejects(client.advance(forged), code(expected), expected);
    assert.equal(client.height, 1);
  }
  // Three of four votes are more than two thirds.
  const client = fromGenesis();
  await client.advance(at(1));
  await client.advance(await votes(["absent"]));
});

test("exactly two thirds of the power are not enough", async () => {
  const validators = [testValidator("x", 2), testValidator("y", 1)];
  const small = new TestChain(CHAIN, validators);
  const block = await small.next({ vote: (index) => (index === 0 ? "commit" : "absent") });
  const client = new LightClient({ chainId: CHAIN, validators: validatorSet(validators) });
  await assert.rejects(client.advance(block), code("commit_power"));
});

test("a header of the future is refused against the caller's clock", async () => {
  const seconds = at(1).header.time.seconds;
  await fromGenesis().advance(at(1), seconds - MAX_CLOCK_DRIFT_SECONDS + 1);
  await assert.rejects(fromGenesis().advance(at(1), seconds - MAX_CLOCK_DRIFT_SECONDS), code("header_future"));
});

test("every flipped or added byte of a light block is refused", async () => {
  const bytes = encodeLightBlock(at(1));
  // The portable curve would take minutes for so many; a signature here is right if it is the one that was made.
  const right = new Set(at(1).commit.signatures.map((sig) => (sig.flag === "absent" ? "" : sig.signature.join())));
  const known = new Map<string, string>();
  at(1).commit.signatures.forEach((sig, index) => {
    if (sig.flag !== "absent")
      known.set(sig.signature.join(), cometbft.commitSignBytes(CHAIN, at(1).commit, index)?.join() ?? "");
  });
  const verify = (_: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean =>
    right.has(signature.join()) && known.get(signature.join()) === message.join();
  const accepts = async (changed: Uint8Array): Promise<boolean> => {
    try {
      await new LightClient({ chainId: CHAIN, validators: validatorSet(four) }, verify).advance(changed);
      return true;
    } catch (error) {
      assert.equal((error as Error).name, "Fault", String(error));
      return false;
    }
  };
  assert.ok(await accepts(bytes));
  for (let i = 0; i < bytes.length; i++)
    assert.ok(!(await accepts(bytes.map((byte, place) => (place === i ? byte ^ 1 : byte)))), `a flip of byte ${i} was accepted`);
  for (const extra of [concat(bytes, Uint8Array.of(0)), concat(bytes, bytes)]) assert.ok(!(await accepts(extra)));
  assert.deepEqual(decodeLightBlock(bytes), at(1));
});
