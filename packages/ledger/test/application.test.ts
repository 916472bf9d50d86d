import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { chainIdOf, decodeAuditEntry, keys, type Operation } from "@xinglin/contracts";
import { type Bytes, Fault, toHex } from "@xinglin/primitives";
import fc from "fast-check";
import { actorIdOf, anchor, genesisBytes, HOSPITAL_B, idOf, keyOf, signed } from "./support/chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const notAfter = { time: GENESIS_TIME + 300, height: 1_000 };
const genesis = genesisBytes({ memberQuota: 6, maxTransactionBytes: 4_096, logEpochEntries: 16, maxValiditySeconds: 400 });
const chain = chainIdOf(genesis);
const tx = (key: string, operations: readonly Operation[], change: Partial<Parameters<typeof signed>[0]> = {}): Bytes =>
  signed({ chain, key, operations, notAfter, ...change });

async function node(context: TestContext): Promise<HandDrivenNode> {
  const opened = await HandDrivenNode.open(await folder(context), genesis);
  atEnd(context, () => opened.close());
  await opened.block([]);
  return opened;
}

/** Every way in which a transaction may not stand in a block, and the code it gets. */
const invalid: Record<string, () => Bytes> = {
  malformed: () => Uint8Array.of(1, 2, 3),
  oversize: () =>
    tx(
      "hospital-a",
      Array.from({ length: 100 }, (_, i) => anchor(`big ${i}`)),
    ),
  wrong_chain: () => tx("hospital-a", [anchor("x")], { chain: "other-0123456789ab" }),
  expired: () => tx("hospital-a", [anchor("x")], { notAfter: { time: GENESIS_TIME - 1, height: 1_000 } }),
  too_far_ahead: () => tx("hospital-a", [anchor("x")], { notAfter: { time: GENESIS_TIME + 900, height: 1_000 } }),
  unknown_signer: () => tx("nobody", [anchor("x")], { actor: idOf("nobody"), sponsor: "hospital-a" }),
  sponsor_not_yours: () => tx("hospital-a", [anchor("x")], { sponsor: "hospital-b" }),
  unknown_key: () => tx("another key", [anchor("x")], { actor: "hospital-a" }),
  over_quota: () =>
    tx(
      "hospital-a",
      Array.from({ length: 7 }, (_, i) => anchor(`many ${i}`)),
    ),
  signature_wrong: () => {
    const bytes = tx("hospital-a", [anchor("x")]).slice();
    bytes[bytes.length - 1]! ^= 1;
    return bytes;
  },
};
/** Inside the envelope the same mistakes are found again: a body that is not canonical, a cut one, one byte too many. */
const damaged: Record<string, (bytes: Bytes) => Bytes> = {
  cut: (bytes) => bytes.slice(0, -1),
  longer: (bytes) => Uint8Array.from([...bytes, 0]),
  "map key swapped": (bytes) => Uint8Array.from([0xbf, ...bytes.slice(1), 0xff]),
};

for (const [code, make] of Object.entries(invalid)) {
  test(`turned away with ${code}: by CheckTx, in a proposal, and in a decided block without a trace`, async (context) => {
    const { application, block } = bound(await node(context));
    const bytes = make();
    await assert.rejects(application.checkTx(bytes), (fault) => fault instanceof Fault && fault.code === code);
    assert.equal(application.waiting, 0);
    const input = { height: 2, time: { seconds: GENESIS_TIME + 2, nanos: 0 }, transactions: [bytes] };
    assert.equal((await application.processProposal(input))?.code, code);
    const before = application.appHash;
    const finalized = await block([bytes]);
    assert.deepEqual(finalized.results, [{ code }]);
    assert.deepEqual([finalized.entries, finalized.ids], [[], []]);
    assert.deepEqual(application.appHash, before);
  });
}

