/**
 * Whether a row that the server showed says what the chain says, element by element. Source: requirements A9, C10; design.md, "Proofs".
 */
import type { AuditEntry, Directive, Permit } from "@xinglin/contracts";
import { type Bytes, cbor, equal, toHex } from "@xinglin/primitives";
import type { AccessRow, ConsentRow } from "../feed/rows.ts";

/** The first element of a permitted row that differs from the permit in the state, or undefined. */
export function differsFromPermit(row: AccessRow, permit: Permit): string | undefined {
  const { grantee } = permit;
  return firstDifference({
    outcome: [row.outcome, "accepted"],
    time: [row.time, permit.decidedAt],
    height: [row.height, permit.height],
    transaction: [row.transaction, toHex(permit.transaction)],
    purpose: [row.purpose, permit.purpose],
    level: [row.class.level, permit.class.level],
    category: [row.class.category, permit.class.category],
    member: [row.by.member, grantee.member],
    actor: [row.by.actor, grantee.actor],
    key: [row.by.key, grantee.key],
    role: [row.by.role ?? grantee.role, grantee.role],
    credential: [row.credential, grantee.credential],
    directive: [row.directive, permit.directive],
    approval: [row.approval, permit.approval],
    record: [row.target.record, permit.target.record],
  });
}

/**
 * The first element of a row that differs from its entry in the audit log, or undefined. What was asked for stands in the root of the
 * decision's reasons.
 */
export function differsFromEntry(row: AccessRow, entry: AuditEntry): string | undefined {
  const asked = entry.reason?.facts ?? {};
  return firstDifference({
    operation: ["requestAccess", entry.operation],
    patient: [row.patient, entry.subject.patient],
    outcome: [row.outcome, entry.outcome],
    code: [row.code, entry.code],
    facts: [row.facts, entry.facts],
    time: [row.time, entry.time],
    height: [row.height, entry.height],
    transaction: [row.transaction, toHex(entry.transaction)],
    member: [row.by.member, entry.by.member],
    actor: [row.by.actor, entry.by.actor],
    key: [row.by.key, entry.by.key],
    purpose: [row.purpose, asked["purpose"]],
    level: [row.class.level, asked["level"]],
    category: [row.class.category, asked["category"]],
    permit: [row.permit, entry.subject.number],
    credential: [row.credential, entry.subject.credential],
    reason: [row.reason, entry.reason],
  });
}

/** The first element of a consent that differs from the directive in the state, or undefined. */
export const differsFromDirective = (row: ConsentRow, directive: Directive): string | undefined =>
  firstDifference({
    terms: [row.terms, directive.terms],
    version: [row.version, directive.version],
    grantedAt: [row.grantedAt, directive.grantedAt],
    revokedAt: [row.revokedAt, directive.revokedAt],
  });

const NOTHING = new Uint8Array();
const encoded = (value: unknown): Bytes => (value === undefined ? NOTHING : cbor.encode(value));

function firstDifference(pairs: Readonly<Record<string, readonly [shown: unknown, proven: unknown]>>): string | undefined {
  for (const [element, [shown, proven]] of Object.entries(pairs)) if (!equal(encoded(shown), encoded(proven))) return element;
  return undefined;
}
