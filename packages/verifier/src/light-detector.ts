/**
 * Asks other nodes whether they have the header that was just verified. One that shows another header is believed only if that follows from
 * what both share; then two sets of signatures contradict each other, and a node lied.
 * Source: CometBFT v0.40 `light/detector.go`; requirement A9 (catches a lying node).
 */
import { cometbft } from "@xinglin/crypto/pure";
import { Fault } from "@xinglin/primitives";
import { bisect } from "./light-bisection.ts";
import { differingBlock, type LightBlockSource } from "./light-source.ts";
import { type Anchor, anchorOf, isLater, type StepRules } from "./light-step.ts";

/**
 * What another node said: it has the same header, it is not that far yet, it can't be reached, or it answered what does not verify (`code`
 * tells what) and is not asked about this header again.
 */
export interface WitnessAnswer {
  readonly name: string;
  readonly outcome: "agrees" | "behind" | "unreachable" | "dropped";
  readonly code?: string;
}

/** Two histories that both verify. */
export interface Divergence {
  /** The other node. */
  readonly name: string;
  /** The blocks that both have, of those that are kept; none if they part at the genesis. */
  readonly shared: readonly cometbft.LightBlock[];
  /** The first block of our own history that the other does not share. */
  readonly own: readonly cometbft.LightBlock[];
  /** What leads from the last shared block to the one that contradicts ours. */
  readonly other: readonly cometbft.LightBlock[];
}

/** `history` is what was verified, oldest first, the header in question last; `genesis` is given if trust began there. */
export interface OwnHistory {
  readonly blocks: readonly cometbft.LightBlock[];
  readonly genesis?: Anchor | undefined;
}

/** Holds the last block of our history against what one other node has. Never throws a `Fault`. */
export async function compareWith(
  witness: LightBlockSource,
  own: OwnHistory,
  rules: StepRules,
): Promise<WitnessAnswer | Divergence> {
  const { name } = witness;
  try {
    const challenge = await contradicting(witness, own.blocks);
    if (challenge === "agrees" || challenge === "behind") return { name, outcome: challenge };
    return await part(witness, own, challenge, rules);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.retry) return { name, outcome: "unreachable", code: error.code };
    return { name, outcome: "dropped", code: error.code };
  }
}

/** The block of the other node that contradicts ours, if any. */
async function contradicting(
  witness: LightBlockSource,
  blocks: readonly cometbft.LightBlock[],
): Promise<cometbft.LightBlock | "agrees" | "behind"> {
  const target = blocks.at(-1) as cometbft.LightBlock;
  try {
    return (await blockThere(witness, target)) ?? "agrees";
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "height_unknown") throw error;
  }
  const newest = await witness.lightBlock("newest");
  if (newest.header.height >= target.header.height) return (await blockThere(witness, target)) ?? "agrees";
  // A block of ours that is higher, yet not later, than the other's newest: one of the two is made up.
  const isContradicted = blocks.some(
    ({ header }) => header.height > newest.header.height && !isLater(header.time, newest.header.time),
  );
  return isContradicted ? newest : "behind";
}

/** Goes back to the newest block that both share, and verifies from there what the other has. */
async function part(
  witness: LightBlockSource,
  { blocks, genesis }: OwnHistory,
  challenge: cometbft.LightBlock,
  rules: StepRules,
): Promise<Divergence> {
  let at = blocks.findIndex(({ header }) => header.height >= challenge.header.height);
  let theirs = challenge;
  for (; at > 0; at--) {
    const differing = await blockThere(witness, blocks[at - 1] as cometbft.LightBlock);
    if (differing === undefined) break;
    theirs = differing;
  }
  const shared = blocks.slice(0, at);
  const last = shared.at(-1);
  const common = last === undefined ? genesis : anchorOf(last);
  // Where trust began with a checkpoint, a node without that block is of another chain.
  if (common === undefined) throw new Fault("checkpoint_differs", { height: theirs.header.height });
  const other = await bisect(common, theirs, witness, rules);
  return { name: witness.name, shared, own: [blocks[at] as cometbft.LightBlock], other };
}

async function blockThere(witness: LightBlockSource, { header }: cometbft.LightBlock): Promise<cometbft.LightBlock | undefined> {
  const differing = await differingBlock(witness, header.height, cometbft.headerHash(header));
  if (differing !== undefined && differing.header.height !== header.height)
    throw new Fault("malformed", { element: "height", height: header.height });
  return differing;
}
