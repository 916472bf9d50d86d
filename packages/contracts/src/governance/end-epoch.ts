/**
 * The end of an epoch: what each candidate did in it, what it scores, who is unfit, and how many seats there are from here on.
 *
 * A fit candidate gets a strike if it signed less of the commits due than the threshold (of at least ten), or if the committee's probes
 * say, by the median for fitness, that it answers too little, is too slow or has too little space; an epoch without fault takes all
 * strikes away. Each strike halves its power. After `unfit.epochs` in a row its seat goes, the worst first, as long as four
 * fit candidates remain: below that it keeps the seat with the least power, and `validatorStatus` says so. Who lost its seat comes back
 * by vote only.
 *
 * Cost: the committee's probes about each candidate, at most 100 × 99 small entries, once an epoch.
 * Source: requirements A3, A8; design.md, "Validators".
 */
import type { Height, MemberId } from "@xinglin/primitives";
import type { Candidate, Election, EpochRecord, Tally } from "../model/election.ts";
import { CAPPED_FROM, type ElectionParameters } from "../model/election-parameters.ts";
import { getProbes } from "../reads.ts";
import type { StateReader } from "../rule.ts";
import { committeeOf } from "./committee.ts";
import { answeredAsTold, credited, judged } from "./probe-median.ts";
import { lowerMedian, type Measured, scoreOf } from "./score.ts";
import { isEligible, seatsAfter, utilisation } from "./seats.ts";

/** With fewer commits due, signing is not held against a node. */
const LEAST_DUE = 10;
const MOST_STRIKES = 255;

/** What was measured of one candidate, and whether it was unfit by it. */
interface Measurement extends Measured {
  readonly candidate: Candidate;
  readonly credit: EpochRecord["rows"][number]["credited"];
  readonly probers: number;
  readonly told: number;
  readonly isUnfit: boolean;
}

/** The election after the epoch, and the record of it. Nothing of the tally is carried over. */
export function endEpoch(
  state: StateReader,
  election: Election,
  tally: Tally,
  parameters: ElectionParameters,
  height: Height,
): { election: Election; record: EpochRecord } {
  const committee = committeeOf(election);
  const rows = new Map(tally.rows.map((row) => [row.member, row]));
  const measured = election.candidates.map((candidate): Measurement => {
    const { due = 0, signed = 0, points = 0 } = rows.get(candidate.member) ?? {};
    const seen = probesOf(state, candidate.member, election.epoch, committee);
    const others = committee.filter((member) => member !== candidate.member).length;
    const credit = credited(seen, others);
    const { freeMegabytes, answeredPerMille } = credit;
    const isUnfit = isBelow(parameters, { due, signed }, judged(seen, others));
    return {
      candidate,
      due,
      signed,
      points,
      freeMegabytes,
      answeredPerMille,
      credit,
      probers: seen.length,
      told: answeredAsTold(seen),
      isUnfit,
    };
  });
  const fit = measured.filter(({ candidate }) => isEligible(candidate));
  const typical = {
    points: lowerMedian(fit.map(({ points }) => points)),
    freeMegabytes: lowerMedian(fit.map(({ freeMegabytes }) => freeMegabytes)),
  };
  const scored = measured.map(({ candidate, isUnfit, ...rest }): Candidate => {
    const strikes = isUnfit ? Math.min(MOST_STRIKES, candidate.strikes + 1) : 0;
    return { ...candidate, score: scoreOf(parameters.weights, rest, typical), strikes };
  });
  const candidates = withoutUnfit(scored, parameters);
  const utilisationPerMille = utilisation(tally.operations, tally.blocks, parameters);
  const seats = seatsAfter(election.seats, utilisationPerMille, parameters);
  const record: EpochRecord = {
    from: election.since,
    to: height,
    blocks: tally.blocks,
    operations: tally.operations,
    utilisationPerMille,
    seats,
    rows: measured.map(({ due, signed, points, probers, credit, told }, i) => {
      const { member, score, strikes, standing } = candidates[i] as Candidate;
      return { member, due, signed, points, probers, credited: credit, answeredPerMille: told, score, strikes, standing };
    }),
  };
  return { election: { ...election, epoch: election.epoch + 1, since: height, seats, candidates }, record };
}

/** What committee members saw of a member's node in this epoch. */
function probesOf(state: StateReader, member: MemberId, epoch: number, committee: readonly MemberId[]) {
  const probes = getProbes(state, member);
  if (probes?.epoch !== epoch) return [];
  return probes.by.filter((probe) => committee.includes(probe.member));
}

function isBelow(
  { unfit }: ElectionParameters,
  { due, signed }: { readonly due: number; readonly signed: number },
  seen: ReturnType<typeof judged>,
): boolean {
  if (due >= LEAST_DUE && 1000 * signed < due * unfit.signedPerMille) return true;
  if (seen === undefined) return false;
  return (
    seen.answeredPerMille < unfit.answeredPerMille ||
    seen.kilobytesPerSecond < unfit.kilobytesPerSecond ||
    seen.freeMegabytes < unfit.freeMegabytes
  );
}

/** Takes eligibility from those with too many strikes, most strikes first, then lowest score, while four eligible ones remain. */
function withoutUnfit(candidates: readonly Candidate[], { unfit }: ElectionParameters): Candidate[] {
  const spare = Math.max(0, candidates.filter(isEligible).length - CAPPED_FROM);
  const leaving = candidates
    .filter((one) => isEligible(one) && one.strikes >= unfit.epochs)
    .sort((a, b) => b.strikes - a.strikes || a.score - b.score || (a.member < b.member ? -1 : 1))
    .slice(0, spare);
  return candidates.map((one) => (leaving.includes(one) ? { ...one, standing: "unfit" } : one));
}
