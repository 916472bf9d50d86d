import assert from "node:assert/strict";
import { test } from "node:test";
import type { AuditEntry, Directive, Permit } from "@xinglin/contracts";
import { fromHex } from "@xinglin/primitives";
import type { AccessRow, ConsentRow } from "../src/feed/rows.ts";
import { differsFromDirective, differsFromEntry, differsFromPermit } from "../src/verify/compare.ts";
import { accessRow, PATIENT } from "./rows.ts";

const row = accessRow({
  permit: 4,
  directive: 1,
  credential: "5".repeat(32),
  reason: { code: "read", holds: true, facts: { purpose: "TREAT", level: "sensitive", category: "imaging" }, because: [] },
});
const permit = {
  decidedAt: row.time,
  height: row.height,
  transaction: fromHex(row.transaction),
  purpose: row.purpose,
  class: row.class,
  grantee: { member: row.by.member, actor: row.by.actor, key: row.by.key, role: "doctor", credential: row.credential },
  directive: 1,
  target: { kind: "record", record: row.target.record, version: 1 },
} as unknown as Permit;
const entry = {
  operation: "requestAccess",
  outcome: "accepted",
  time: row.time,
  height: row.height,
  transaction: fromHex(row.transaction),
  by: { member: row.by.member, actor: row.by.actor, key: row.by.key },
  subject: { patient: PATIENT, number: 4, credential: row.credential },
  reason: row.reason,
} as unknown as AuditEntry;

/** One change for each element, and the name under which it must be found. */
const LIES: readonly (readonly [element: string, change: Partial<AccessRow>])[] = [
  ["outcome", { outcome: "refused" }],
  ["time", { time: 4 }],
  ["height", { height: 3 }],
  ["transaction", { transaction: "01".repeat(32) }],
  ["purpose", { purpose: "HRESCH" }],
  ["level", { class: { level: "internal", category: "imaging" } }],
  ["category", { class: { level: "sensitive", category: "genome" } }],
  ["member", { by: { ...row.by, member: "hospital-c" as never } }],
  ["actor", { by: { ...row.by, actor: "9".repeat(32) as never } }],
  ["key", { by: { ...row.by, key: "9".repeat(16) } }],
];

test("a row that says what the chain says differs in nothing", () => {
  assert.equal(differsFromPermit(row, permit), undefined);
  assert.equal(differsFromEntry(row, entry), undefined);
});

for (const [element, change] of LIES)
  test(`a changed ${element} is named, by permit and by entry`, () => {
    const lied = { ...row, ...change };
    assert.equal(differsFromPermit(lied, permit), element);
    assert.equal(differsFromEntry(lied, entry), element);
  });

test("what only one of the two proofs holds is compared there", () => {
  const { directive: _, ...withoutDirective } = row;
  assert.equal(differsFromPermit({ ...row, directive: 2 }, permit), "directive");
  assert.equal(differsFromPermit(withoutDirective, permit), "directive");
  assert.equal(differsFromPermit({ ...row, by: { ...row.by, role: "nurse" } }, permit), "role");
  assert.equal(differsFromPermit({ ...row, target: { kind: "record", record: "8".repeat(32) } }, permit), "record");
  assert.equal(differsFromEntry({ ...row, permit: 5 }, entry), "permit");
  assert.equal(differsFromEntry({ ...row, patient: "8".repeat(32) as never }, entry), "patient");
  assert.equal(differsFromEntry({ ...row, code: "denied" }, entry), "code");
  assert.equal(differsFromEntry({ ...row, reason: { ...row.reason, holds: false } as never }, entry), "reason");
});

test("a consent is compared by its terms, version and times", () => {
  const terms = { effect: "permit", notAfter: 9 } as never;
  const consent: ConsentRow = { sequence: 1, height: 2, number: 1, version: 1, terms, grantedAt: 5, reads: 0 };
  const directive = { terms, version: 1, grantedAt: 5, grantedHeight: 2, pointers: [] } as unknown as Directive;
  assert.equal(differsFromDirective(consent, directive), undefined);
  assert.equal(differsFromDirective({ ...consent, terms: { effect: "permit", notAfter: 8 } as never }, directive), "terms");
  assert.equal(differsFromDirective({ ...consent, version: 2 }, directive), "version");
  assert.equal(differsFromDirective(consent, { ...directive, revokedAt: 7 as never }), "revokedAt");
});
