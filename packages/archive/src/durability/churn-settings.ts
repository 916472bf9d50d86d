/**
 * What a simulation of churn is told, and what it answers.
 * Source: requirement D2 (correlated failures simulated).
 */
import type { CodeParameters } from "../layout.ts";
import type { Placeable } from "../placement.ts";
import type { DomainKind } from "./holders.ts";

/** Something that is there, goes away and comes back. */
export interface Outages {
  readonly perYear: number;
  readonly meanDays: number;
}

/** A store, how often it is lost for good (a new, empty one takes its place at once) and how often it is out for a while. */
export interface ChurnStore extends Placeable {
  readonly lossesPerYear: number;
  readonly outages?: Outages;
}

/** A simulation. Rates are means of what happens at random; delays are in days. */
export interface ChurnSettings {
  readonly seed: number;
  readonly objects: number;
  readonly stores: readonly ChurnStore[];
  readonly code: CodeParameters;
  readonly days: number;
  /** Whole domains of a kind: how often each is lost with all its stores, and how often it is out. */
  readonly domainLossesPerYear?: Readonly<Partial<Record<DomainKind, number>>>;
  readonly domainOutages?: Readonly<Partial<Record<DomainKind, Outages>>>;
  /** Columns that spoil in silence, and the audits that find each with these odds. */
  readonly spoiling?: { readonly perYear: number; readonly auditEveryDays: number; readonly odds: number };
  /** How long until a lost store counts as lost. */
  readonly noticeDays: number;
  /** From then on: a delay of its own for each column with this mean, or one after the other, so many a day in the whole network. */
  readonly repair: { readonly meanDays: number } | { readonly columnsPerDay: number };
  /** Where a column goes that is repaired: to the store that took the lost one's place (the default), or to another that keeps the object apart as well. */
  readonly target?: "in place" | "elsewhere";
}

/** What came of it. */
export interface ChurnOutcome {
  readonly objectYears: number;
  /** Objects of which more than m columns were gone at once; each is replaced by a fresh one. */
  readonly lost: number;
  /** Share of all objects' time in which more than m columns were gone or out. */
  readonly unreadableShare: number;
  readonly columnsLost: number;
  readonly repairs: number;
  /** Mean days from a column's loss to the end of its repair. */
  readonly meanRepairDays: number;
  readonly events: number;
}
