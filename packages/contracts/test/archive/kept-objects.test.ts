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
  at,
  credentials,
  hospitalA,
  hospitalB,
  keyIdOf,
  object,
  patient,
  people,
  publicKey,
  world,
  YEAR,
} from "../support/world.ts";

const nurse = { by: people.nurseA };
const registrar = { by: people.registrar };
const keep: OperationOf<"keepObject"> = { op: "keepObject", object: object(1), credential: credentials.nurseA };
const drop: OperationOf<"dropObject"> = { op: "dropObject", object: object(1).id, credential: credentials.registrar };
const { credential: _, ...keepUnnamed } = keep;
const { credential: __, ...dropUnnamed } = drop;
const nobodys = "0".repeat(32) as CredentialId;
const kept = world();
kept.do(nurse, keep);
const dropped = kept.copy();
dropped.do(registrar, drop);

const keepRefusals: { [Code in KeepObjectRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: patient }, keepUnnamed),
  no_credential: world().decide(nurse, keepUnnamed),
  unknown_credential: world().decide(nurse, { ...keep, credential: nobodys }),
  credential_of_another: world().decide({ by: people.doctorA }, keep),
  credential_not_in_force: world().decide({ ...nurse, time: at(YEAR) }, keep),
  role_not_allowed: world().decide({ by: people.researcher }, { ...keep, credential: credentials.researcher }),
  id_taken: dropped.decide({ by: people.workStation }, keepUnnamed),
};
testRefusals("keepObject", keepRefusals, {
  "by a nurse": world().decide(nurse, keep),
  "by a device": world().decide({ by: people.workStation }, keepUnnamed),
  "an id that another member took": kept.decide({ by: administration(hospitalB) }, keepUnnamed),
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

test("nobody drops what another member keeps", () => {
  assert.equal(codeOf(kept.decide({ by: administration(hospitalB) }, dropUnnamed)), "unknown_object");
});

test("a part of a pack is no object", () => {
  const slice = { at: 0, length: 64 };
  assert.throws(() => world().decide(nurse, { ...keep, object: { ...object(1), slice } } as never), { code: "malformed" });
});
