/** The row of a request to read, whatever came of it. Source: requirements C1, C2, C10; design.md, "Consent, access, custody". */
import type { OperationOf, Reason } from "@xinglin/contracts";
import type { AccessRow } from "../store/tables.ts";
import type { Derivation } from "./derivation.ts";
import { byteaOrNull, type JsonRow, type JsonRows } from "./json-row.ts";

export function deriveAccess({ entry, at }: Derivation, operation: OperationOf<"requestAccess">): JsonRows {
  const { by, outcome, subject } = entry;
  const { target } = operation;
  const row: JsonRow<AccessRow> = {
    ...at,
    patient: operation.patient,
    outcome,
    code: entry.code ?? null,
    permit: outcome === "accepted" ? (subject.number ?? null) : null,
    directive: decidingDirective(entry.facts?.directive, entry.reason),
    purpose: operation.purpose,
    level: operation.class.level,
    category: operation.class.category,
    target: target.kind,
    record: target.kind === "record" ? target.record : target.leaf.record,
    version: target.kind === "record" ? target.version : null,
    batch: byteaOrNull(target.kind === "batch" ? target.root : undefined),
    actor: by.actor,
    key: by.key,
    member: by.member,
    device: by.device ?? null,
    credential: operation.credential,
    approval: operation.approval ?? null,
  };
  return { accesses: [row] };
}

/** A denial is named by the refusal's facts; a permitting directive by the tree, unless the class needed none. */
function decidingDirective(denial: string | number | undefined, reason: Reason | undefined): number | null {
  if (typeof denial === "number") return denial;
  if (reason?.holds !== true) return null;
  const basis = reason.because.find(({ code }) => code === "class_rule")?.facts.basis;
  if (basis !== "consent" && basis !== "ethics") return null;
  const weighed = reason.because.find(({ code }) => code === "directives")?.because ?? [];
  const directive = weighed.find(({ code }) => code === "directive_permits")?.facts.directive;
  return typeof directive === "number" ? directive : null;
}
