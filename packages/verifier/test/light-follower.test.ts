import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCurves } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { Fault, toHex } from "@xinglin/primitives";
import { decodeFork, encodeFork, verifyFork } from "../src/fork-file.ts";
import type { AttackKind } from "../src/light-attack.ts";
import { type FollowerOptions, LightFollower } from "../src/light-follower.ts";
import { memoryLightStore } from "../src/light-store.ts";
import {
  forge,
  TestChain,
  type TestSource,
  type TestValidator,
  testLatticeValidator,
  testSource,
  testValidator,
  validatorSet,
} from "../src/testing/index.ts";
import { askCometbft, type Check, whatIsMissing } from "./support/go-light.ts";

const CHAIN = "test-0123456789ab";
const verify = nodeCurves.ed25519;
const four = ["a", "b", "c", "d"].map((name) => testValidator(name));
const [a, b, c, d] = four as [TestValidator, TestValidator, TestValidator, TestValidator];
const others = ["p", "q", "r"].map((name) => testValidator(name));
const zero = new Uint8Array(32);

/** Forty blocks, two minutes apart; all validators are replaced after 10, and one of the new after 30. */
const chain = new TestChain(CHAIN, four);
for (let height = 1; height <= 40; height++) {
  const nextValidators = height === 10 ? others : height === 30 ? [...others.slice(1), a] : undefined;
  await chain.next({ seconds: 120, ...(nextValidators === undefined ? {} : { nextValidators }) });
}
const upTo = (height: number): cometbft.LightBlock[] => chain.blocks.slice(0, height);
const at = (height: number): cometbft.LightBlock => chain.blocks[height - 1] as cometbft.LightBlock;
const secondsAt = (height: number): number => at(height).header.time.seconds + 1;
const genesis = { chainId: CHAIN, validators: validatorSet(four), time: at(1).header.time.seconds };
const checkpoint = (height: number) => ({ chainId: CHAIN, height, headerHash: cometbft.headerHash(at(height).header) });

interface World {
  readonly primary: TestSource;
  readonly witnesses: readonly TestSource[];
  now: number;
  open(more?: Partial<FollowerOptions>): Promise<LightFollower>;
}
function world(height: number, witnesses: readonly TestSource[] = []): World {
  const primary = testSource("primary", upTo(height));
  const made: World = {
    primary,
    witnesses,
    now: secondsAt(height),
    open: (more) => LightFollower.open({ trust: genesis, primary, witnesses, verify, now: () => made.now, ...more }),
  };
  return made;
}
const code = (expected: string) => (error: unknown) => {
  assert.equal((error as Fault).code, expected, String(error));
  return true;
};

test("from the genesis over every change of the validators, with few blocks fetched", async () => {
  const { primary, open } = world(40);
  const report = await (await open()).update();
  assert.equal(report.height, 40);
  assert.deepEqual(report.hash, cometbft.headerHash(at(40).header));
  assert.deepEqual([report.validators, report.signed, report.isSoleKey, report.isBehind], [3, 3, false, false]);
  // The change at 10 leaves nobody: 10 and 11 are needed, found by halving.
  assert.ok(primary.asked.includes(10) && primary.asked.includes(11), primary.asked.join());
  assert.ok(primary.asked.length < 14, primary.asked.join());
});

test("from a checkpoint, and only from that one", async () => {
  const { primary, open } = world(40);
  const follower = await open({ trust: checkpoint(31) });
  assert.equal((await follower.update()).height, 40);
  assert.deepEqual(primary.asked, [31, "newest"]);
  const wrong = await open({ trust: { ...checkpoint(31), headerHash: zero } });
  await assert.rejects(wrong.update(), code("checkpoint_differs"));
});

test("trust ends with the trusting period, to the second, and begins anew with a checkpoint", async () => {
  const trustingPeriodSeconds = 1_000;
  const stage = world(40);
  const old = await stage.open({ trustingPeriodSeconds });
  await assert.rejects(old.update(), code("trust_expired"));
  assert.deepEqual(stage.primary.asked, [], "an expired genesis is not even asked about");

  const store = memoryLightStore();
  stage.primary.blocks = upTo(20);
  stage.now = secondsAt(20);
  await (await stage.open({ trust: checkpoint(18), store, trustingPeriodSeconds })).update();
  stage.primary.blocks = upTo(40);
  stage.now = at(20).header.time.seconds + trustingPeriodSeconds;
  const atTheLast = await stage.open({ trust: checkpoint(18), store, trustingPeriodSeconds });
  stage.primary.blocks = upTo(28);
  assert.equal((await atTheLast.update()).height, 28, "the header's own nanoseconds are left");
  stage.now = at(28).header.time.seconds + trustingPeriodSeconds + 1;
  await assert.rejects(
    (await stage.open({ trust: checkpoint(18), store, trustingPeriodSeconds })).update(),
    code("trust_expired"),
  );
  // The same store with what a trusted person said goes on, and remembers since when.
  stage.primary.blocks = upTo(40);
  stage.now = secondsAt(40);
  const renewed = await (await stage.open({ trust: checkpoint(36), store, trustingPeriodSeconds })).update();
  assert.deepEqual([renewed.height, renewed.since], [40, secondsAt(20)]);
});

