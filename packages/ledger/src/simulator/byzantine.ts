/**
 * What a faulty proposer proposes. Less than a third of the power is in such hands; the rest must refuse what no honest node would propose, and
 * live with what it cannot know to be meant badly. Source: design.md, "Execution" (ProcessProposal); CometBFT spec, ABCI++ requirements 1 to 4.
 */
import type { Bytes } from "@xinglin/primitives";
import { HOSPITALS } from "./consortium.ts";
import type { Random } from "./random.ts";
import type { Workload } from "./workload.ts";

/** Proposals that every honest node must refuse. */
export const REFUSED_PROPOSALS = [
  "malformed",
  "damaged",
  "forged",
  "expired",
  "stranger",
  "replayed",
  "twice",
  "oversize",
  "over_quota",
  "wrong_header",
] as const;
/** Proposals that cannot be told from honest ones. */
export const TAKEN_PROPOSALS = ["withheld", "reordered", "two_faced", "silent"] as const;
export type Trick = (typeof REFUSED_PROPOSALS)[number] | (typeof TAKEN_PROPOSALS)[number];

/** What a trick is made from. */
export interface Material {
  /** What an honest node would propose. */
  readonly honest: readonly Bytes[];
  /** Transactions of earlier blocks. */
  readonly committed: readonly Bytes[];
  readonly time: number;
  readonly height: number;
  readonly quota: number;
  readonly maxTransactionBytes: number;
}

export const isRefused = (trick: Trick): boolean => (REFUSED_PROPOSALS as readonly string[]).includes(trick);

/** Which trick comes next. */
export const pickTrick = (random: Random): Trick =>
  random.pick([...REFUSED_PROPOSALS, ...TAKEN_PROPOSALS, "withheld", "silent"] as const);

/** The transactions of a faulty proposal, and the trick that it came to be: where there is no material for one, it is another. */
export function trickTransactions(
  trick: Trick,
  random: Random,
  workload: Workload,
  material: Material,
): { readonly txs: Bytes[]; readonly trick: Trick } {
  const { honest, committed, time, height, quota, maxTransactionBytes } = material;
  const among = (...bad: readonly Bytes[]): { txs: Bytes[]; trick: Trick } => ({
    txs: random.shuffled([...honest, ...bad]),
    trick,
  });
  switch (trick) {
    case "malformed":
    case "forged":
    case "expired":
    case "stranger":
      return among(workload.bad(trick, time, height));
    case "damaged": {
      const [first] = honest;
      if (first === undefined) return trickTransactions("forged", random, workload, material);
      const damaged = first.slice();
      damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
      return among(damaged);
    }
    case "replayed":
      return committed.length === 0 ? trickTransactions("malformed", random, workload, material) : among(random.pick(committed));
    case "twice":
      return honest.length === 0 ? trickTransactions("malformed", random, workload, material) : among(random.pick(honest));
    case "oversize":
      return among(random.bytes(maxTransactionBytes + 1));
    case "over_quota": {
      const member = random.pick(HOSPITALS);
      const half = Math.floor(quota / 2) + 1;
      return { txs: [workload.filler(member, half, time, height), workload.filler(member, half, time, height)], trick };
    }
    case "withheld":
      return { txs: honest.filter(() => random.chance(300)), trick };
    case "reordered":
    case "two_faced":
      return { txs: random.shuffled(honest), trick };
    default:
      return { txs: [...honest], trick };
  }
}
