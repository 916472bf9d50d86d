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

/** One risk for every domain of the kinds that have a number, which `riskOf` makes from it. */
export const domainRisks = <Number, Made extends Risk>(
  holders: readonly ColumnHolder[],
  numbers: Readonly<Partial<Record<DomainKind, Number>>>,
  riskOf: (columns: readonly number[], value: Number) => Made,
): Made[] =>
  DOMAIN_KINDS.flatMap((kind) => {
    const value = numbers[kind];
    return value === undefined ? [] : [...columnsByDomain(holders, kind).values()].map((columns) => riskOf(columns, value));
  });
