/**
 * What is known of those who hold an object's columns, and which failures take several columns at once.
 * Source: requirement D2; design.md, "Archive" (different members and failure domains).
 */
import type { Site } from "../store/description.ts";
import type { Risk } from "./risks.ts";

/** Who holds one column. */
export interface ColumnHolder {
  readonly member: string;
  readonly site: Site;
}

/** What several stores can share, the innermost first. */
export const DOMAIN_KINDS = ["member", "building", "power", "city"] as const;
export type DomainKind = (typeof DOMAIN_KINDS)[number];

/** The name of a holder's domain. Names of different kinds are not the same domain. */
export const domainOf = ({ member, site }: ColumnHolder, kind: DomainKind): string => (kind === "member" ? member : site[kind]);

/** Columns (their index) by domain of one kind. */
export function columnsByDomain(holders: readonly ColumnHolder[], kind: DomainKind): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>();
  holders.forEach((holder, column) => {
    const name = domainOf(holder, kind);
    const columns = found.get(name);
    if (columns === undefined) found.set(name, [column]);
    else columns.push(column);
  });
  return found;
}

/** One risk for every domain that `lookUp` has a value for, which `riskOf` makes from it. */
export const domainRisks = <Value, Made extends Risk>(
  holders: readonly ColumnHolder[],
  lookUp: (kind: DomainKind, name: string) => Value | undefined,
  riskOf: (columns: readonly number[], value: Value) => Made,
): Made[] =>
  DOMAIN_KINDS.flatMap((kind) =>
    [...columnsByDomain(holders, kind)].flatMap(([name, columns]) => {
      const value = lookUp(kind, name);
      return value === undefined ? [] : [riskOf(columns, value)];
    }),
  );
