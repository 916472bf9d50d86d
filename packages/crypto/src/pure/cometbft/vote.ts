/**
 * What a validator signs.
 * Source: CometBFT v0.40 `types/canonical.go`, `types/vote.go` (VoteSignBytes).
 */
import { type Bytes, concat } from "@xinglin/primitives";
import { fixed64Field, intField, messageField, textField, varint } from "../protobuf.ts";
import { encodeBlockId, encodeTime } from "./encode.ts";
import type { BlockId, Commit, Time } from "./types.ts";

/** Wire numbers of the two kinds of vote; a commit holds precommits. */
export const VOTE_TYPES = { prevote: 1, precommit: 2 } as const;

/** A vote as it is signed; `blockId` is absent in a vote for nil. */
export interface CanonicalVote {
  readonly type: keyof typeof VOTE_TYPES;
  readonly chainId: string;
  readonly height: number;
  readonly round: number;
  readonly blockId?: BlockId;
  readonly timestamp: Time;
}

/** The bytes that a validator signs: the length-delimited protobuf of `CanonicalVote`. */
export function voteSignBytes(vote: CanonicalVote): Bytes {
  const message = concat(
    intField(1, VOTE_TYPES[vote.type]),
    fixed64Field(2, vote.height),
    fixed64Field(3, vote.round),
    vote.blockId === undefined ? new Uint8Array(0) : messageField(4, encodeBlockId(vote.blockId)),
    messageField(5, encodeTime(vote.timestamp)),
    textField(6, vote.chainId),
  );
  return concat(varint(message.length), message);
}

/** The bytes that validator `index` signed to be in this commit, or undefined if its vote is missing. */
export function commitSignBytes(chainId: string, commit: Commit, index: number): Bytes | undefined {
  const sig = commit.signatures[index];
  if (sig === undefined || sig.flag === "absent") return undefined;
  const { height, round, blockId } = commit;
  const { timestamp } = sig;
  return voteSignBytes({ type: "precommit", chainId, height, round, timestamp, ...(sig.flag === "commit" ? { blockId } : {}) });
}
