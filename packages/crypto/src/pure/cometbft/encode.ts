/**
 * Protobuf bytes of headers, commits and validator sets, exactly as CometBFT writes them.
 * Source: CometBFT v0.40 proto `tendermint/types/{types,validator,block}.proto`, `tendermint/version`, `tendermint/crypto/keys.proto`.
 */
import { type Bytes, concat } from "@xinglin/primitives";
import { bytesField, intField, messageField, textField } from "../protobuf.ts";
import { sha256 } from "../sha256.ts";
import { KEY_TYPE, keyTypeOf } from "./key-type.ts";
import type { BlockId, Commit, CommitSig, Header, LightBlock, PartSetHeader, Time, Validator } from "./types.ts";

/** Wire numbers of a vote's flag. */
export const FLAGS = { absent: 1, commit: 2, nil: 3 } as const;

// Go's zero time, 0001-01-01T00:00:00Z: what CometBFT writes as the time of a vote that is missing.
const ZERO_TIME: Time = { seconds: -62_135_596_800, nanos: 0 };

/** `google.protobuf.Timestamp`. */
export const encodeTime = (time: Time): Bytes => concat(intField(1, time.seconds), intField(2, time.nanos));

/** `tendermint.types.PartSetHeader`; the canonical form inside votes has the same bytes. */
export const encodePartSetHeader = (parts: PartSetHeader): Bytes => concat(intField(1, parts.total), bytesField(2, parts.hash));

/** `tendermint.types.BlockID`; the canonical form inside votes has the same bytes. */
export const encodeBlockId = (id: BlockId): Bytes =>
  concat(bytesField(1, id.hash), messageField(2, encodePartSetHeader(id.partSetHeader)));

/** `tendermint.version.Consensus`. */
export const encodeVersion = (version: Header["version"]): Bytes => concat(intField(1, version.block), intField(2, version.app));

/** `tendermint.types.Header`. */
export const encodeHeader = (header: Header): Bytes =>
  concat(
    messageField(1, encodeVersion(header.version)),
    textField(2, header.chainId),
    intField(3, header.height),
    messageField(4, encodeTime(header.time)),
    messageField(5, encodeBlockId(header.lastBlockId)),
    bytesField(6, header.lastCommitHash),
    bytesField(7, header.dataHash),
    bytesField(8, header.validatorsHash),
    bytesField(9, header.nextValidatorsHash),
    bytesField(10, header.consensusHash),
    bytesField(11, header.appHash),
    bytesField(12, header.lastResultsHash),
    bytesField(13, header.evidenceHash),
    bytesField(14, header.proposerAddress),
  );

/** `tendermint.types.CommitSig`. */
export function encodeCommitSig(sig: CommitSig): Bytes {
  if (sig.flag === "absent") return concat(intField(1, FLAGS.absent), messageField(3, encodeTime(ZERO_TIME)));
  return concat(
    intField(1, FLAGS[sig.flag]),
    bytesField(2, sig.validatorAddress),
    messageField(3, encodeTime(sig.timestamp)),
    bytesField(4, sig.signature),
  );
}

/** `tendermint.types.Commit`. */
export const encodeCommit = (commit: Commit): Bytes =>
  concat(
    intField(1, commit.height),
    intField(2, commit.round),
    messageField(3, encodeBlockId(commit.blockId)),
    ...commit.signatures.map((sig) => messageField(4, encodeCommitSig(sig))),
  );

/** `tendermint.crypto.PublicKey` of a key of any `KeyType`. Throws `Fault("malformed")` on other bytes. */
export const encodePublicKey = (publicKey: Bytes): Bytes => messageField(KEY_TYPE[keyTypeOf(publicKey)].field, publicKey);

/** A validator's address, whatever the type of its key: the first 20 bytes of SHA-256 of it. */
export const addressOf = (publicKey: Bytes): Bytes => sha256(publicKey).slice(0, 20);

/** `tendermint.types.Validator`, its priority left at zero. */
export const encodeValidator = (validator: Validator): Bytes =>
  concat(
    bytesField(1, addressOf(validator.publicKey)),
    messageField(2, encodePublicKey(validator.publicKey)),
    intField(3, validator.power),
  );

/**
 * `tendermint.types.ValidatorSet`. No hash covers the proposer and the priorities in it, so they are always the same here:
 * the first validator (CometBFT refuses a set without a proposer) and zero.
 */
export function encodeValidatorSet(validators: readonly Validator[]): Bytes {
  const encoded = validators.map(encodeValidator);
  const first = encoded[0];
  return concat(...encoded.map((bytes) => messageField(1, bytes)), ...(first === undefined ? [] : [messageField(2, first)]));
}

/** `tendermint.types.SignedHeader`. */
export const encodeSignedHeader = (block: Pick<LightBlock, "header" | "commit">): Bytes =>
  concat(messageField(1, encodeHeader(block.header)), messageField(2, encodeCommit(block.commit)));

/** `tendermint.types.LightBlock`. */
export const encodeLightBlock = (block: LightBlock): Bytes =>
  concat(messageField(1, encodeSignedHeader(block)), messageField(2, encodeValidatorSet(block.validators)));