test("a header of the future, or one whose validators are unproven, moves nothing", async () => {
  const stage = world(20);
  const follower = await stage.open();
  await follower.update();
  stage.primary.blocks = upTo(30);
  stage.now = at(30).header.time.seconds - 10;
  await assert.rejects(follower.update(), code("header_future"));
  stage.now = secondsAt(30);
  const strangers = ["x", "y"].map((name) => testValidator(name));
  stage.primary.blocks = [...upTo(29), await forge(at(30), {}, strangers)];
  await assert.rejects(follower.update(), code("validators_unproven"));
  stage.primary.blocks = [...upTo(29), await forge(at(30), {}, others, (i) => (i === 0 ? "absent" : "commit"))];
  await assert.rejects(follower.update(), code("commit_power"));
  assert.equal(follower.newest?.header.height, 20);
  stage.primary.blocks = upTo(30);
  assert.equal((await follower.update()).height, 30);
});

test("after a reload it goes on from what the store holds; a damaged store starts again", async () => {
  const stage = world(20);
  const store = memoryLightStore();
  await (await stage.open({ store })).update();
  stage.primary.asked.length = 0;
  stage.primary.blocks = upTo(25);
  stage.now = secondsAt(25);
  const again = await stage.open({ store });
  assert.equal(again.newest?.header.height, 20);
  assert.equal((await again.update()).since, secondsAt(20));
  assert.deepEqual(stage.primary.asked, ["newest"], "one block, since nothing changed");
  const bytes = (await store.load()) as Uint8Array;
  await store.save(bytes.subarray(0, bytes.length - 1));
  const anew = await stage.open({ store });
  assert.equal(anew.newest, undefined);
  assert.equal((await anew.update()).height, 25);
});

test("what it keeps stays small: one block a day, and those that lead over a change", async () => {
  const long = new TestChain(CHAIN, four);
  const store = memoryLightStore();
  const primary = testSource("primary", []);
  let now = 0;
  for (let height = 1; height <= 120; height++) {
    await long.next({ seconds: 21_600, ...(height === 50 ? { nextValidators: others } : {}) });
    primary.blocks = long.blocks;
    now = (long.blocks.at(-1) as cometbft.LightBlock).header.time.seconds + 1;
    await (await LightFollower.open({ trust: genesis, primary, witnesses: [], verify, now: () => now, store })).update();
  }
  const size = ((await store.load()) as Uint8Array).length;
  assert.ok(size < 50_000, `${size} bytes after 30 days of four looks`);
});

test("other nodes are asked: who agrees, who is behind, who can't be reached, who answers nonsense", async () => {
  const [agrees, behind, gone, lies, false_] = ["w1", "w2", "w3", "w4", "w5"].map((name) =>
    testSource(name, upTo(40)),
  ) as TestSource[] as [TestSource, TestSource, TestSource, TestSource, TestSource];
  behind.blocks = upTo(35);
  gone.fault = new Fault("api_unreachable", {}, { retry: true });
  lies.fault = new Fault("malformed");
  // Another header without the signatures for it is a lie of the witness, and no evidence against anybody.
  false_.blocks = [...upTo(39), { ...at(40), header: { ...at(40).header, appHash: zero } }];
  const stage = world(40, [agrees, behind, gone, lies, false_]);
  const follower = await stage.open();
  const { witnesses, height } = await follower.update();
  assert.equal(height, 40);
  assert.deepEqual(witnesses, [
    { name: "w1", outcome: "agrees" },
    { name: "w2", outcome: "behind" },
    { name: "w3", outcome: "unreachable", code: "api_unreachable" },
    { name: "w4", outcome: "dropped", code: "malformed" },
    { name: "w5", outcome: "dropped", code: "commit_block" },
  ]);
  assert.equal(follower.fork, undefined);
});

test("where few are asked at a look, each has its turn", async () => {
  const witnesses = Array.from({ length: 5 }, (_, i) => testSource(`w${i}`, upTo(40)));
  const stage = world(12, witnesses);
  const follower = await stage.open({ witnessesAtOnce: 2 });
  assert.equal((await follower.update()).witnesses.length, 5);
  const asked = new Set<string>();
  for (let height = 13; height <= 17; height++) {
    stage.primary.blocks = upTo(height);
    stage.now = secondsAt(height);
    const report = await follower.update();
    assert.deepEqual([report.witnesses.length, report.witnessCount], [2, 5]);
    for (const { name } of report.witnesses) asked.add(name);
  }
  assert.equal(asked.size, 5);
});

