import assert from "node:assert/strict";
import { test } from "node:test";
import type { CredentialId } from "@xinglin/primitives";
import { type AnchorBatchRefusal, getBatch, type OperationOf, type Outcome } from "../../src/index.ts";
import { testRefusals } from "../support/refusals.ts";
import { at, bytes, credentials, hospitalA, keyIdOf, object, patient, people, publicKey, world, YEAR } from "../support/world.ts";

const nurse = { by: people.nurseA };
const batch: OperationOf<"anchorBatch"> = { op: "anchorBatch", root: bytes(32, 1), count: 3, credential: credentials.nurseA };
const { credential: _, ...withoutCredential } = batch;
const anchored = world();
anchored.do(nurse, batch);

const refusals: { [Code in AnchorBatchRefusal["code"]]: Outcome } = {
  caller_not_allowed: world().decide({ by: patient }, withoutCredential),
  no_credential: world().decide(nurse, withoutCredential),
  unknown_credential: world().decide(nurse, { ...batch, credential: "0".repeat(32) as CredentialId }),
  credential_of_another: world().decide({ by: people.doctorA }, batch),
  credential_not_in_force: world().decide({ ...nurse, time: at(YEAR) }, batch),
  role_not_allowed: world().decide({ by: people.researcher }, { ...batch, credential: credentials.researcher }),
  id_taken: anchored.decide({ by: people.workStation }, withoutCredential),
};
testRefusals("anchorBatch", refusals, {
  "by a nurse": world().decide(nurse, batch),
  "with its packs": world().decide(nurse, { ...batch, packs: [object(1), object(3)] }),
});

test("the batch stands under its root with source, count and signer", () => {
  assert.deepEqual(getBatch(anchored, batch.root), {
    source: hospitalA,
    count: 3,
    by: { actor: people.nurseA, key: keyIdOf(publicKey(202)) },
    at: { height: anchored.height, time: anchored.time },
  });
});

test("a batch names the packs of its records, whole and not too many", () => {
  const packs = [object(1), object(3)];
  const named = world();
  named.do(nurse, { ...batch, packs });
  assert.deepEqual(getBatch(named, batch.root)?.packs, packs);
  assert.ok(world().decide(nurse, { ...batch, packs: Array.from({ length: 64 }, (_, n) => object(n)) }).ok);
  const slice = { at: 0, length: 64 };
  for (const wrong of [[], Array.from({ length: 65 }, (_, n) => object(n)), [{ ...object(1), slice }]])
    assert.throws(() => world().decide(nurse, { ...batch, packs: wrong }), { code: "malformed" });
});

test("a batch of none or of more than 2^20 is malformed", () => {
  assert.ok(world().decide(nurse, { ...batch, count: 1_048_576 }).ok);
  for (const count of [0, 1_048_577]) assert.throws(() => world().decide(nurse, { ...batch, count }), { code: "malformed" });
});
