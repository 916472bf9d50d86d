/** Rows of what custodians signed that they did. Source: requirements C3, C8, D8; design.md, "Consent, access, custody". */
import type { Operation } from "@xinglin/contracts";
import type { Derivation } from "./derivation.ts";
import type { JsonRows } from "./json-row.ts";

type CustodyOperation = Extract<Operation, { op: "recordRelease" | "recordErasure" }>;

export function deriveCustody({ entry, at }: Derivation, operation: CustodyOperation): JsonRows {
  const custodian = entry.by.actor;
  if (operation.op === "recordRelease")
    return { releases: [{ ...at, patient: operation.patient, permit: operation.number, custodian, share: operation.index }] };
  return { erasures: [{ ...at, record: operation.record, version: operation.version, custodian }] };
}