/** What an attacker who holds keys can show at height 20, who is to blame, and at which common height CometBFT sees it. */
const attacks: Record<string, { kind: AttackKind; blamed: readonly TestValidator[]; made: () => Promise<cometbft.LightBlock> }> =
  {
    // Half of the trusted power and strangers beside it: accepted by a jump from block 15.
    "lunatic with more than a third": {
      kind: "lunatic",
      blamed: others.slice(0, 2),
      made: () => forge(at(20), { appHash: zero }, [...others.slice(0, 2), testValidator("x"), testValidator("y")]),
    },
    "lunatic with all": { kind: "lunatic", blamed: others, made: () => forge(at(20), { appHash: zero }, others) },
    "equivocation with all": { kind: "equivocation", blamed: others, made: () => forge(at(20), { dataHash: zero }, others) },
    amnesia: { kind: "amnesia", blamed: [], made: () => forge(at(20), { dataHash: zero }, others, undefined, 1) },
  };
for (const [name, { kind, blamed, made }] of Object.entries(attacks))
  for (const liar of ["primary", "witness"] as const)
    test(`${name}: the ${liar} lies, and it goes no further`, async () => {
      const stage = world(15, [testSource("w1", upTo(15)), testSource("w2", upTo(15))]);
      const store = memoryLightStore();
      const follower = await stage.open({ store });
      await follower.update();
      for (const source of [stage.primary, ...stage.witnesses]) source.blocks = upTo(20);
      const lying = liar === "primary" ? stage.primary : (stage.witnesses[1] as TestSource);
      const forged = await made();
      lying.blocks = [...upTo(19), forged];
      stage.now = secondsAt(20);
      await assert.rejects(follower.update(), (error: Fault) => {
        assert.equal(error.code, "node_lied");
        assert.deepEqual([error.facts["height"], error.facts["commonHeight"], error.facts["kind"]], [20, 15, kind]);
        return true;
      });
      // Neither it nor a reload goes on, whatever the nodes say now.
      lying.blocks = upTo(20);
      await assert.rejects(follower.update(), code("node_lied"));
      const reloaded = await stage.open({ store });
      await assert.rejects(reloaded.update(), code("node_lied"));
      await assert.rejects((await stage.open({ store, trust: checkpoint(19) })).update(), code("node_lied"));
      assert.equal(reloaded.newest?.header.height, 15);

      const file = reloaded.fork as Uint8Array;
      const verdict = await verifyFork(file, { checkpoint: { height: 1, hash: cometbft.headerHash(at(1).header) } }, verify);
      assert.ok(verdict.ok, JSON.stringify(verdict));
      assert.equal(verdict.commonHeight, 15);
      const accused = verdict.sides[liar === "primary" ? 0 : 1];
      assert.deepEqual(accused.hash, cometbft.headerHash(forged.header));
      assert.equal(accused.kind, kind);
      const keys = (set: readonly { readonly publicKey: Uint8Array }[]): string[] =>
        set.map(({ publicKey }) => toHex(publicKey)).sort();
      assert.deepEqual(keys(accused.byzantine), keys(blamed.map(({ signer }) => signer)));

      // Each side of it is evidence that a CometBFT node of the other side takes.
      if (whatIsMissing() !== undefined) return;
      const checks = verdict.sides.map(({ evidence }, i): Check => {
        const [trusted] = decodeFork(file)[i === 0 ? "other" : "one"].slice(-1);
        const hex = (block: cometbft.LightBlock): string => toHex(cometbft.encodeLightBlock(block));
        return {
          op: "evidence",
          bytes: toHex(evidence),
          trusted: hex(trusted as cometbft.LightBlock),
          common: hex(at(15)),
          nowSeconds: stage.now,
        };
      });
      const taken = askCometbft(CHAIN, checks);
      verdict.sides.forEach(({ evidence }, i) => {
        // CometBFT v0.40 reads "nobody to blame" as an empty list and then wants none: amnesia it can't take from anybody.
        const refused = { ok: false, error: "expected nil validators from an amnesia light client attack but got 0" };
        assert.deepEqual(taken[i], kind === "amnesia" ? refused : { ok: true, bytes: toHex(evidence) });
      });
    });

