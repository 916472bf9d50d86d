/** Rows of records and batches. Source: requirements C3, D1; design.md, "Read model". */
import type { CustodyReference, ObjectReference, Operation } from "@xinglin/contracts";
import { toHex } from "@xinglin/primitives";
import type { CustodyJson, ObjectJson, RecordChange, RecordRow } from "../store/tables.ts";
import type { Derivation } from "./derivation.ts";
import { bytea, type JsonRow, type JsonRows } from "./json-row.ts";

type RecordOperation = Extract<
  Operation,
  { op: "anchorRecord" | "amendRecord" | "refileRecord" | "withdrawRecord" | "endRecord" | "refreshCustody" | "anchorBatch" }
>;

export function deriveRecord({ entry, at }: Derivation, operation: RecordOperation): JsonRows {
  const { by } = entry;
  const device = by.device ?? null;
  if (operation.op === "anchorBatch") {
    const { root, count, packs } = operation;
    const row = { ...at, root: bytea(root), count, actor: by.actor, device, source: by.member };
    return { batches: [{ ...row, packs: packs?.map(objectJson) ?? null }] };
  }
  const changed = (change: RecordChange, set: Partial<JsonRow<RecordRow>>): JsonRows => {
    const version = entry.subject.version ?? null;
    const unchanged = { patient: null, level: null, category: null, format: null, object: null, custody: null };
    return {
      records: [
        {
          ...at,
          record: operation.record,
          change,
          version,
          ...unchanged,
          actor: by.actor,
          key: by.key,
          device,
          source: by.member,
          ...set,
        },
      ],
    };
  };
  switch (operation.op) {
    case "anchorRecord": {
      const { level, category } = operation.class;
      const { patient, format } = operation;
      return changed("anchored", {
        patient,
        level,
        category,
        format,
        object: objectJson(operation.object),
        custody: custody(operation.custody),
      });
    }
    case "amendRecord":
      return changed("amended", { object: objectJson(operation.object), custody: custody(operation.custody) });
    case "refileRecord":
      return changed("refiled", {
        patient: operation.to,
        object: objectJson(operation.object),
        custody: custody(operation.custody),
      });
    case "refreshCustody":
      return changed("custody_refreshed", { version: operation.version, custody: custody(operation.custody) });
    case "withdrawRecord":
      return changed("withdrawn", {});
    case "endRecord":
      return changed("ending", {});
  }
}

/** An object reference as rows hold it. */
export const objectJson = ({ id, manifest, root, sizeClass, code, profile, slice }: ObjectReference): ObjectJson => ({
  id: toHex(id),
  manifest: toHex(manifest),
  root: toHex(root),
  sizeClass,
  code,
  ...(profile === undefined ? {} : { profile }),
  ...(slice === undefined ? {} : { slice }),
});

const custody = ({ epoch, threshold, custodians, commitments }: CustodyReference): CustodyJson => ({
  epoch,
  threshold,
  custodians,
  commitments: toHex(commitments),
});
