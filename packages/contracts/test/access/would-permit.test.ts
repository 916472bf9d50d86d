/** What a search goes by: the decision of a request, for records of their own and for those of batches, of which the chain has no leaf. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { merkle } from "@xinglin/crypto/pure";
import { type BatchLeaf, encodeBatchLeaf, type WouldAsk, wouldPermit } from "../../src/index.ts";
import {
  administration,
  at,
  credentials,
  custody,
  grant,
  hospitalA,
  hospitalB,
  imaging,
  object,
  otherPatient,
  patient,
  patientAtB,
  people,
  record,
  type World,
  world,
} from "../support/world.ts";

const salt = new Uint8Array(32);
const leaf: BatchLeaf = {
  salt,
  record: record(100),
  patient,
  class: imaging,
  format: "dicom",
  object: { ...object(60), slice: { at: 0, length: 64 } },
  custody: custody(70),
};
const root = merkle.root([encodeBatchLeaf(leaf)]);
const known = { kind: "leaf", record: leaf.record, root, patient, class: imaging } as const;

const batched = (): World => {
  const now = world();
  now.do({ by: people.workStation }, { op: "anchorBatch", root, count: 1 });
  return now;
};
const doctor = (now: World): WouldAsk => ({
  caller: now.caller({ by: people.doctorB }),
  purpose: "TREAT",
  credential: credentials.doctorB,
});

test("a leaf is shown to whom a directive opens it, with whose it is and what the permit would rest on", () => {
  const now = batched();
  assert.equal(wouldPermit(now, known, doctor(now), now.time), undefined);
  now.do({ by: patient }, grant());
  assert.deepEqual(wouldPermit(now, known, doctor(now), now.time), {
    patient,
    source: hospitalA,
    class: imaging,
    basis: "consent",
  });
  const papers = doctor(now);
  assert.equal(wouldPermit(now, known, { ...papers, purpose: "HPAYMT" }, now.time), undefined);
  assert.equal(wouldPermit(now, known, { ...papers, credential: credentials.doctorA }, now.time), undefined);
  const registrar = { ...papers, caller: now.caller({ by: administration(hospitalB) }) };
  assert.equal(wouldPermit(now, known, registrar, now.time), undefined);
});

test("a leaf that its source says otherwise of is not shown: of another patient or class, of a batch that is not there", () => {
  const now = batched();
  now.do({ by: patient }, grant());
  const said = (change: object): unknown => wouldPermit(now, { ...known, ...change }, doctor(now), now.time);
  assert.ok(said({}) !== undefined);
  assert.equal(said({ patient: otherPatient }), undefined);
  assert.equal(said({ patient: patientAtB }), undefined);
  assert.equal(said({ patient: people.doctorA }), undefined);
  assert.equal(said({ class: { level: "core", category: "genome" } }), undefined);
  assert.equal(said({ root: new Uint8Array(32) }), undefined);
});

test("a directive that begins, ends or is revoked changes it with the second", () => {
  const now = batched();
  now.do({ by: patient }, grant({ notBefore: at(20), notAfter: at(30) }));
  const shownAt = (seconds: number): boolean => wouldPermit(now, known, doctor(now), at(seconds)) !== undefined;
  assert.deepEqual([19, 20, 29, 30].map(shownAt), [false, true, true, false]);
  const earlier = now.copy();
  earlier.do({ by: patient, time: at(25) }, { op: "revokeConsent", patient, number: 1 });
  assert.equal(wouldPermit(earlier, known, doctor(earlier), at(25)), undefined);
});

test("a record that stands over the leaf closes it, and a record of its own is shown in its newest version alone", () => {
  const now = batched();
  now.do({ by: patient }, grant());
  const { salt: _, ...anchored } = leaf;
  now.do({ by: people.workStation }, { op: "anchorRecord", ...anchored });
  assert.equal(wouldPermit(now, known, doctor(now), now.time), undefined);
  const own = { kind: "record", record: leaf.record } as const;
  assert.equal(wouldPermit(now, own, doctor(now), now.time)?.version, 1);
  now.do({ by: people.workStation }, { op: "amendRecord", record: leaf.record, object: object(61), custody: custody(71) });
  assert.equal(wouldPermit(now, own, doctor(now), now.time)?.version, 2);
  now.do({ by: administration(hospitalA) }, { op: "withdrawRecord", record: leaf.record });
  assert.equal(wouldPermit(now, own, doctor(now), now.time), undefined);
  assert.equal(wouldPermit(now, { ...own, record: record(999) }, doctor(now), now.time), undefined);
});