test("a lie further back than the newest look is traced to the block that both share", async () => {
  const witness = testSource("w", upTo(12));
  const stage = world(12, [witness]);
  const follower = await stage.open();
  await follower.update();
  // The witness was cut off while the primary showed it block 25; only later does it say what it has there.
  witness.fault = new Fault("api_unreachable", {}, { retry: true });
  stage.primary.blocks = [...upTo(24), await forge(at(25), { appHash: zero }, others)];
  stage.now = secondsAt(25);
  assert.equal((await follower.update()).height, 25);
  witness.fault = undefined;
  witness.blocks = upTo(26);
  await assert.rejects(follower.update(), (error: Fault) => error.code === "node_lied" && error.facts["height"] === 25);
});

test("a header further ahead than time allows is a lie of one of the two", async () => {
  const witness = testSource("w", upTo(20));
  const stage = world(18, [witness]);
  const follower = await stage.open();
  await follower.update();
  stage.now = secondsAt(20);
  // Height 38 at a time before that of the witness's newest block.
  const forged = await forge(at(38), { time: { seconds: at(20).header.time.seconds - 5, nanos: 0 } }, others);
  stage.primary.blocks = [...upTo(20), forged];
  await assert.rejects(follower.update(), (error: Fault) => error.code === "node_lied" && error.facts["kind"] === "lunatic");
  const verdict = await verifyFork(follower.fork as Uint8Array, { genesis }, verify);
  assert.ok(verdict.ok, JSON.stringify(verdict));
});

test("validators with keys of both types are followed, and caught", async () => {
  const mixed = [...four.slice(0, 2), testLatticeValidator("l"), testLatticeValidator("m")];
  const quantum = new TestChain(CHAIN, mixed);
  for (let height = 1; height <= 3; height++) await quantum.next();
  const trust = { chainId: CHAIN, validators: validatorSet(mixed) };
  const now = (): number => (quantum.blocks[2] as cometbft.LightBlock).header.time.seconds + 1;
  const liar = testSource("w", [
    ...quantum.blocks.slice(0, 2),
    await forge(quantum.blocks[2] as cometbft.LightBlock, { dataHash: zero }, mixed),
  ]);
  const primary = testSource("primary", quantum.blocks);
  const honest = await LightFollower.open({ trust, primary, witnesses: [], now });
  assert.deepEqual((({ height, signed }) => [height, signed])(await honest.update()), [3, 4]);
  const follower = await LightFollower.open({ trust, primary, witnesses: [liar], now });
  await assert.rejects(follower.update(), code("node_lied"));
  const verdict = await verifyFork(follower.fork as Uint8Array, { genesis: trust });
  assert.ok(verdict.ok && verdict.sides[0].kind === "equivocation" && verdict.sides[0].byzantine.length === 4);
});

test("the asked node itself goes back to another history", async () => {
  const stage = world(20);
  const follower = await stage.open();
  await follower.update();
  stage.primary.blocks = [...upTo(19), await forge(at(20), { dataHash: zero }, others)];
  await assert.rejects(follower.update(), code("node_lied"));
  const behind = world(20);
  const waiting = await behind.open();
  await waiting.update();
  behind.primary.blocks = upTo(18);
  assert.equal((await waiting.update()).isBehind, true);
});

test("histories that part at the genesis are a fork, too", async () => {
  const other = await forge(at(1), { appHash: zero }, four);
  const stage = world(1, [testSource("w", [other])]);
  const follower = await stage.open();
  await assert.rejects(follower.update(), code("node_lied"));
  const verdict = await verifyFork(follower.fork as Uint8Array, { genesis }, verify);
  assert.ok(verdict.ok && verdict.commonHeight === 0 && verdict.sides[0].byzantine.length === 4);
});

test("a fork file proves nothing without a contradiction, of another chain, or after a flip of any byte", async () => {
  const trust = { genesis };
  const fork = {
    chainId: CHAIN,
    shared: [at(1), at(5)],
    one: [at(9)],
    other: [await forge(at(9), { dataHash: zero }, [a, b, c, d])],
  };
  const file = encodeFork(fork);
  assert.ok((await verifyFork(file, trust, verify)).ok);
  const refused = async (bytes: Uint8Array, expected?: string, by: Parameters<typeof verifyFork>[1] = trust): Promise<void> => {
    const verdict = await verifyFork(bytes, by, verify);
    assert.equal(verdict.ok, false);
    if (expected !== undefined) assert.equal(!verdict.ok && verdict.code, expected);
  };
  await refused(encodeFork({ ...fork, other: [at(9)] }), "fork_missing");
  await refused(encodeFork({ ...fork, other: [at(10)] }), "fork_missing");
  await refused(file, "evidence_chain", { genesis: { ...genesis, chainId: "another-0123" } });
  await refused(file, "checkpoint_differs", { checkpoint: { height: 1, hash: zero } });
  for (let i = 0; i < file.length; i += 7) await refused(file.map((byte, place) => (place === i ? byte ^ 1 : byte)));
});
