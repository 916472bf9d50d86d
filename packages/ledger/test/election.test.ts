/** What the application makes of commits, evidence and votes: driven by hand, with four validators. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Action,
  CONSORTIUM_ELECTION,
  encodeGenesis,
  type Genesis,
  getElection,
  getMember,
  getPenalty,
  getTally,
  getValidators,
  keys,
  type Operation,
  possessionMessage,
  proposalContent,
} from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, Fault, type MemberId, type ProposalId, toHex, type UnixSeconds } from "@xinglin/primitives";
import type { BlockInput, CommitVote, Finalized } from "../src/block.ts";
import { openLedger } from "../src/solo-ledger.ts";
import { anchor, chainIdOf, genesisWith, idOf, keyOf, signed, VALIDATOR } from "./support/chain.ts";
import { folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const MEMBERS = ["commission", "hospital-a", "hospital-b", "hospital-c"] as const;
const keyed = (name: string): Bytes => keyOf(`validator of ${name}`).publicKey;
const addressOf = (name: string): Bytes => cometbft.addressOf(keyed(name));
const base = genesisWith({ election: { ...CONSORTIUM_ELECTION, epochBlocks: 4 } });
const [commission] = base.members as [Genesis["members"][number]];
const genesis: Genesis = {
  ...base,
  members: [
    ...base.members,
    {
      id: "hospital-c" as MemberId,
      member: { ...commission.member, kind: "hospital" },
      key: { suite: "ed25519", key: keyOf("hospital-c").publicKey },
    },
  ],
  validators: MEMBERS.map((member) => ({ publicKey: keyed(member), power: 10, member: member as MemberId })),
};
const bytes = encodeGenesis(genesis);
const chain = chainIdOf(bytes);
const notAfter = { time: GENESIS_TIME + 300, height: 90_000 };
const tx = (key: string, operations: readonly Operation[]): Bytes => signed({ chain, key, operations, notAfter });

/** Decides the next block, with what it says of validators. */
async function block(
  node: HandDrivenNode,
  transactions: readonly Bytes[],
  conduct: Pick<BlockInput, "lastCommit" | "misbehaviour"> = {},
): Promise<Finalized> {
  const height = node.application.height + 1;
  const time = { seconds: GENESIS_TIME + height, nanos: 0 };
  const finalized = await node.application.finalizeBlock({ height, time, transactions, ...conduct });
  await node.application.commit();
  return finalized;
}
const signedBy = (...names: readonly string[]): readonly CommitVote[] =>
  MEMBERS.map((name) => ({ address: addressOf(name), signed: names.includes(name) }));

const action: Action = { kind: "removeValidator", member: "hospital-c" as MemberId, force: true };
const proposal = idOf("proposal") as ProposalId;
const voteOf = (key: string): Bytes => tx(key, [{ op: "castVote", proposal, content: proposalContent(action), ballot: "yes" }]);
const proposeBy = (key: string): Bytes =>
  tx(key, [{ op: "proposeChange", id: proposal, action, notAfter: (GENESIS_TIME + 200) as UnixSeconds }]);

test("commits and anchored records are counted, the epoch ends, and consensus is told the new powers", async (context) => {
  const node = await HandDrivenNode.open(await folder(context), bytes);
  await block(node, [tx("hospital-a", [anchor("one", 255)])]);
  assert.equal(getTally(node.application.committed)?.rows.find(({ member }) => member === "hospital-a")?.points, 8);
  const lastCommit = signedBy("commission", "hospital-a", "hospital-b");
  await block(node, [tx("hospital-a", [anchor("one", 255)])], { lastCommit });
  const rows = getTally(node.application.committed)!.rows;
  assert.deepEqual(
    rows.map(({ due, signed, points }) => [due, signed, points]),
    [
      [1, 1, 0],
      [1, 1, 8],
      [1, 1, 0],
      [1, 0, 0],
    ],
    "a refused anchor counts for nothing",
  );
  await block(node, []);
  const { validatorUpdates } = await block(node, [tx("hospital-b", [anchor("two")])], { lastCommit });
  assert.equal(getElection(node.application.committed)?.epoch, 2);
  assert.deepEqual(
    validatorUpdates.map(({ publicKey, power }) => [toHex(publicKey), power]),
    getValidators(node.application.committed).map(({ publicKey, power }) => [toHex(publicKey), power]),
  );
  const [first, second, , last] = getValidators(node.application.committed);
  assert.ok(second!.power > first!.power && first!.power > last!.power);
  await node.close();
});

test("three votes of four take a seat in the block of the third, and every vote stands in the audit log", async (context) => {
  const node = await HandDrivenNode.open(await folder(context), bytes);
  await block(node, [proposeBy("commission"), voteOf("hospital-a"), voteOf("hospital-a")]);
  assert.equal(getValidators(node.application.committed).length, 4);
  const decided = await block(node, [voteOf("hospital-b")]);
  assert.deepEqual(decided.validatorUpdates.find(({ power }) => power === 0)?.publicKey, keyed("hospital-c"));
  assert.deepEqual(
    decided.entries.map(({ entry }) => [entry.operation, entry.outcome, entry.subject.decided]),
    [["castVote", "accepted", "passed"]],
  );
  assert.equal(getValidators(node.application.committed).length, 3);
  await node.close();
});

