/** Votes with real signatures, and the commits that they make. Source: CometBFT v0.40 `types/vote_set.go` (MakeExtendedCommit), spec "BFT time". */
import { cometbft } from "@xinglin/crypto/pure";
import { equal } from "@xinglin/primitives";
import { nextBlockTime } from "../block-time.ts";
import type { Block } from "./block.ts";
import type { SimulatedNode } from "./node.ts";
import type { Vote } from "./votes.ts";
import type { SigningKey, World } from "./world.ts";

/** Prevotes are not signed: nobody outside sees them. */
const NO_SIGNATURE = new Uint8Array(0);

/** A vote of this node, at its own time, but later than the block's. */
export function signVote(
  { keys, facts }: World,
  node: SimulatedNode,
  vote: Pick<Vote, "type" | "height" | "round" | "key" | "blockId">,
  block: Block | undefined,
): Vote {
  const time = block === undefined ? node.now() : nextBlockTime(node.now(), block.header.time);
  const { type, height, round, blockId } = vote;
  if (type === "prevote" || blockId === undefined) return { ...vote, voter: node.index, time, signature: NO_SIGNATURE };
  const bytes = cometbft.voteSignBytes({ type, chainId: facts.chainId, height, round, blockId, timestamp: time });
  return { ...vote, voter: node.index, time, signature: (keys[node.index] as SigningKey).signSync(bytes) };
}

/** The commit of a block from the precommits for it. */
export function commitOf({ keys, facts }: World, block: Block, votes: readonly Vote[]): cometbft.Commit {
  const { height } = block.header;
  const signatures = facts.schedule.at(height).validators.map(({ publicKey }): cometbft.CommitSig => {
    const vote = votes.find(({ voter, key }) => key === block.key && equal((keys[voter] as SigningKey).publicKey, publicKey));
    if (vote === undefined) return { flag: "absent" };
    const { time: timestamp, signature } = vote;
    return { flag: "commit", validatorAddress: cometbft.addressOf(publicKey), timestamp, signature };
  });
  return { height, round: votes[0]?.round ?? 0, blockId: block.blockId, signatures };
}
