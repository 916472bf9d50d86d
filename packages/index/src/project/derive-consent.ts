/** Rows of directives: what each change said, whom it named, and the pointers sealed to them. Source: requirement C1; design.md, "Read model". */
import type { DirectiveTerms, Operation, SealedPointer } from "@xinglin/contracts";
import { invariant } from "@xinglin/primitives";
import type { Derivation } from "./derivation.ts";
import { bytea, type JsonRows } from "./json-row.ts";

type ConsentOperation = Extract<Operation, { op: "grantConsent" | "narrowConsent" | "revokeConsent" }>;

export function deriveConsent({ entry, at }: Derivation, operation: ConsentOperation): JsonRows {
  const { patient } = operation;
  if (operation.op === "revokeConsent")
    return { directives: [{ ...at, patient, number: operation.number, change: "revoked", terms: null }] };
  if (operation.op === "narrowConsent") {
    const { number, terms } = operation;
    return { directives: [{ ...at, patient, number, change: "narrowed", terms }], ...grantees(at.sequence, terms) };
  }
  const { number } = entry.subject;
  invariant(number !== undefined, "the entry of an accepted grant names the directive's number");
  const { terms, pointers } = operation;
  return {
    directives: [{ ...at, patient, number, change: "granted", terms }],
    ...grantees(at.sequence, terms),
    ...sealed(at.sequence, pointers),
  };
}

const grantees = (sequence: number, terms: DirectiveTerms): JsonRows => ({
  directive_grantees: terms.grantees.map((grantee, position) => ({
    sequence,
    position,
    kind: grantee.kind,
    member: grantee.kind === "study" ? null : grantee.member,
    role: grantee.kind === "role" ? grantee.role : null,
    actor: grantee.kind === "person" ? grantee.actor : null,
    approval: grantee.kind === "study" ? grantee.approval : null,
  })),
});

const sealed = (sequence: number, pointers: readonly SealedPointer[]): JsonRows => ({
  directive_pointers: pointers.map((pointer, position) => ({
    sequence,
    position,
    member: pointer.member,
    sealed: bytea(pointer.sealed),
  })),
});
