/**
 * The probability that an object cannot be read at a random moment.
 * Source: requirement D2 (99.9999 %); design.md, "Archive".
 */
import type { CodeParameters } from "../layout.ts";
import { type ColumnHolder, type DomainKind, domainRisks } from "./holders.ts";
import { type Odds, oddsOfMoreThan } from "./risks.ts";

/** A holder and the share of time in which its store answered, as measured, 0 to 1. */
export interface AvailableHolder extends ColumnHolder {
  readonly availability: number;
}

/**
 * Share of the time in which a whole domain of a kind is out: a power cut, a city's line, a member's node. One share for all of the kind, or one
 * for each by its name. What is not named does not happen.
 */
export type DomainOutage = Readonly<Partial<Record<DomainKind, number | Readonly<Record<string, number>>>>>;

/** The share of the time in which this domain is out, 0 if nothing is said of it. */
export function outageOf(outage: DomainOutage, kind: DomainKind, name: string): number {
  const shares = outage[kind];
  return typeof shares === "number" ? shares : (shares?.[name] ?? 0);
}

/**
 * The probability that fewer than k columns answer. `holders` has one entry a column; a store that holds two stands there twice, and then
 * `outage.member` is what ties the two. Measured availability includes outages of domains: naming these too counts them twice, which errs on
 * the safe side. Exact where domains nest, else see `oddsOfMoreThan`.
 */
export function unreadableNow(
  holders: readonly AvailableHolder[],
  { m }: Pick<CodeParameters, "m">,
  outage: DomainOutage = {},
): Odds {
  const own = holders.map(({ availability }, column) => ({ down: 1 - availability, columns: [column] }));
  return oddsOfMoreThan(m, [
    ...own,
    ...domainRisks(
      holders,
      (kind, name) => outageOf(outage, kind, name),
      (columns, down) => ({ down, columns }),
    ),
  ]);
}
