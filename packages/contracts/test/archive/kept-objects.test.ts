import assert from "node:assert/strict";
import { test } from "node:test";
import { type CredentialId, toHex } from "@xinglin/primitives";
import {
  type DropObjectRefusal,
  getKeptObject,
  type KeepObjectRefusal,
  type OperationOf,
  type Outcome,
} from "../../src/index.ts";
import { codeOf, testRefusals } from "../support/refusals.ts";
import {
  administration,
  anchor,
  at,
  credentials,
  custody,
  hospitalA,
  hospitalB,
  keyIdOf,
  object,
  patient,
  people,
  publicKey,
  record,
  world,
  YEAR,
} from "../support/world.ts";

const nurse = { by: people.nurseA };
const registrar = { by: people.registrar };
/** A consortium whose newest block has a record of the nurse's. */
const begun = () => {
  const made = world();
  made.do(nurse, { ...anchor(record(9), patient), object: object(70), custody: custody(71), credential: credentials.nurseA });
  return made;
};
const keep: OperationOf<"keepObject"> = {
  op: "keepObject",
  object: object(1),
  record: record(9),
};
const drop: OperationOf<"dropObject"> = { op: "dropObject", object: object(1).id, credential: credentials.registrar };
const { credential: _, ...dropUnnamed } = drop;
const nobodys = "0".repeat(32) as CredentialId;
const kept = begun();
kept.do(nurse, keep);
const dropped = kept.copy();
dropped.do(registrar, drop);
const ended = begun();
ended.do(registrar, { op: "endRecord", record: record(9), credential: credentials.registrar });
const amended = begun().copy(1);
amended.do(nurse, {
  op: "amendRecord",
  record: record(9),
  object: object(72),
  custody: custody(73),
  credential: credentials.nurseA,
});

const keepRefusals: { [Code in KeepObjectRefusal["code"]]: Outcome } = {
  unknown_record: world().decide(nurse, keep),
  record_of_another_member: begun().decide({ by: administration(hospitalB) }, keep),
  record_not_current: ended.decide(nurse, keep),
  version_not_new: begun().copy(1).decide(nurse, keep),
  id_taken: dropped.decide(nurse, keep),
};
testRefusals("keepObject", keepRefusals, {
  "by a nurse": begun().decide(nurse, keep),
  "for an amended record": amended.decide(nurse, keep),
});

const dropRefusals: { [Code in DropObjectRefusal["code"]]: Outcome } = {
  caller_not_allowed: kept.decide({ by: people.workStation }, dropUnnamed),
  no_credential: kept.decide(registrar, dropUnnamed),
  unknown_credential: kept.decide(registrar, { ...drop, credential: nobodys }),
  credential_of_another: kept.decide({ by: people.ict }, drop),
  credential_not_in_force: kept.decide({ ...registrar, time: at(YEAR) }, drop),
  role_not_allowed: kept.decide(nurse, { ...drop, credential: credentials.nurseA }),
  unknown_object: kept.decide(registrar, { ...drop, object: object(2).id }),
  unchanged: dropped.decide(registrar, drop),
};
testRefusals("dropObject", dropRefusals, {
  "by a registrar": kept.decide(registrar, drop),
  "by the administration": kept.decide({ by: administration(hospitalA) }, dropUnnamed),
});

test("a kept object stands under its member with its root, and stays there when it is dropped", () => {
  const entry = {
    source: hospitalA,
    object: object(1),
    status: "kept",
    by: { actor: people.nurseA, key: keyIdOf(publicKey(202)) },
    at: { height: kept.height, time: kept.time },
  } as const;
  const id = toHex(object(1).id);
  assert.deepEqual(getKeptObject(kept, hospitalA, id), entry);
  assert.deepEqual(getKeptObject(dropped, hospitalA, id), { ...entry, status: "dropped" });
  assert.equal(getKeptObject(kept, hospitalB, id), undefined);
});

test("a version of somebody else's brings nothing of one's own", () => {
  assert.equal(codeOf(begun().decide({ by: people.workStation }, keep)), "version_not_new");
});

test("nobody drops what another member keeps", () => {
  assert.equal(codeOf(kept.decide({ by: administration(hospitalB) }, dropUnnamed)), "unknown_object");
});

test("a part of a pack is no object", () => {
  const slice = { at: 0, length: 64 };
  assert.throws(() => begun().decide(nurse, { ...keep, object: { ...object(1), slice } } as never), { code: "malformed" });
});
