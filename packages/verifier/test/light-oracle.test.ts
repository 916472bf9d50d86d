/** Random chains whose validators come, go and change power, judged by CometBFT's light client and by ours: the verdicts must be the same. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCurves, nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft, sha256 } from "@xinglin/crypto/pure";
import { equal, Fault, toHex, utf8 } from "@xinglin/primitives";
import { LightFollower } from "../src/light-follower.ts";
import { anchorOf, verifyStep } from "../src/light-step.ts";
import { forge, TestChain, type TestValidator, testSource } from "../src/testing/index.ts";
import { type Answer, askCometbft, type Check, whatIsMissing } from "./support/go-light.ts";

const missing = whatIsMissing();
const CHAIN = "oracle-0123456789ab";
const CHAINS = 200;
const verify = nodeCurves.ed25519;
const hex = (block: cometbft.LightBlock): string => toHex(cometbft.encodeLightBlock(block));

/** A generator of whole numbers below `n`, the same for the same seed. Source: xorshift32. */
function dice(seed: number): (n: number) => number {
  let x = (seed * 2_654_435_761) >>> 0 || 1;
  return (n) => {
    x ^= x << 13;
    x >>>= 0;
    x ^= x >>> 17;
    x ^= x << 5;
    x >>>= 0;
    return x % n;
  };
}
const people = new Map<number, TestValidator["signer"]>();
const validator = (name: number, power: number): TestValidator => {
  const signer = people.get(name) ?? nodeEd25519Signer(sha256(utf8(`v${name}`)));
  people.set(name, signer);
  return { signer, power };
};

/** Twelve blocks of two to six validators; at most of them powers move, somebody leaves or somebody comes; some do not sign. */
async function randomChain(roll: (n: number) => number): Promise<TestChain> {
  let next = 10;
  let names = Array.from({ length: 2 + roll(5) }, (_, i) => ({ name: i, power: 1 + roll(9) }));
  const asValidators = (): TestValidator[] => names.map(({ name, power }) => validator(name, power));
  const chain = new TestChain(CHAIN, asValidators());
  for (let height = 1; height <= 12; height++) {
    const current = chainSet(asValidators());
    const absent = new Set<number>();
    let left = current.reduce((sum, power) => sum + power, 0);
    const least = left;
    for (const [index, power] of current.entries())
      if (roll(3) === 0 && 3 * (left - power) > 2 * least) {
        absent.add(index);
        left -= power;
      }
    const change = roll(4);
    if (change === 0) names = names.map(({ name, power }) => ({ name, power: roll(2) === 0 ? power : 1 + roll(9) }));
    if (change === 1 && names.length > 2) names = names.toSpliced(roll(names.length), 1);
    if (change === 2 && names.length < 6) names = [...names, { name: next++, power: 1 + roll(9) }];
    if (roll(12) === 0) names = Array.from({ length: 2 + roll(3) }, () => ({ name: next++, power: 1 + roll(9) }));
    await chain.next({
      nextValidators: asValidators(),
      vote: (index) => (absent.has(index) ? (index % 2 === 0 ? "absent" : "nil") : "commit"),
      seconds: 1 + roll(30),
    });
  }
  return chain;
}
const chainSet = (validators: readonly TestValidator[]): number[] =>
  cometbft
    .sortValidators(validators.map(({ signer, power }) => ({ publicKey: signer.publicKey, power })))
    .map(({ power }) => power);

interface Case {
  readonly check: Check;
  readonly ours: () => Promise<string>;
}
const outcome = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return "ok";
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
};

/** One step from a random block to a random later one; now and then the later one was made by others, or the trust is about to end. */
async function stepCase(chain: TestChain, roll: (n: number) => number): Promise<Case> {
  const from = chain.blocks[roll(11)] as cometbft.LightBlock;
  const honest = chain.blocks[from.header.height + roll(12 - from.header.height)] as cometbft.LightBlock;
  const thieves = [...insidersOf(from, roll), validator(99, 3)];
  const block = roll(3) === 0 ? await forge(honest, { appHash: new Uint8Array(32) }, thieves) : honest;
  const nowSeconds = block.header.time.seconds + (roll(4) === 0 ? roll(3) - 11 : 5);
  return {
    check: { op: "verify", trusted: hex(from), bytes: hex(block), nowSeconds },
    ours: () => outcome(verifyStep(anchorOf(from), block, { verify, jumps: "overlap", now: nowSeconds })),
  };
}

/** A whole client from the first block to the last, which now and then is made up or comes when the trust is over. */
async function clientCase(chain: TestChain, roll: (n: number) => number): Promise<Case> {
  const first = chain.blocks[0] as cometbft.LightBlock;
  const last = chain.blocks[11] as cometbft.LightBlock;
  const strangers = [validator(90, 1), validator(91, 1), validator(92, 1)];
  const newest =
    roll(4) > 0 ? last : await forge(last, {}, roll(2) === 0 ? strangers : [...strangers, ...insidersOf(first, roll)]);
  const blocks = [...chain.blocks.slice(0, 11), newest];
  const age = last.header.time.seconds - first.header.time.seconds;
  const nowSeconds = last.header.time.seconds + 1;
  const periodSeconds = roll(4) === 0 ? age + roll(4) : 100_000;
  const source = testSource("primary", blocks);
  const places = blocks.map((_, i) => i);
  return {
    check: { op: "client", blocks: blocks.map(hex), nodes: [places, places], height: 12, nowSeconds, periodSeconds },
    ours: async () => {
      const trust = { chainId: CHAIN, height: 1, headerHash: cometbft.headerHash(first.header) };
      const options = { trust, primary: source, witnesses: [source], verify, now: () => nowSeconds };
      return outcome((await LightFollower.open({ ...options, trustingPeriodSeconds: periodSeconds })).update());
    },
  };
}
const insidersOf = (block: cometbft.LightBlock, roll: (n: number) => number): TestValidator[] =>
  [...people].flatMap(([name, { publicKey }]) =>
    roll(2) === 0 && block.validators.some((one) => equal(one.publicKey, publicKey)) ? [validator(name, 5)] : [],
  );

test(`${CHAINS} random chains: the same verdict on a jump and on a whole update`, { skip: missing }, async () => {
  const cases: Case[] = [];
  for (let seed = 1; seed <= CHAINS; seed++) {
    const roll = dice(seed);
    const chain = await randomChain(roll);
    cases.push(await stepCase(chain, roll), await clientCase(chain, roll));
  }
  const answers = askCometbft(
    CHAIN,
    cases.map(({ check }) => check),
  );
  const counts = new Map<string, number>();
  for (const [i, { check, ours }] of cases.entries()) {
    const told = await ours();
    const { ok, error } = answers[i] as Answer;
    assert.equal(told === "ok", ok, `seed ${(i >> 1) + 1} ${check.op}: ${told} here, ${error ?? "accepted"} by CometBFT`);
    counts.set(`${check.op} ${told}`, (counts.get(`${check.op} ${told}`) ?? 0) + 1);
  }
  for (const kind of ["verify ok", "verify validators_unproven", "verify header_future", "client ok", "client trust_expired"])
    assert.ok((counts.get(kind) ?? 0) >= 10, `generator too narrow: ${JSON.stringify(Object.fromEntries(counts))}`);
});
