/** The prober over a chain that the test lets grow: when it looks, what it signs, and when it says nothing. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { keys, type Operation } from "@xinglin/contracts";
import { type Bytes, cbor, Fault, type MemberId } from "@xinglin/primitives";
import { type ProbeNotice, Prober, type ProberOptions } from "../../src/probing/prober.ts";
import { administrationOf, type Conduct, FakeChain, fakeNodes, seeded, urlOf } from "../support/fake-chain.ts";

const MAX_BYTES = 1_048_576;
const MEMBERS = ["a", "b", "c", "d"];

interface Setting {
  readonly chain: FakeChain;
  readonly asked: readonly string[];
  readonly notices: ProbeNotice[];
  /** Lets blocks come, and each round end before the next block. */
  grow(blocks: number): Promise<void>;
  told(): Operation[][];
}

async function setting(
  context: TestContext,
  conduct: (member: string) => Conduct = () => ({}),
  options: Partial<ProberOptions> = {},
  members = MEMBERS,
): Promise<Setting> {
  const chain = new FakeChain(members);
  await chain.grow(30); // blocks to transfer
  chain.putElection(5, 30);
  const nodes = fakeNodes(chain, conduct);
  const notices: ProbeNotice[] = [];
  const prober = new Prober({
    ledger: chain.ledger,
    by: administrationOf("a"),
    peers: MEMBERS.map((member) => ({ member: member as MemberId, url: urlOf(member) })),
    random: seeded(7),
    now: () => 0,
    onNotice: (notice) => notices.push(notice),
    fetch: nodes.fetch,
    ...options,
  });
  context.after(() => prober.close());
  return {
    chain,
    asked: nodes.asked,
    notices,
    grow: async (blocks) => {
      for (let i = 0; i < blocks; i++) {
        await chain.grow(1);
        await quiet(nodes.asked);
      }
    },
    told: () => chain.submitted.map((bytes) => operationsOf(bytes)),
  };
}

/** Until nothing was asked for a while of turns: fake nodes answer within a few. */
async function quiet(asked: readonly string[]): Promise<void> {
  for (let turns = 0, before = asked.length; turns < 12; turns++) {
    await setImmediate();
    if (asked.length !== before) turns = 0;
    before = asked.length;
  }
}

const operationsOf = (transaction: Bytes): Operation[] => {
  const { body } = cbor.decode(transaction, MAX_BYTES) as { body: Bytes };
  return (cbor.decode(body, MAX_BYTES) as { operations: Operation[] }).operations;
};

test("eight looks at each peer and two transfers, told once in one transaction before the epoch's end", async (context) => {
  const { chain, asked, grow, told } = await setting(context, (member) =>
    member === "c" ? { down: true } : { freeMegabytes: 777 },
  );
  chain.putTally(1);
  await grow(60);
  const count = (what: string): number => asked.filter((one) => one === what).length;
  assert.deepEqual(
    [count("a/v1/light-blocks/newest"), count("b/v1/light-blocks/newest"), count("c/v1/light-blocks/newest")],
    [0, 8, 8],
    "its own node is not asked",
  );
  assert.equal(count("b/v1/light-blocks"), 2);
  assert.deepEqual(told(), [], "not yet");
  await grow(38);
  const [operations, ...more] = told();
  assert.ok(more.length < 5, "tried again, since this chain takes nothing up");
  const of = (member: string) => operations?.find((one) => one.op === "recordProbe" && one.member === member);
  assert.equal(operations?.length, 3);
  const seen = { answeredPerMille: 0, kilobytesPerSecond: 0, freeMegabytes: 0 };
  assert.deepEqual(of("c"), { op: "recordProbe", epoch: 5, member: "c", seen });
  const b = of("b") as { seen: typeof seen };
  assert.deepEqual([b.seen.answeredPerMille, b.seen.freeMegabytes, b.seen.kilobytesPerSecond > 1_000], [1000, 777, true]);
});

