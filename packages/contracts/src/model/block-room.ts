/**
 * Whether blocks are large enough for their validators. A block carries a vote of each validator, and a proposer keeps room for the longest that there
 * is, whatever types of keys the chain has; CometBFT ends on every node where no room is left, so no vote may bring a chain there.
 * Source: CometBFT v0.40 `types/block.go` (MaxDataBytes, MaxCommitBytes), `types/signable.go`; docs/internals/cometbft.md.
 */
import type { Parameters } from "./genesis.ts";

/** A vote in a commit, with a signature of ML-DSA-65. */
const VOTE_BYTES = 3_358;
/** Header, framing and what a commit holds beside votes: 731 bytes. */
const FRAME_BYTES = 1_024;
/** Evidence of misbehaviour takes at most so much of a block, and at most a quarter of it. */
const EVIDENCE_BYTES = 262_144;

/** Bytes of evidence that a block of `maxBlockBytes` may bring. */
export const evidenceBytes = (maxBlockBytes: number): number => Math.min(EVIDENCE_BYTES, Math.floor(maxBlockBytes / 4));

/**
 * Whether a block has room for the votes of `maxSeats` validators and the longest transaction; and, beside all evidence, for the votes of twice as
 * many: when one set replaces another step by step, both hold seats meanwhile.
 */
export function hasRoomForVotes({ maxBlockBytes, maxTransactionBytes }: Parameters, maxSeats: number): boolean {
  const votes = FRAME_BYTES + maxSeats * VOTE_BYTES;
  const mostVotes = votes + maxSeats * VOTE_BYTES;
  return votes + maxTransactionBytes <= maxBlockBytes && mostVotes + evidenceBytes(maxBlockBytes) <= maxBlockBytes;
}