for (const [name, damage] of Object.entries(damaged))
  test(`bytes that are not canonical are malformed: ${name}`, async (context) => {
    const { application } = await node(context);
    const bytes = tx("hospital-a", [anchor("x")]);
    await assert.rejects(application.checkTx(damage(bytes)), { code: "malformed" });
    await application.checkTx(bytes);
  });

test("a transaction is included once: not twice in a block, not again in a later one", async (context) => {
  const { application, block } = bound(await node(context));
  const bytes = tx("hospital-a", [anchor("x")]);
  await application.checkTx(bytes);
  await assert.rejects(application.checkTx(bytes.slice()), { code: "already_known" });
  const first = await block([bytes, bytes]);
  assert.deepEqual(first.results, [{ operations: 1 }, { code: "already_known" }]);
  await assert.rejects(application.checkTx(bytes), { code: "already_known", facts: { height: 2 } });
  const input = { height: 3, time: { seconds: GENESIS_TIME + 3, nanos: 0 }, transactions: [bytes] };
  assert.equal((await application.processProposal(input))?.code, "already_known");
  assert.deepEqual((await block([bytes])).results, [{ code: "already_known" }]);
});

test("a copy with a wrong signature does not keep the right one out, whichever comes first", async (context) => {
  const { application } = bound(await node(context));
  const right = tx("hospital-a", [anchor("x")]);
  const wrong = right.slice();
  wrong[wrong.length - 1]! ^= 1;
  const told = await Promise.allSettled([wrong, right, right.slice(), wrong.slice()].map((bytes) => application.checkTx(bytes)));
  assert.deepEqual(
    told.map((one) => (one.status === "fulfilled" ? "taken" : (one.reason as Fault).code)),
    ["signature_wrong", "taken", "already_known", "already_known"],
  );
  assert.equal(application.waiting, 1);
});

test("a flood of wrong copies takes none of the member's room, and the right ones do not wait behind it", async (context) => {
  const { application } = await node(context);
  const right = tx("hospital-a", [anchor("x")]);
  const codes = new Map<string, number>();
  const count = (fault: unknown): void => {
    const { code } = fault as Fault;
    codes.set(code, (codes.get(code) ?? 0) + 1);
  };
  const flood: Promise<void>[] = [];
  for (let i = 0; i < 6_000; i++) {
    const wrong = right.slice();
    new DataView(wrong.buffer).setUint32(wrong.length - 4, i);
    try {
      flood.push(application.insertTx(wrong).verified.catch(count));
    } catch (fault) {
      count(fault);
    }
  }
  // The rest are for a later try; more than half of the mempool's room would have been theirs.
  assert.deepEqual([...codes], [["mempool_quota", 6_000 - flood.length]]);
  const others = application.insertTx(tx("hospital-b", [anchor("y")])).verified;
  await Promise.all(
    Array.from({ length: 20 }, (_, i) => application.checkTx(i === 0 ? right : tx("hospital-a", [anchor(`${i}`)]))),
  );
  assert.ok((codes.get("signature_wrong") ?? 0) < flood.length / 2, "they waited until the flood was over");
  await Promise.all([others, ...flood]);
  assert.equal(codes.get("signature_wrong"), flood.length);
  assert.equal(application.waiting, 21);
  // All of the room is there again.
  await application.insertTx(tx("hospital-a", [anchor("z")])).verified;
});

test("two transactions of a proposal together over a member's quota are refused, each alone is not", async (context) => {
  const { application, block } = bound(await node(context));
  const four = (name: string, key = "hospital-a") =>
    tx(
      key,
      Array.from({ length: 4 }, (_, i) => anchor(`${name} ${i}`)),
    );
  const both = [four("a"), four("b")];
  const input = { height: 2, time: { seconds: GENESIS_TIME + 2, nanos: 0 } };
  assert.equal((await application.processProposal({ ...input, transactions: both }))?.code, "over_quota");
  assert.equal(await application.processProposal({ ...input, transactions: [both[0]!, four("c", "hospital-b")] }), undefined);
  assert.deepEqual((await block([...both, four("c", "hospital-b")])).results, [
    { operations: 4 },
    { code: "over_quota" },
    { operations: 4 },
  ]);
});