test("what the chain took up is not told again, by a prober that was started anew either", async (context) => {
  const first = await setting(context);
  first.chain.putTally(1);
  const own = { member: "a", seen: { answeredPerMille: 1, kilobytesPerSecond: 1, freeMegabytes: 1 } };
  for (const member of ["b", "c"]) first.chain.put(keys.probes(member as MemberId), { epoch: 5, by: [own] });
  first.chain.putTally(3);
  await first.grow(98);
  assert.ok(first.told().length > 0);
  for (const operations of first.told())
    assert.deepEqual(
      operations.map((one) => (one as { member: string }).member),
      ["d"],
    );
});

test("an epoch with no operations but probes is left alone", async (context) => {
  const { chain, grow, told, asked } = await setting(context);
  await grow(98);
  assert.ok(asked.length > 0);
  assert.deepEqual(told(), []);
  const seen = { answeredPerMille: 1, kilobytesPerSecond: 1, freeMegabytes: 1 };
  chain.put(keys.probes("b" as MemberId), { epoch: 5, by: [{ member: "c", seen }] });
  chain.putTally(1);
  await grow(1);
  assert.deepEqual(told(), []);
});

test("after the epoch's last block nothing is told: the next one counts anew", async (context) => {
  const { chain, grow, told } = await setting(context);
  await grow(99);
  chain.putTally(1);
  await grow(20);
  assert.deepEqual(told(), []);
  chain.putElection(6, 149);
  chain.putTally(1);
  await grow(98);
  const operations = told()[0];
  assert.deepEqual([...new Set(operations?.map((one) => (one as { epoch: number }).epoch))], [6]);
});

test("a full mempool is tried again; a refusal that stays is told to the operator", async (context) => {
  const busy = await setting(context);
  busy.chain.putTally(1);
  busy.chain.faults.push(new Fault("mempool_full", {}, { retry: true }));
  await busy.grow(98);
  assert.ok(busy.told().length > 0);
  assert.deepEqual(busy.notices, []);
  const refused = await setting(context);
  refused.chain.putTally(1);
  for (let i = 0; i < 9; i++) refused.chain.faults.push(new Fault("over_quota"));
  await refused.grow(98);
  assert.deepEqual(refused.notices[0], { event: "probes_refused", epoch: 5, code: "over_quota" });
});

test("who is not in the committee neither asks nor tells, and of who is no candidate nothing is said", async (context) => {
  const outside = await setting(context, () => ({}), { by: administrationOf("z") });
  outside.chain.putTally(1);
  await outside.grow(98);
  assert.deepEqual([outside.asked, outside.told()], [[], []]);
  const smaller = await setting(context, () => ({}), {}, ["a", "b", "c"]);
  smaller.chain.putTally(1);
  await smaller.grow(98);
  assert.ok(!smaller.asked.some((one) => one.startsWith("d/")));
  assert.equal(smaller.told()[0]?.length, 2);
});

test("transfers stay within the megabytes of an epoch, however many peers there are", async (context) => {
  let most = 0;
  const range = (blocks: Bytes[]): Bytes[] => {
    most = Math.max(
      most,
      blocks.reduce((sum, { length }) => sum + length, 0),
    );
    return blocks;
  };
  const many = Array.from({ length: 100 }, (_, i) => ({ member: `p${i}` as MemberId, url: urlOf(`p${i}`) }));
  const peers = [{ member: "b" as MemberId, url: urlOf("b") }, ...many];
  const { grow } = await setting(context, () => ({ range }), { peers, megabytes: 1 });
  await grow(98);
  assert.ok(most > 0 && most <= 1_000_000 / 2 / 101, `${most} bytes in a transfer`);
});

test("closing ends what is under way", async () => {
  const chain = new FakeChain(MEMBERS);
  await chain.grow(30);
  chain.putElection(5, 30);
  let asked = (): void => {};
  const begun = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const hang = ((_: unknown, { signal }: RequestInit) =>
    new Promise((_resolve, reject) => {
      asked();
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    })) as typeof fetch;
  const peers = [{ member: "b" as MemberId, url: urlOf("b") }];
  const prober = new Prober({
    ledger: chain.ledger,
    by: administrationOf("a"),
    peers,
    random: () => 0,
    fetch: hang,
    timeoutMs: 60_000,
  });
  await chain.grow(3);
  await begun;
  await prober.close();
});
