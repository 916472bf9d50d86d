/**
 * What a seed makes of a simulation: how many nodes, which of them are faulty, how bad network, disk and power are. Each seed draws its own odds, so that
 * some runs are nearly quiet and others nearly nothing but faults. Source: style.md, "Tests" (the simulator draws its own odds from the seed).
 */
import type { MempoolLimits } from "../mempool.ts";
import type { Trick } from "./byzantine.ts";
import type { NetworkOdds } from "./network.ts";
import type { Random } from "./random.ts";

/** Odds are of a thousand. */
export interface Profile {
  /** Voting power of each node. */
  readonly powers: readonly number[];
  /** Nodes whose proposals are faulty; together they have less than a third of the power. */
  readonly byzantine: readonly number[];
  /** Byzantine nodes that also vote twice. */
  readonly doubleVoters: readonly number[];
  /** What faulty proposers do; absent: anything. */
  readonly tricks?: readonly Trick[];
  readonly network: NetworkOdds;
  /** That a node dies at one of the points of a block. */
  readonly crash: number;
  /** That a commit's write meets a power cut or a full disk. */
  readonly tornWrite: number;
  /** Milliseconds between faults from outside: a node killed, the network split. */
  readonly faultEveryMs: number;
  /** Whether more than a third may be down at once. */
  readonly mayLoseQuorum: boolean;
  /** By how much clocks are wrong, at most. */
  readonly skewMs: number;
  /** Milliseconds between transactions, at most. */
  readonly submitEveryMs: number;
  readonly mempool: MempoolLimits;
  /** Operations of one block, but for a transaction that has more. */
  readonly blockOperations: number;
  readonly memberQuota: number;
  readonly logEpochEntries: number;
  readonly maxValiditySeconds: number;
  /** Blocks of an epoch of the validators' election. */
  readonly epochBlocks: number;
  /** Whether nodes hand on what peers handed to them. */
  readonly relay: boolean;
  /** Heights that stay provable. */
  readonly keepVersions: number;
  readonly stateCacheBytes: number;
  readonly stateWindowBytes: number;
}

const SIZES = [1, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 6, 7, 7];

export function profileOf(random: Random): Profile {
  const size = random.pick(SIZES);
  const powers = random.chance(600)
    ? Array.from({ length: size }, () => 10)
    : Array.from({ length: size }, () => random.between(5, 15));
  const byzantine = faultyOf(random, powers);
  const rarely = (most: number): number => (random.chance(350) ? 0 : random.between(1, most));
  return {
    powers,
    byzantine,
    doubleVoters: byzantine.filter(() => random.chance(400)),
    network: { lost: rarely(50), repeated: rarely(100), slow: rarely(100) },
    crash: rarely(20),
    tornWrite: rarely(120),
    faultEveryMs: random.pick([400, 1_500, 4_000, 1_000_000]),
    mayLoseQuorum: random.chance(300),
    skewMs: random.pick([0, 200, 5_000, 180_000]),
    submitEveryMs: random.pick([60, 120, 120, 400]),
    mempool: { maxBytes: random.pick([20_000, 200_000]), maxCount: random.pick([24, 100, 1_000]) },
    blockOperations: random.pick([5, 1_000, 1_000]),
    memberQuota: random.pick([6, 16, 64]),
    logEpochEntries: random.pick([16, 32, 300]),
    maxValiditySeconds: random.pick([60, 120]),
    epochBlocks: random.pick([3, 8, 2_000]),
    relay: random.chance(500),
    keepVersions: random.pick([4, 20, 100]),
    stateCacheBytes: random.pick([1, 100_000, 10_000_000, 10_000_000, 10_000_000]),
    stateWindowBytes: random.pick([1, 4_000, 1_000_000]),
  };
}

/** Nodes with less than a third of the power together, often none. */
function faultyOf(random: Random, powers: readonly number[]): number[] {
  if (random.chance(350)) return [];
  const total = powers.reduce((sum, power) => sum + power, 0);
  const faulty: number[] = [];
  let power = 0;
  for (const node of random.shuffled(powers.map((_, i) => i))) {
    const own = powers[node] as number;
    if (3 * (power + own) >= total) continue;
    power += own;
    faulty.push(node);
  }
  return faulty;
}
