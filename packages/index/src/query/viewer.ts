/**
 * Who asks the read model, and which audit entries that party may see: a patient those under its own pseudonym; a member those it asked
 * for itself and those about patients that it registered; a commission all.
 * Source: requirement C10; design.md, "What a user gets".
 */
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from "kysely";
import type { Tables } from "../store/tables.ts";

export type Viewer =
  | { readonly kind: "patient"; readonly patient: string }
  | { readonly kind: "member"; readonly member: string }
  | { readonly kind: "commission" };

/** A condition on `xinglin.entries`. */
export function seenBy(viewer: Viewer): (eb: ExpressionBuilder<Tables, "xinglin.entries">) => Expression<SqlBool> {
  return (eb) => {
    switch (viewer.kind) {
      case "commission":
        return sql<SqlBool>`true`;
      case "patient":
        return eb("xinglin.entries.patient", "=", viewer.patient);
      case "member": {
        const own = eb
          .selectFrom("xinglin.actors")
          .select("xinglin.actors.sequence")
          .whereRef("xinglin.actors.actor", "=", "xinglin.entries.patient")
          .where("xinglin.actors.member", "=", viewer.member);
        return eb.or([eb("xinglin.entries.member", "=", viewer.member), eb.exists(own)]);
      }
    }
  };
}
