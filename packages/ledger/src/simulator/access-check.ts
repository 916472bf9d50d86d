/**
 * No read without a decision and no decision without its entry: the permits in the state against the audit log, counted by somebody who knows nothing
 * of how the rules work. Source: requirement C2; design.md, "Consent, access, custody".
 */
import {
  type AuditEntry,
  type Directive,
  getAccessHead,
  getConsentHead,
  getDirective,
  getPermit,
  type Permit,
  type StateReader,
} from "@xinglin/contracts";
import { type ActorId, equal } from "@xinglin/primitives";
import { mustHold } from "./violation.ts";

export class AccessCheck {
  /** Permits that the log tells of, by patient. */
  readonly #permits = new Map<ActorId, number>();
  readonly counts = { permits: 0, refusals: 0 };

  /** Looks at the entries of one block, in the state after it. Blocks come in order, each once. */
  block(entries: readonly AuditEntry[], state: StateReader): void {
    for (const entry of entries) {
      if (entry.operation !== "requestAccess") continue;
      if (entry.outcome === "refused") {
        this.counts.refusals++;
        continue;
      }
      this.counts.permits++;
      const { patient, number } = entry.subject;
      mustHold(patient !== undefined && number !== undefined, "a permit's entry does not name it");
      const count = (this.#permits.get(patient) ?? 0) + 1;
      mustHold(number === count, `permit ${number} of a patient is told as the ${count}th`);
      this.#permits.set(patient, count);
      const permit = getPermit(state, patient, number);
      mustHold(permit !== undefined, "the log tells of a permit that the state does not hold");
      const isSame =
        equal(permit.transaction, entry.transaction) && permit.height === entry.height && permit.grantee.actor === entry.by.actor;
      mustHold(isSame, "a permit is not the one that the log tells of");
      mustHold(isConsented(state, patient, permit), "a read was permitted without consent in force");
    }
    for (const [patient, count] of this.#permits)
      mustHold(getAccessHead(state, patient).count === count, "the state holds a permit that the log does not tell of");
  }
}

/** Whether the directive that a permit names covers it, and no denial that stood before the block does. */
function isConsented(state: StateReader, patient: ActorId, permit: Permit): boolean {
  if (permit.basis === "free") return true;
  const named = permit.directive === undefined ? undefined : getDirective(state, patient, permit.directive);
  if (named === undefined || named.terms.effect !== "permit" || !covers(named, permit)) return false;
  const { count } = getConsentHead(state, patient);
  for (let number = 1; number <= count; number++) {
    const other = getDirective(state, patient, number) as Directive;
    const isDenial = other.terms.effect === "deny" && other.grantedHeight < permit.height && other.revokedAt === undefined;
    if (isDenial && covers(other, permit)) return false;
  }
  return true;
}

function covers({ terms, revokedAt }: Directive, { grantee, purpose, class: { category, level }, decidedAt }: Permit): boolean {
  // Revoked later in the same block is not revoked before.
  const isInForce =
    terms.notBefore <= decidedAt && decidedAt < terms.notAfter && (revokedAt === undefined || revokedAt >= decidedAt);
  const isNamed = terms.grantees.some(
    (one) => one.kind !== "study" && one.member === grantee.member && (one.kind !== "role" || one.role === grantee.role),
  );
  return (
    isInForce &&
    isNamed &&
    terms.purposes.includes(purpose) &&
    terms.categories.includes(category) &&
    terms.levels.includes(level)
  );
}
