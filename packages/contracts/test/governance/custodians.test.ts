/** Custodians that a consortium admits and retires by vote: who may be named in new custody, and what stays as it was. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { merkle } from "@xinglin/crypto/pure";
import { type ActorId, cbor, type Height } from "@xinglin/primitives";
import {
  type Action,
  admittedCustodians,
  type BatchLeaf,
  encodeBatchLeaf,
  getActor,
  getAdmittedCustodians,
  getCustodian,
  keys,
  MAX_ADMITTED_CUSTODIANS,
  type OperationOf,
} from "../../src/index.ts";
import { consortium, decide, proposalId } from "../support/committee.ts";
import { codeOf } from "../support/refusals.ts";
import {
  administration,
  bytes,
  credentials,
  custodians,
  custody,
  grant,
  hospitalA,
  hospitalB,
  imaging,
  object,
  patient,
  people,
  publicKey,
  record,
  request,
  type World,
} from "../support/world.ts";

const id = "custodian-hospital-b" as ActorId;
const admit: Action = { kind: "admitCustodian", id, member: hospitalB, hpke: bytes(1216, 4), key: publicKey(900) };
const retire: Action = { kind: "retireCustodian", custodian: id };
let proposals = 0;
/** Decided by the vote of three of four. */
const decided = (made: World, action: Action): World => {
  decide(made, action, proposalId(++proposals), 3);
  return made;
};
const refresh = (custodian: ActorId): OperationOf<"refreshCustody"> => ({
  op: "refreshCustody",
  record: record(1),
  version: 1,
  custody: { ...custody(90, 2), custodians: [...custodians.slice(0, 5), custodian] },
  credential: credentials.ict,
});
const ict = { by: people.ict };

test("nobody may name a custodian before the vote, everybody may after it; it signs under its key", () => {
  const made = consortium(4);
  assert.equal(codeOf(made.decide(ict, refresh(id))), "unknown_custodian");
  assert.equal(made.get(keys.admittedCustodians), undefined, "a chain that admits none has the state it had");
  decided(made, admit);
  assert.equal(codeOf(made.decide(ict, refresh(id))), "accepted");
  assert.deepEqual(getCustodian(made, id), { member: hospitalB, hpke: bytes(1216, 4), status: "active" });
  assert.deepEqual(getActor(made, id)?.keys[0]?.publicKey, publicKey(900));
  assert.equal(getActor(made, id)?.kind, "custodian");
  assert.deepEqual(getAdmittedCustodians(made), [id]);
  assert.deepEqual(admittedCustodians.parse(cbor.decode(made.get(keys.admittedCustodians)!, 4_096)), [id]);
});

test("a retired one is named in no new custody; it comes back by a vote, under the keys it had only", () => {
  const made = decided(decided(consortium(4), admit), retire);
  assert.equal(codeOf(made.decide(ict, refresh(id))), "custodian_retired");
  assert.deepEqual(getCustodian(made, id)?.retiredAt, made.height);
  const under = (changed: Partial<Extract<Action, { kind: "admitCustodian" }>>): string => {
    const copy = made.copy();
    try {
      decided(copy, { ...admit, ...changed } as Action);
      return "accepted";
    } catch (error) {
      return String(error);
    }
  };
  assert.match(under({ key: publicKey(901) }), /custodian_known/);
  assert.match(under({ hpke: bytes(1216, 5) }), /custodian_known/);
  decided(made, admit);
  assert.equal(codeOf(made.decide(ict, refresh(id))), "accepted");
  assert.equal(getCustodian(made, id)?.retiredAt, undefined);
  assert.deepEqual(getAdmittedCustodians(made), [id], "it is listed once");
});

test("what was anchored before a custodian was retired stays readable; a batch that names it afterwards does not", () => {
  const made = consortium(4);
  const first = custodians[0]!;
  const batch = (n: number): OperationOf<"requestAccess"> => {
    const leaf: BatchLeaf = {
      salt: bytes(32, n),
      record: record(100 + n),
      patient,
      class: imaging,
      format: "dicom",
      object: object(60 + n),
      custody: custody(70 + n),
    };
    const encoded = [encodeBatchLeaf(leaf)];
    const root = merkle.root(encoded);
    made.do({ by: administration(hospitalA) }, { op: "anchorBatch", root, count: 1 });
    return { ...request, target: { kind: "batch", root, leaf, index: 0, path: [] } };
  };
  made.do({ by: patient }, grant());
  const before = batch(0);
  made.height = (made.height + 1) as Height;
  decided(made, { kind: "retireCustodian", custodian: first });
  const after = batch(1);
  const doctor = { by: people.doctorB };
  assert.equal(codeOf(made.decide(doctor, request)), "accepted", "a record of its own");
  assert.equal(codeOf(made.decide(doctor, before)), "accepted");
  const refused = made.decide(doctor, after);
  assert.ok(!refused.ok);
  assert.deepEqual([refused.refusal.code, refused.refusal.facts], ["custody_unfit", { fault: "custodian_retired" }]);
});

test("as many are admitted as the list of them has room for", () => {
  const made = consortium(4);
  const ids = Array.from({ length: MAX_ADMITTED_CUSTODIANS - 1 }, (_, n) => `custodian-of-${n}` as ActorId);
  made.set(keys.admittedCustodians, ids);
  decided(made, admit);
  admittedCustodians.parse(getAdmittedCustodians(made));
  const other: Action = { ...admit, id: "custodian-hospital-a" as ActorId, member: hospitalA, key: publicKey(902) };
  assert.throws(() => decided(made, other), /too_many_custodians/);
});
