/**
 * What a code would give over the stores that there are: how often an object is unreadable, how likely it is lost, and which single event takes too much of it.
 * Source: requirement D2 (k, m computed from measured availability).
 */
import { type CodeParameters, columnsOf } from "../layout.ts";
import { type DomainLoss, exposedDomains, type Placeable, placeObject } from "../placement.ts";
import { type DomainOutage, outageOf, unreadableNow } from "./availability.ts";
import type { StoreFacts } from "./placement-rank.ts";
import { type DomainHazards, type Hazard, yearlyLoss } from "./yearly-loss.ts";

/** A store, with what was measured of it: `availability` is its own, beside the outages of domains that it lies in. */
export interface MeasuredStore extends Placeable {
  readonly availability: number;
  readonly hazards: readonly Hazard[];
}

/** The stores of a consortium and what befalls whole domains. */
export interface StoreOdds {
  readonly stores: readonly MeasuredStore[];
  readonly outage?: DomainOutage;
  readonly domainHazards?: DomainHazards;
}

/** What a code would give: the mean over objects, as they would be placed. */
export interface CodeOdds {
  readonly code: CodeParameters;
  readonly overhead: number;
  readonly unreadable: number;
  readonly yearlyLoss: number;
  /** Whether some domain would hold more columns than m, so that losing it alone loses objects. */
  readonly isExposed: boolean;
  /** Which ones. */
  readonly exposed: readonly DomainLoss[];
}

/** Placements that are looked at for each code. */
const SAMPLES = 4;

/** The odds of one code over these stores. Cost: stores × columns a sample. */
export function oddsOfCode(odds: StoreOdds, code: CodeParameters): CodeOdds {
  const trial = new CodeTrial(odds, code);
  return trial.odds(trial.unreadable());
}

/** One code over these stores, as objects would be placed. Each placement is looked at only when it is needed. */
export class CodeTrial {
  readonly #odds: StoreOdds;
  readonly #code: CodeParameters;
  readonly #placed: (readonly MeasuredStore[])[] = [];

  constructor(odds: StoreOdds, code: CodeParameters) {
    this.#odds = odds;
    this.#code = code;
  }

  /** Over just as many stores as columns there is one way. */
  get #samples(): number {
    return this.#odds.stores.length === columnsOf({ code: this.#code }) ? 1 : SAMPLES;
  }

  #placement(sample: number): readonly MeasuredStore[] {
    const { stores } = this.#odds;
    const placed = this.#placed[sample] ?? placeObject(stores, this.#code, Uint8Array.of(sample), availabilityFacts(this.#odds));
    this.#placed[sample] = placed;
    return placed;
  }

  /** The mean share of the time; once it is sure to be above `most`, what it is at least. */
  unreadable(most: number = Number.POSITIVE_INFINITY): number {
    const samples = this.#samples;
    let sum = 0;
    for (let sample = 0; sample < samples && sum <= most * samples; sample++)
      sum += unreadableNow(this.#placement(sample), this.#code, this.#odds.outage).probability;
    return sum / samples;
  }

  /** The odds, of which `unreadable` is known already. */
  odds(unreadable: number): CodeOdds {
    const samples = Array.from({ length: this.#samples }, (_, i) => this.#placement(i));
    const { domainHazards } = this.#odds;
    const exposed = exposedDomains(samples, this.#code);
    return {
      code: this.#code,
      overhead: columnsOf({ code: this.#code }) / this.#code.k,
      unreadable,
      yearlyLoss: mean(samples.map((placed) => yearlyLoss(placed, this.#code, domainHazards).probability)),
      isExposed: exposed.length > 0,
      exposed,
    };
  }
}

/** The mean of at least one value. */
export const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The share of the time in which a store answers, its member's outages counted. */
export const availabilityOf = ({ availability, member }: MeasuredStore, outage: DomainOutage = {}): number =>
  availability * (1 - outageOf(outage, "member", member));

/** What placement is told of these stores: kept, since every trial asks. */
const factsOnce = new WeakMap<StoreOdds, Readonly<Record<string, StoreFacts>>>();
function availabilityFacts(odds: StoreOdds): Readonly<Record<string, StoreFacts>> {
  const known = factsOnce.get(odds);
  if (known !== undefined) return known;
  const facts = Object.fromEntries(odds.stores.map((store) => [store.id, { availability: availabilityOf(store, odds.outage) }]));
  factsOnce.set(odds, facts);
  return facts;
}
