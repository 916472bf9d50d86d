/**
 * What governance may change of the election of validators, and two sets of values to begin with.
 * Source: requirements A3, A4, A8; design.md, "Validators".
 */
import { type Infer, schema } from "@xinglin/primitives";

/** Most validators of a chain, active and standing by together. */
export const MAX_VALIDATORS = 100;
/** With fewer validators than this no member's power can be below a third of the whole. */
export const CAPPED_FROM = 4;

const weight = schema.uint(1000);

/** Part of the state at `parameters`. Contradictions between its elements are found by `electionContradiction`. */
export const electionParameters = schema.object({
  /** Blocks of an epoch; it ends with the first block with transactions after so many. */
  epochBlocks: schema.uint(1_000_000, 2),
  /** A proposal passes when so many of a thousand committee members said yes: 667 is more than two thirds. */
  votesPerMille: schema.uint(1000, 501),
  /** How long a proposal may be open. */
  proposalSeconds: schema.uint(31_536_000, 60),
  /** Bounds of how many validators are active. A chain whose `maxSeats` is 1 keeps its one validator until a vote raises it. */
  minSeats: schema.uint(MAX_VALIDATORS, 1),
  maxSeats: schema.uint(MAX_VALIDATORS, 1),
  /** Operations that a block carries well: what utilisation is measured against. */
  blockOperations: schema.uint(1_000_000, 1),
  /** At or below `fewPerMille` utilisation the chain wants `maxSeats`, at or above `fullPerMille` it wants `minSeats`. */
  fewPerMille: schema.uint(1000),
  fullPerMille: schema.uint(1000),
  /** What being admitted, anchored records, lent storage and stability count for, against each other. */
  weights: schema.object({ base: schema.uint(1000, 1), records: weight, storage: weight, stability: weight }),
  /** Most that one member may hold, in thousandths of all power: below a third, and enough for four to share all. */
  capPerMille: schema.uint(330, 250),
  /** Most that changes hands at once, in thousandths of all power: below a third. */
  stepPerMille: schema.uint(330, 1),
  /** A node below any of these in an epoch is unfit; after `epochs` in a row its seat goes. */
  unfit: schema.object({
    /** At most 600: proposers who leave out others' votes can hide a third of them. */
    signedPerMille: schema.uint(600),
    answeredPerMille: schema.uint(1000),
    kilobytesPerSecond: schema.uint(1_000_000_000),
    freeMegabytes: schema.uint(1_000_000_000),
    epochs: schema.uint(100, 1),
  }),
});
export type ElectionParameters = Infer<typeof electionParameters>;

/** Values for a consortium of several validators. */
export const CONSORTIUM_ELECTION: ElectionParameters = {
  epochBlocks: 2_000,
  votesPerMille: 667,
  proposalSeconds: 1_209_600,
  minSeats: 4,
  maxSeats: 21,
  blockOperations: 1_000,
  fewPerMille: 250,
  fullPerMille: 750,
  weights: { base: 400, records: 200, storage: 100, stability: 300 },
  capPerMille: 330,
  stepPerMille: 330,
  unfit: { signedPerMille: 500, answeredPerMille: 500, kilobytesPerSecond: 100, freeMegabytes: 1_024, epochs: 3 },
};

/** Values for a chain of one validator, as the solo driver makes it. */
export const SOLO_ELECTION: ElectionParameters = { ...CONSORTIUM_ELECTION, minSeats: 1, maxSeats: 1 };

/** What in these parameters contradicts itself, if anything does: `seats` or `utilisation`. */
export function electionContradiction(election: ElectionParameters): "seats" | "utilisation" | undefined {
  if (election.minSeats > election.maxSeats) return "seats";
  if (election.fewPerMille >= election.fullPerMille) return "utilisation";
  return undefined;
}
