/**
 * Who holds a seat: the fit candidates with the highest scores, as many as the load asks for.
 *
 * Fewer validators carry more: each vote is sent to and verified by every other, so a block of n validators costs each node about n signatures
 * and the network about n², whatever is in it. A chain whose blocks are full takes validators out, down to `minSeats`; one with
 * room takes them in, up to `maxSeats`, because more validators are harder to corrupt. One seat an epoch, so that a burst moves little.
 *
 * Source: requirement A4 (validator count follows the load); design.md, "Validators".
 */
import type { Candidate, Election } from "../model/election.ts";
import type { ElectionParameters } from "../model/election-parameters.ts";
import type { Validator } from "../model/genesis.ts";
import { powersOf, type Scored } from "./voting-power.ts";

/** Whether the election may give it a seat. */
export const isEligible = ({ standing }: Candidate): boolean => standing === "fit";

/** The score that counts: halved for each strike, 1 once it would have lost its seat. */
export const effectiveScore = ({ score, strikes }: Candidate, { unfit }: ElectionParameters): number =>
  strikes >= unfit.epochs ? 1 : Math.max(1, Math.floor(score / 2 ** strikes));

/** Operations a block against what a block carries well, in thousandths; 0 without blocks. Both counts are at most 10^12. */
export const utilisation = (operations: number, blocks: number, { blockOperations }: ElectionParameters): number =>
  blocks === 0 ? 0 : Math.min(1000, Math.floor((1000 * operations) / (blocks * blockOperations)));

/**
 * How many seats the next epoch has: one step from `seats` towards
 * `max - floor((max - min) × (u - few) / (full - few))`, where u is the utilisation within `few..full`; always within the bounds.
 */
export function seatsAfter(seats: number, utilisationPerMille: number, parameters: ElectionParameters): number {
  const { minSeats, maxSeats, fewPerMille, fullPerMille } = parameters;
  const load = Math.min(fullPerMille, Math.max(fewPerMille, utilisationPerMille)) - fewPerMille;
  const wanted = maxSeats - Math.floor(((maxSeats - minSeats) * load) / (fullPerMille - fewPerMille));
  return seats + Math.sign(wanted - seats);
}

/**
 * The set that shall be active. Who has a seat keeps it against a challenger whose score is not more than a tenth higher, so that two of
 * nearly equal score do not change places every epoch; of equal ones the earlier admitted, then the lower id. Empty if nobody is fit.
 * Cost: n log n in the candidates.
 */
export function wantedValidators(
  { candidates, seats }: Pick<Election, "candidates" | "seats">,
  current: readonly Validator[],
  parameters: ElectionParameters,
): Validator[] {
  const seated = new Set(current.map(({ member }) => member));
  const standing = (one: Candidate): number => effectiveScore(one, parameters) * (seated.has(one.member) ? 11 : 10);
  const ranked = candidates
    .filter(isEligible)
    .sort((a, b) => standing(b) - standing(a) || a.since - b.since || (a.member < b.member ? -1 : 1))
    .slice(0, seats);
  const scored = ranked.map((one): Scored => ({ ...seatOf(one), score: effectiveScore(one, parameters) }));
  const powers = powersOf(scored, parameters.capPerMille);
  return ranked.map((one, i) => ({ ...seatOf(one), power: powers[i] as number }));
}

/** Of a candidate what a validator is known by. */
const seatOf = ({ address, former, since, standing, strikes, score, ...seat }: Candidate): Omit<Validator, "power"> => seat;
