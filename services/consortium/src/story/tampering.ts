/** The second half of scene 5: two hidden changes, each found and named by the audit, then mended. Source: requirements A2, D3. */
import { type AuditReport, auditEverything, repairObject } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import { flipStoredByte } from "./amendment.ts";
import type { Stage } from "./stage.ts";

/** `changeRow` alters one row behind the program's back and says in which table. */
export async function findHiddenChanges(
  stage: Stage,
  studyObject: Uint8Array,
  database: { changeRow(): Promise<string>; rebuild(): Promise<void> },
): Promise<void> {
  const { say, gateway } = stage;
  say("story.flipped", { path: flipStoredByte(stage, studyObject) });
  say("story.row_changed", { table: await database.changeRow() });
  const by = stage.key("commission/administration");
  const found = await auditEverything(gateway, by);
  sayFindings(stage, found);
  if (found.pieces.length !== 1 || found.rows.length === 0)
    throw new Fault("story_audit_missed", { pieces: found.pieces.length, rows: found.rows.length });
  const repaired = await repairObject(gateway, by, studyObject);
  await database.rebuild();
  const again = await auditEverything(gateway, by);
  if (again.pieces.length + again.rows.length > 0)
    throw new Fault("story_audit_missed", { pieces: again.pieces.length, rows: again.rows.length });
  say("story.repaired", { pieces: repaired });
}

function sayFindings({ say }: Stage, { pieces, rows }: AuditReport): void {
  for (const { store, object, stripe, column } of pieces) say.plain("story.audit_piece", { store, object, stripe, column });
  for (const { table, row, columns } of rows) say.plain("story.audit_row", { table, row, columns });
}