test("a proposal keeps to the quota, and what it leaves out comes in the next", async (context) => {
  const { application, block } = bound(await node(context));
  for (let i = 0; i < 4; i++) await application.checkTx(tx("hospital-a", [anchor(`${i} x`), anchor(`${i} y`)]));
  const proposal = () =>
    application.prepareProposal({
      height: application.height + 1,
      time: { seconds: GENESIS_TIME + 2, nanos: 0 },
      maxBytes: 100_000,
      maxOperations: 1_000,
    });
  const first = proposal();
  assert.equal(first.length, 3);
  await block(first);
  assert.equal(proposal().length, 1);
});

test("what was taken in by a clock that is ahead of the block's time is left out of the proposal until it may stand in one", async (context) => {
  const { application } = bound(await node(context));
  const latest = tx("hospital-a", [anchor("latest")], { notAfter: { time: GENESIS_TIME + 400, height: 1_000 } });
  const other = tx("hospital-a", [anchor("other")]);
  for (const bytes of [latest, other]) await application.checkTx(bytes);
  const at = async (seconds: number): Promise<readonly Bytes[]> => {
    const block = { height: 2, time: { seconds: GENESIS_TIME + seconds, nanos: 0 } };
    const transactions = application.prepareProposal({ ...block, maxBytes: 100_000, maxOperations: 1_000 });
    assert.equal(await application.processProposal({ ...block, transactions }), undefined);
    return transactions;
  };
  assert.deepEqual(await at(-1), [other]);
  assert.equal(application.waiting, 2);
  assert.deepEqual(await at(0), [latest, other]);
});

test("operations are decided one by one: a refused one changes nothing, the others stand, and later ones see earlier ones", async (context) => {
  const { application, block } = bound(await node(context));
  const { results, entries } = await block([tx("hospital-a", [anchor("x"), anchor("x"), anchor("y")])]);
  assert.deepEqual(results, [{ operations: 3 }]);
  const decoded = entries.map(({ bytes }) => decodeAuditEntry(bytes));
  assert.deepEqual(
    decoded.map(({ outcome, code, index }) => [outcome, code, index]),
    [
      ["accepted", undefined, 0],
      ["refused", "id_taken", 1],
      ["accepted", undefined, 2],
    ],
  );
  assert.deepEqual(
    entries.map(({ sequence, place }) => [sequence, place.epoch, place.index]),
    [
      [0, 0, 0],
      [1, 0, 1],
      [2, 0, 2],
    ],
  );
  assert.deepEqual(application.find(decoded[0]!.transaction), {
    height: 2,
    time: { seconds: GENESIS_TIME + 2, nanos: 0 },
    index: 0,
    first: 0,
    operations: 3,
  });
});

test("a signer that an earlier transaction of the block registers counts in the block, but not in a proposal", async (context) => {
  const { application, block } = bound(await node(context));
  const nurse = actorIdOf("nurse");
  const key = { suite: "ed25519" as const, key: keyOf("nurse").publicKey };
  const register = tx("hospital-a", [{ op: "registerActor", id: nurse, kind: "staff", key }]);
  const first = tx("nurse", [anchor("by nurse")], { actor: nurse, sponsor: "hospital-a" });
  const input = { height: 2, time: { seconds: GENESIS_TIME + 2, nanos: 0 }, transactions: [register, first] };
  assert.equal((await application.processProposal(input))?.code, "unknown_signer");
  assert.deepEqual((await block([register, first])).results, [{ operations: 1 }, { operations: 1 }]);
});

