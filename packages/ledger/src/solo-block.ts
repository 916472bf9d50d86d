/**
 * The blocks of a sole validator, as CometBFT writes them: header, bytes, id, and the commit with its one signature.
 * Source: CometBFT v0.40 `types/block.go`, `state/state.go` (MakeBlock); design.md, "Drivers" (solo).
 */
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, invariant } from "@xinglin/primitives";
import { justAfter, type Time } from "./block-time.ts";
import type { ValidatorKey } from "./driver.ts";

/** The application protocol that headers name. */
export const APP_PROTOCOL = 1;
/** What header, last commit and framing of a block with one validator take at most, whose signature may be of ML-DSA-65. */
export const BLOCK_OVERHEAD_BYTES = 6_144;

/** What the next header says of what came before. */
export interface Tip {
  readonly height: number;
  readonly time: Time | undefined;
  readonly blockId: cometbft.BlockId;
  readonly commit: cometbft.Commit;
  readonly appHash: Bytes;
  readonly resultsHash: Bytes;
}

/** What is the same in every header of the chain. */
export interface SoloChain {
  readonly chainId: string;
  readonly maxBlockBytes: number;
  readonly validator: cometbft.Validator;
}

/** A block that is ready to be signed. */
export interface SoloBlock {
  readonly header: cometbft.Header;
  readonly txs: readonly Bytes[];
  readonly bytes: Bytes;
  readonly blockId: cometbft.BlockId;
}

/** The block after `tip` with these transactions. */
export function makeBlock(chain: SoloChain, tip: Tip, time: Time, txs: readonly Bytes[]): SoloBlock {
  const validatorsHash = cometbft.validatorsHash([chain.validator]);
  const header: cometbft.Header = {
    version: { block: cometbft.BLOCK_PROTOCOL, app: APP_PROTOCOL },
    chainId: chain.chainId,
    height: tip.height + 1,
    time,
    lastBlockId: tip.blockId,
    lastCommitHash: cometbft.commitHash(tip.commit),
    dataHash: cometbft.dataHash(txs, nodeSha256),
    validatorsHash,
    nextValidatorsHash: validatorsHash,
    consensusHash: cometbft.consensusHash({ maxBytes: chain.maxBlockBytes, maxGas: -1 }),
    appHash: tip.appHash,
    lastResultsHash: tip.resultsHash,
    evidenceHash: cometbft.NO_EVIDENCE_HASH,
    proposerAddress: cometbft.addressOf(chain.validator.publicKey),
  };
  return withId(header, txs, cometbft.encodeBlock({ header, txs, lastCommit: tip.commit }));
}

/** A block that was read back from disk. */
export const withId = (header: cometbft.Header, txs: readonly Bytes[], bytes: Bytes): SoloBlock => ({
  header,
  txs,
  bytes,
  blockId: cometbft.blockId(header, bytes, nodeSha256),
});

/** Signs the precommit. Its time follows from the header's, so signing the same block twice signs the same bytes. */
export async function signBlock(chainId: string, block: SoloBlock, key: ValidatorKey): Promise<cometbft.Commit> {
  const { blockId, header } = block;
  const timestamp = justAfter(header.time);
  const vote = { type: "precommit", chainId, height: header.height, round: 0, blockId, timestamp } as const;
  const signature = await key.sign(cometbft.voteSignBytes(vote));
  const type = cometbft.keyTypeOf(key.publicKey);
  invariant(signature.length === cometbft.KEY_TYPE[type].signature, "solo: the validator's key gave a signature of another type");
  const validatorAddress = cometbft.addressOf(key.publicKey);
  return { height: header.height, round: 0, blockId, signatures: [{ flag: "commit", validatorAddress, timestamp, signature }] };
}
