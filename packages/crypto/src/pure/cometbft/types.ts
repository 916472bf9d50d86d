/**
 * The parts of a CometBFT block that light clients and proofs need. Heights and powers are safe integers.
 * Source: CometBFT v0.38/v0.40, proto `tendermint.types` and package `types`.
 */
import type { Bytes } from "@xinglin/primitives";

/** A point in time: seconds since 1970-01-01T00:00:00Z and nanoseconds within the second. */
export interface Time {
  readonly seconds: number;
  readonly nanos: number;
}

/** How the bytes of a block were cut into parts, and the Merkle root over them. */
export interface PartSetHeader {
  readonly total: number;
  readonly hash: Bytes;
}

/** The hash of a block's header and of its parts. The first block's predecessor is `NO_BLOCK`. */
export interface BlockId {
  readonly hash: Bytes;
  readonly partSetHeader: PartSetHeader;
}

/** The block id of "no block": before the first block, and of a vote for nil. */
export const NO_BLOCK: BlockId = { hash: new Uint8Array(0), partSetHeader: { total: 0, hash: new Uint8Array(0) } };

/** The block protocol that CometBFT v0.38 and v0.40 write. */
export const BLOCK_PROTOCOL = 11;

/** A block's header. `appHash` is the state root after the previous block, so a proof of H uses the header of H+1. */
export interface Header {
  readonly version: { readonly block: number; readonly app: number };
  readonly chainId: string;
  readonly height: number;
  readonly time: Time;
  readonly lastBlockId: BlockId;
  readonly lastCommitHash: Bytes;
  readonly dataHash: Bytes;
  readonly validatorsHash: Bytes;
  readonly nextValidatorsHash: Bytes;
  readonly consensusHash: Bytes;
  readonly appHash: Bytes;
  readonly lastResultsHash: Bytes;
  readonly evidenceHash: Bytes;
  readonly proposerAddress: Bytes;
}

/** One validator's vote in a commit: for the block, for nil, or missing. */
export type CommitSig =
  | { readonly flag: "absent" }
  | { readonly flag: "commit" | "nil"; readonly validatorAddress: Bytes; readonly timestamp: Time; readonly signature: Bytes };

/** The votes that made a block final, one for each validator in the order of the set. */
export interface Commit {
  readonly height: number;
  readonly round: number;
  readonly blockId: BlockId;
  readonly signatures: readonly CommitSig[];
}

/** A validator: its key, of a type that its length tells (`keyTypeOf`), and its voting power, from 1. */
export interface Validator {
  readonly publicKey: Bytes;
  readonly power: number;
}

/** What a light client needs of one height: header, commit, and the validators that signed it, in the order of the set. */
export interface LightBlock {
  readonly header: Header;
  readonly commit: Commit;
  readonly validators: readonly Validator[];
}
