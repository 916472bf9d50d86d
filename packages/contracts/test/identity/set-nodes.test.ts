import assert from "node:assert/strict";
import { test } from "node:test";
import type { MemberId } from "@xinglin/primitives";
import { type Action, getMember, getMemberOfNode, keys, type Outcome, type SetNodesRefusal } from "../../src/index.ts";
import { by, consortium, propose, vote } from "../support/committee.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import { administration, bytes, commission, hospitalA, hospitalB, people, publicKey, world } from "../support/world.ts";

const adminA = { by: administration(hospitalA) };
const adminB = { by: administration(hospitalB) };
const node = (n: number): Uint8Array => new Uint8Array(20).fill(n);
const idOf = (n: number): string => Buffer.from(node(n)).toString("hex");
const setNodes = (...ns: number[]) => ({ op: "setNodes", nodes: ns.map(node) }) as const;

const named = world();
named.do(adminA, setNodes(1, 2));
const refusals: { [Code in SetNodesRefusal["code"]]: Outcome } = {
  not_administration: world().decide({ by: people.ict }, setNodes(1)),
  unchanged: named.decide(adminA, setNodes(1, 2)),
  node_in_use: named.decide(adminB, setNodes(3, 2)),
};
testRefusals("setNodes", refusals, {
  "the first nodes": world().decide(adminA, setNodes(1, 2)),
  none: named.decide(adminA, setNodes()),
});

test("a member's nodes are found by their ids, and what it lets go another may take", () => {
  const made = named.copy();
  assert.deepEqual([getMemberOfNode(made, idOf(1)), getMemberOfNode(made, idOf(2))], [hospitalA, hospitalA]);
  made.do(adminA, setNodes(2, 3));
  assert.deepEqual(
    [1, 2, 3].map((n) => getMemberOfNode(made, idOf(n))),
    [undefined, hospitalA, hospitalA],
  );
  assert.deepEqual(getMember(made, hospitalA)?.nodes, [node(2), node(3)]);
  made.do(adminB, setNodes(1));
  assert.equal(getMemberOfNode(made, idOf(1)), hospitalB);
  assert.equal(codeOf(made.decide(adminB, setNodes(4, 4))), "node_in_use");
  // A suspension leaves them as they are: power that is counted must be reached.
  made.do({ by: administration(commission) }, { op: "setMemberStatus", id: hospitalA, status: "suspended" });
  assert.deepEqual(getMember(made, hospitalA)?.nodes, [node(2), node(3)]);
});

test("a member that is voted in brings its nodes", () => {
  const made = consortium(2);
  const id = "hospital-new" as MemberId;
  const name = { zh: "新医院", en: "New" };
  const action: Action = {
    kind: "admitMember",
    id,
    as: "hospital",
    name,
    hpke: bytes(1216, 3),
    key: publicKey(800),
    nodes: [node(9)],
  };
  made.do(by(0), propose(action));
  assert.equal(made.read(keys.node(idOf(9))), undefined);
  made.do(by(1), vote(action));
  assert.equal(getMemberOfNode(made, idOf(9)), id);
});