test("a signer suspended after CheckTx is left out of the proposal and dropped", async (context) => {
  const opened = await node(context);
  const { application, block } = bound(opened);
  const waiting = tx("hospital-b", [anchor("x")]);
  await application.checkTx(waiting);
  await block([tx("commission", [{ op: "setMemberStatus", id: HOSPITAL_B, status: "suspended" }])]);
  const proposal = { height: 3, time: { seconds: GENESIS_TIME + 3, nanos: 0 }, maxBytes: 100_000, maxOperations: 1_000 };
  assert.deepEqual(application.prepareProposal(proposal), []);
  assert.equal(opened.dropped[0]?.[1].code, "sponsor_suspended");
  assert.equal(application.waiting, 0);
});

test("who waits for a transaction that a block turned away hears why, whichever copy of it the block held", async (context) => {
  const opened = await node(context);
  const { application, block } = bound(opened);
  const waiting = tx("hospital-b", [anchor("x")]);
  const other = tx("hospital-a", [anchor("y")]);
  await application.checkTx(waiting);
  await application.checkTx(other);
  const forged = other.slice();
  forged[forged.length - 1]! ^= 1;
  const suspend = tx("commission", [{ op: "setMemberStatus", id: HOSPITAL_B, status: "suspended" }]);
  const { results } = await block([suspend, waiting, forged]);
  assert.deepEqual(results, [{ operations: 1 }, { code: "sponsor_suspended" }, { code: "signature_wrong" }]);
  assert.deepEqual(
    opened.dropped.map(([, fault]) => fault.code),
    ["sponsor_suspended"],
  );
  assert.deepEqual(application.waitingTransactions(), [other]);
});

test("an empty block changes no state", async (context) => {
  const { application, block } = bound(await node(context));
  await block([tx("hospital-a", [anchor("x")])]);
  const before = application.appHash;
  await block([], 10_000);
  assert.equal(application.height, 3);
  assert.deepEqual(application.appHash, before);
});

test("equal blocks give equal app hashes, on a node restarted at any height too", async (context) => {
  const directories = [await folder(context), await folder(context)] as const;
  const never = await HandDrivenNode.open(directories[0], genesis);
  let often = await HandDrivenNode.open(directories[1], genesis);
  const names = ["a", "b", "c", "d"];
  let accepted = 0;
  let turnedAway = 0;
  const anyTx = fc.record({
    key: fc.constantFrom("hospital-a", "hospital-b", "stranger"),
    roots: fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 3 }),
    again: fc.boolean(),
  });
  const blocks = fc.sample(fc.record({ txs: fc.array(anyTx, { maxLength: 5 }), restart: fc.boolean() }), {
    numRuns: 25,
    seed: 7,
  });
  let last = tx("hospital-a", [anchor("first")]);
  for (const [i, { txs, restart }] of blocks.entries()) {
    const transactions = txs.map(({ key, roots, again }) => {
      if (again) return last;
      last = tx(
        key,
        roots.map((root) => anchor(`${root} ${i >> 1}`)),
      );
      return last;
    });
    if (restart) {
      await often.close();
      often = await HandDrivenNode.open(directories[1], genesis);
    }
    const [one, other] = [await never.block(transactions), await often.block(transactions)];
    assert.equal(toHex(one.appHash), toHex(other.appHash), `block ${i + 1}`);
    assert.deepEqual(one.results, other.results);
    for (const result of one.results) "code" in result ? turnedAway++ : accepted++;
  }
  assert.ok(accepted > 10 && turnedAway > 10, `${accepted} accepted, ${turnedAway} turned away`);
  assert.ok(never.application.log.length > 16, "the log changed its epoch");
  assert.ok(never.application.committed.get(keys.closedLog(0)) !== undefined);
  await never.close();
  await often.close();
});

function bound(opened: HandDrivenNode): { application: HandDrivenNode["application"]; block: HandDrivenNode["block"] } {
  return { application: opened.application, block: (transactions, seconds) => opened.block(transactions, seconds) };
}