test("evidence takes a seat in a block without transactions too, and can be proved; without evidence such a block changes nothing", async (context) => {
  const node = await HandDrivenNode.open(await folder(context), bytes);
  await block(node, []);
  const root = toHex(node.application.appHash);
  const quiet = await block(node, [], { lastCommit: signedBy("commission") });
  assert.equal(toHex(quiet.appHash), root);
  const misbehaviour = [{ kind: "duplicate_vote", address: addressOf("hospital-b"), height: 2 }] as const;
  const punished = await block(node, [], { lastCommit: signedBy(...MEMBERS), misbehaviour });
  assert.notEqual(toHex(punished.appHash), root);
  assert.deepEqual(punished.validatorUpdates.find(({ power }) => power === 0)?.publicKey, keyed("hospital-b"));
  assert.deepEqual(getPenalty(node.application.committed, 1)?.member, "hospital-b");
  assert.ok(node.state.prove(keys.penalty(1), node.application.height).value !== undefined);
  await node.close();
});

test("a node that is restarted after every block comes to the same hashes and updates as one that never is", async (context) => {
  const directory = await folder(context);
  const never = await HandDrivenNode.open(await folder(context), bytes);
  let often = await HandDrivenNode.open(directory, bytes);
  const misbehaviour = [{ kind: "light_client_attack", address: addressOf("commission"), height: 5 }] as const;
  const blocks: readonly (readonly [readonly Bytes[], Pick<BlockInput, "lastCommit" | "misbehaviour">])[] = [
    [[proposeBy("hospital-a"), voteOf("commission")], {}],
    [[tx("hospital-a", [anchor("x", 9)])], { lastCommit: signedBy("hospital-a") }],
    [[], { lastCommit: signedBy("hospital-b") }],
    [[voteOf("hospital-b")], { lastCommit: signedBy(...MEMBERS) }],
    [[tx("hospital-b", [anchor("y", 9)])], { lastCommit: signedBy(...MEMBERS) }],
    [[], { misbehaviour }],
    [[tx("hospital-b", [anchor("z", 9)])], { lastCommit: signedBy("hospital-b", "hospital-a") }],
    [[tx("hospital-b", [anchor("z2", 9)])], {}],
  ];
  let told = 0;
  for (const [transactions, conduct] of blocks) {
    await often.close();
    often = await HandDrivenNode.open(directory, bytes);
    const [one, other] = [await block(never, transactions, conduct), await block(often, transactions, conduct)];
    assert.equal(toHex(one.appHash), toHex(other.appHash));
    assert.deepEqual(one.validatorUpdates, other.validatorUpdates);
    told += one.validatorUpdates.length;
  }
  assert.ok(told > 3 && getElection(never.application.committed)!.epoch > 1);
  await never.close();
  await often.close();
});

test("the solo driver opens no genesis of more seats, and a vote on its chain admits members without touching its one validator", async (context) => {
  const several = encodeGenesis(genesisWith({ election: { ...CONSORTIUM_ELECTION, minSeats: 1 } }));
  await assert.rejects(openLedger({ directory: await folder(context), genesis: several, validator: VALIDATOR }), (error) => {
    assert.ok(error instanceof Fault && error.code === "not_for_one_validator" && error.facts.seats === 21);
    return true;
  });
  const solo = encodeGenesis(genesisWith());
  const ledger = await openLedger({ directory: await folder(context), genesis: solo, validator: VALIDATOR });
  context.after(() => ledger.close());
  const submit = async (operation: Operation) => {
    const { id } = await ledger.submit(signed({ chain: ledger.chainId, key: "commission", operations: [operation] }));
    return (await ledger.receipt(id, "provable")).results[0]?.outcome;
  };
  const soon = (Math.floor(Date.now() / 1000) + 100) as UnixSeconds;
  const admit = (id: string, action: Action): Operation => ({
    op: "proposeChange",
    id: idOf(id) as ProposalId,
    action,
    notAfter: soon,
  });
  const { kind, name, hpke } = commission.member;
  const newcomer = "clinic-n" as MemberId;
  const key = { suite: "ed25519", key: keyOf("clinic-n").publicKey } as const;
  const possession = keyOf("validator of n").signSync(possessionMessage(ledger.chainId, newcomer, keyed("n")));
  assert.equal(await submit(admit("a", { kind: "admitMember", id: newcomer, as: kind, name, hpke, key })), "accepted");
  assert.equal(
    await submit(admit("b", { kind: "admitValidator", member: newcomer, publicKey: keyed("n"), possession })),
    "accepted",
  );
  const more = { kind: "setElection", election: { ...CONSORTIUM_ELECTION, minSeats: 1 } } as const;
  await assert.rejects(submit(admit("c", more)), { code: "not_for_one_validator" });
  const state = { get: (at: string) => ledger.get(at) };
  assert.equal(getMember(state, newcomer)?.status, "active");
  assert.equal(getElection(state)?.candidates.length, 2);
  assert.equal(getValidators(state).length, 1);
  const { header } = cometbft.decodeLightBlock(ledger.newestLightBlock());
  assert.deepEqual(header.nextValidatorsHash, header.validatorsHash);
});
