/**
 * The probability that an object is lost for good within a year: more than m columns gone before the first of them is rebuilt.
 * Source: requirement D2; Z. W. Birnbaum, "On the importance of different components in a multicomponent system" (1969).
 */
import { invariant } from "@xinglin/primitives";
import type { CodeParameters } from "../layout.ts";
import { type ColumnHolder, type DomainKind, domainRisks } from "./holders.ts";
import { binomialTail, type Odds, oddsOfMoreThan, type Risk } from "./risks.ts";

export const DAYS_A_YEAR = 365;

/** Failures for good, and the mean days from the failure to the end of the repair: noticing it, waiting, rebuilding elsewhere. */
export interface Hazard {
  /** Mean number a year; of an annual failure rate (a probability), `rateOfAfr`. */
  readonly perYear: number;
  readonly repairDays: number;
}

/** A holder and what can befall its column: the store gone, the column silently spoiled until an audit finds it. */
export interface MortalHolder extends ColumnHolder {
  readonly hazards: readonly Hazard[];
}

/** What befalls whole domains of a kind: a building burns, a member leaves with all its stores. */
export type DomainHazards = Readonly<Partial<Record<DomainKind, Hazard>>>;

/** The rate behind a share of stores that fail within a year: 5 % is 0.0513 a year. */
export const rateOfAfr = (annualFailureRate: number): number => -Math.log1p(-annualFailureRate);

/** The share of time that a column is gone by one hazard, if each failure is repaired. Depends on the mean delay only. */
const downShare = ({ perYear, repairDays }: Hazard): number => {
  const load = (perYear * repairDays) / DAYS_A_YEAR;
  return load / (1 + load);
};

/**
 * An upper bound of the yearly loss probability, for stores that differ and domains that fail at once. Each hazard strikes and is repaired
 * independently of the others; in the long run the number of times a year at which the object goes from readable to not is the sum over hazards of
 * how often it strikes times by how much it matters then (Birnbaum's importance), which depends on the repair delays only through their
 * means. The probability of at least one such time is no higher than their expected number, and a fresh object starts better than the
 * long run. Close to the truth while it is small: `lossWithin` is within 5 % of it at 10+4 with 7 days.
 */
export function yearlyLoss(
  holders: readonly MortalHolder[],
  { m }: Pick<CodeParameters, "m">,
  domains: DomainHazards = {},
): Odds {
  const asRisk = (columns: readonly number[], hazard: Hazard): Risk & { perYear: number } => {
    const down = downShare(hazard);
    return { columns, down, perYear: hazard.perYear * (1 - down) };
  };
  const risks = [
    ...holders.flatMap(({ hazards }, column) => hazards.map((hazard) => asRisk([column], hazard))),
    ...domainRisks(holders, (kind) => domains[kind], asRisk),
  ];
  let perYear = 0;
  for (const [i, risk] of risks.entries()) {
    if (risk.perYear === 0) continue;
    const given = (down: number): Odds =>
      oddsOfMoreThan(
        m,
        risks.map((other, j) => (j === i ? { down, columns: other.columns } : other)),
      );
    const without = given(0);
    perYear += risk.perYear * (given(1).probability - (without.isBound ? 0 : without.probability)); // a bound is not taken off
  }
  return { probability: -Math.expm1(-perYear), isBound: true };
}

/** A repair in rounds: whatever failed since the last is rebuilt at once at the end of each. */
export interface Rounds {
  readonly perYear: number;
  readonly roundDays: number;
}

/**
 * The yearly loss of equal stores that are repaired in rounds: more than m fail within one. The model of published durability tables; m + 1 times
 * better than the same delay after each failure, since a failure waits half a round on average, and the last ones less.
 */
export function lossInRounds({ k, m }: CodeParameters, { perYear, roundDays }: Rounds): number {
  invariant(roundDays > 0, "a round takes time");
  const p = -Math.expm1((-perYear * roundDays) / DAYS_A_YEAR);
  const inOneRound = binomialTail(m, Array<number>(k + m).fill(p));
  return -Math.expm1((DAYS_A_YEAR / roundDays) * Math.log1p(-inOneRound));
}

/** What a repair has to move, and how fast it may. */
export interface RepairWork {
  /** Days until a loss is known: the silence after which a store counts as gone, or the mean wait for an audit that finds it. */
  readonly noticeDays: number;
  /** Bytes that the failure took, of all objects. */
  readonly lostBytes: number;
  /** Each lost byte is computed from k. */
  readonly k: number;
  /** Bytes a second that repair may use in the whole network, reads and writes together. */
  readonly bytesPerSecond: number;
}

/** Days from a failure until the last of its columns is rebuilt; for the mean over columns the second term counts half. */
export const repairDaysOf = ({ noticeDays, lostBytes, k, bytesPerSecond }: RepairWork): number =>
  noticeDays + (lostBytes * (k + 1)) / bytesPerSecond / 86_400;
