/**
 * The hashes that a CometBFT header is made of, and its own.
 * Source: CometBFT v0.40 `types/block.go` (Header.Hash, Commit.Hash), `types/tx.go`, `types/results.go`, `types/params.go`.
 */
import { type Bytes, concat } from "@xinglin/primitives";
import { root } from "../merkle.ts";
import { bytesField, intField, textField } from "../protobuf.ts";
import { type Sha256, sha256 } from "../sha256.ts";
import { encodeBlockId, encodeCommitSig, encodeTime, encodeVersion } from "./encode.ts";
import type { Commit, Header } from "./types.ts";

/** The hash of a header: the Merkle root over its fields, each encoded by itself. It is the block's hash. */
export const headerHash = (header: Header): Bytes =>
  root([
    encodeVersion(header.version),
    textField(1, header.chainId),
    intField(1, header.height),
    encodeTime(header.time),
    encodeBlockId(header.lastBlockId),
    bytesField(1, header.lastCommitHash),
    bytesField(1, header.dataHash),
    bytesField(1, header.validatorsHash),
    bytesField(1, header.nextValidatorsHash),
    bytesField(1, header.consensusHash),
    bytesField(1, header.appHash),
    bytesField(1, header.lastResultsHash),
    bytesField(1, header.evidenceHash),
    bytesField(1, header.proposerAddress),
  ]);

/** `Header.dataHash`: the Merkle root over the SHA-256 of each transaction. */
export const dataHash = (txs: readonly Bytes[], hash: Sha256 = sha256): Bytes => root(txs.map(hash), hash);

/** `Header.lastCommitHash`: the Merkle root over the votes; of the first block, over none. */
export const commitHash = (commit: Commit | undefined): Bytes => root((commit?.signatures ?? []).map(encodeCommitSig));

/** `Header.evidenceHash` of a block without evidence of misbehaviour. */
export const NO_EVIDENCE_HASH: Bytes = root([]);

/** What of a transaction's result stands under `Header.lastResultsHash`. */
export interface TxResult {
  readonly code: number;
  readonly data: Bytes;
  readonly gasWanted: number;
  readonly gasUsed: number;
}

/** `Header.lastResultsHash` of the next block: the Merkle root over the results of this one. */
export const resultsHash = (results: readonly TxResult[], hash: Sha256 = sha256): Bytes =>
  root(
    results.map((result) =>
      concat(intField(1, result.code), bytesField(2, result.data), intField(5, result.gasWanted), intField(6, result.gasUsed)),
    ),
    hash,
  );

/** `Header.consensusHash`: SHA-256 over the two consensus parameters that CometBFT hashes. `maxGas` -1 means no limit. */
export const consensusHash = (params: { readonly maxBytes: number; readonly maxGas: number }): Bytes =>
  sha256(concat(intField(1, params.maxBytes), intField(2, params.maxGas)));
