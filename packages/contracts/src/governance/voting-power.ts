/**
 * Voting power in integers: what each seat shall have, and how far towards it a chain may go at once.
 *
 * Shares are in units of a millionth (`POWER_UNITS`); an elected set's powers are these units, so its total is a million, give or take one
 * for each validator. A set of other powers, as a genesis may give, is brought to units by `floor(power × 1,000,000 / total)`, at least 1.
 *
 * No step overflows 2^53: powers are at most 10^9 and there are at most 100 of them, so the largest product is 10^9 × 10^6 = 10^15;
 * scores are at most 10^7, so score × units is at most 10^13.
 *
 * Source: requirement A3; design.md, "Validators" (caps: less than 1/3 at once, one member below 1/3, equal power for n < 4).
 */
import { toHex } from "@xinglin/primitives";
import { CAPPED_FROM, MAX_VALIDATORS } from "../model/election-parameters.ts";
import type { Validator } from "../model/genesis.ts";

/** All power of an elected set, less what rounding leaves. */
export const POWER_UNITS = 1_000_000;

/** A validator that shall have a seat, by its score (at least 1). */
export interface Scored extends Omit<Validator, "power"> {
  readonly score: number;
}

/**
 * The power of each seat, in the order of `seats`.
 * 1. Fewer than four: `floor(units / n)` each. Nobody can be kept below a third then.
 * 2. Otherwise `floor(score × left / scores)` of what is left, at least 1, where nobody is capped yet.
 * 3. Whoever is above `cap = units × capPerMille / 1000` gets the cap; the others share what is left anew, until nobody is above.
 * At most two rounds cap anybody when the cap is 330, three when it is 250, then it ends: four caps hold all power.
 */
export function powersOf(seats: readonly Scored[], capPerMille: number): number[] {
  if (seats.length < CAPPED_FROM) return seats.map(() => Math.floor(POWER_UNITS / seats.length));
  const cap = (POWER_UNITS / 1000) * capPerMille;
  const capped = new Set<number>();
  for (;;) {
    const left = POWER_UNITS - capped.size * cap;
    const scores = seats.reduce((sum, { score }, i) => (capped.has(i) ? sum : sum + score), 0);
    const powers = seats.map(({ score }, i) =>
      capped.has(i) ? cap : Math.max(1, scores === 0 ? 0 : Math.floor((score * left) / scores)),
    );
    const above = powers.flatMap((power, i) => (power > cap && !capped.has(i) ? [i] : []));
    if (above.length === 0) return powers;
    for (const i of above) capped.add(i);
  }
}

/** A set's powers in units, by public key. Of an elected set these are its powers. */
function unitsOf(set: readonly Validator[]): Map<string, number> {
  const total = set.reduce((sum, { power }) => sum + power, 0);
  const isElected = Math.abs(total - POWER_UNITS) <= 2 * MAX_VALIDATORS;
  const unit = (power: number): number => (isElected ? power : Math.max(1, Math.floor((power * POWER_UNITS) / total)));
  return new Map(set.map(({ publicKey, power }) => [toHex(publicKey), unit(power)]));
}

/**
 * The set that follows `current` on the way to `wanted`: `wanted` itself if at most `stepPerMille` of the power changes hands by it (the
 * sum of what the growing ones gain, or of what the others lose, whichever is more), else so much of the way: each one's difference times
 * `allowed / moved`, rounded towards where it is; newcomers get at least 1. Where either set has fewer than four, `wanted`: power is equal
 * then and a smaller step would leave somebody above a third. `current` itself, the same array, if no share changes.
 * `wanted` must be of units, as `powersOf` gives them. The order of the result is that of the members' ids.
 */
export function stepTowards(
  current: readonly Validator[],
  wanted: readonly Validator[],
  stepPerMille: number,
): readonly Validator[] {
  const old = unitsOf(current);
  const goal = unitsOf(wanted);
  const powerOf = (units: Map<string, number>, key: string): number => units.get(key) ?? 0;
  let gained = 0;
  let lost = 0;
  for (const key of new Set([...old.keys(), ...goal.keys()])) {
    const change = powerOf(goal, key) - powerOf(old, key);
    if (change > 0) gained += change;
    else lost -= change;
  }
  const moved = Math.max(gained, lost);
  if (moved === 0) return current;
  const allowed = (POWER_UNITS / 1000) * stepPerMille;
  if (moved <= allowed || current.length < CAPPED_FROM || wanted.length < CAPPED_FROM) return inOrder(wanted);
  const seats = new Map([...current, ...wanted].map((validator) => [toHex(validator.publicKey), validator]));
  const next = [...seats].map(([key, validator]) => {
    const from = powerOf(old, key);
    const part = Math.trunc(((powerOf(goal, key) - from) * allowed) / moved);
    return { ...validator, power: Math.max(1, from + part) };
  });
  return inOrder(next);
}

/** Members' ids in the order of their characters, so that the list is the same whatever it was made from. */
const inOrder = (set: readonly Validator[]): Validator[] =>
  [...set].sort((a, b) => (a.member === b.member ? byKey(a, b) : a.member < b.member ? -1 : 1));
const byKey = (a: Validator, b: Validator): number => (toHex(a.publicKey) < toHex(b.publicKey) ? -1 : 1);

/** A validator's new power, 0 if its seat is gone: what consensus is told. */
export interface PowerChange extends Omit<Validator, "member"> {}

/** What turns one set into another: changed and new powers in the order of `next`, then 0 for those that are gone. */
export function powerChanges(current: readonly Validator[], next: readonly Validator[]): PowerChange[] {
  const before = new Map(current.map(({ publicKey, power }) => [toHex(publicKey), power]));
  const kept = new Set(next.map(({ publicKey }) => toHex(publicKey)));
  const changed = next.filter(({ publicKey, power }) => before.get(toHex(publicKey)) !== power);
  const gone = current.filter(({ publicKey }) => !kept.has(toHex(publicKey)));
  return [...changed, ...gone.map((validator) => ({ ...validator, power: 0 }))].map(({ member: _, ...change }) => change);
}
