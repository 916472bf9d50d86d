/** What a derivation of rows starts from. Source: design.md, "Read model". */
import type { AuditEntry } from "@xinglin/contracts";

export interface Derivation {
  readonly entry: AuditEntry;
  /** The columns that every row carries. */
  readonly at: { readonly sequence: number; readonly height: number; readonly time: number };
}
