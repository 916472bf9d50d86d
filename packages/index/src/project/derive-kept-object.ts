/** Rows of objects that versions rely on. Source: docs/decisions/0012-shared-pixels.md; design.md, "Read model". */
import type { Operation } from "@xinglin/contracts";
import { toHex } from "@xinglin/primitives";
import type { Derivation } from "./derivation.ts";
import { objectJson } from "./derive-record.ts";
import type { JsonRows } from "./json-row.ts";

export function deriveKeptObject(
  { entry, at }: Derivation,
  operation: Extract<Operation, { op: "keepObject" | "dropObject" }>,
): JsonRows {
  const { actor, key, device = null, member } = entry.by;
  const by = { actor, key, device, source: member };
  if (operation.op === "dropObject")
    return { kept_objects: [{ ...at, id: toHex(operation.object), change: "dropped", object: null, ...by }] };
  const object = objectJson(operation.object);
  return { kept_objects: [{ ...at, id: object.id, change: "kept", object, ...by }] };
}
