/**
 * Between protobuf's values and this project's: integers, time, validators' keys, votes, evidence, consensus parameters. Readers throw
 * `Fault("malformed")`; writers throw for what no code of this project makes.
 * Source: CometBFT v0.40, protos `tendermint.abci`, `tendermint.types`, `tendermint.crypto`.
 */
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { Timestamp } from "@bufbuild/protobuf/wkt";
import { cometbft } from "@xinglin/crypto/pure";
import type { CommitVote, Misbehaviour, Time, ValidatorUpdate } from "@xinglin/ledger";
import { type Bytes, invariant } from "@xinglin/primitives";
import {
  type CommitInfo,
  type ExtendedCommitInfo,
  MisbehaviorType,
  type Validator,
  type ValidatorUpdateSchema,
  type Misbehavior as WireMisbehaviour,
  type ValidatorUpdate as WireValidatorUpdate,
} from "../proto/tendermint/abci/types_pb.js";
import type { ConsensusParamsSchema, ConsensusParams as WireConsensusParams } from "../proto/tendermint/types/params_pb.js";
import { BlockIDFlag } from "../proto/tendermint/types/validator_pb.js";
import { malformed } from "./frames.ts";
import type { ConsensusParams, ExtendedCommitVote } from "./handlers.ts";

const NANOS_OF_SECOND = 1_000_000_000;

/** A 64-bit integer as a number; malformed beyond the safe ones. */
export function readInteger(value: bigint): number {
  const number = Number(value);
  if (!Number.isSafeInteger(number)) throw malformed("integer");
  return number;
}

/** A bound, for which everything beyond the safe integers means as much as the largest of them. */
export const readBound = (value: bigint): number => Number(value > Number.MAX_SAFE_INTEGER ? Number.MAX_SAFE_INTEGER : value);

export function readTime(time: Timestamp | undefined): Time {
  if (time === undefined || time.nanos < 0 || time.nanos >= NANOS_OF_SECOND) throw malformed("time");
  return { seconds: readInteger(time.seconds), nanos: time.nanos };
}

const readAddress = (validator: Validator | undefined): Bytes => {
  if (validator === undefined) throw malformed("validator");
  return validator.address;
};

/** A vote for nil is in the commit as well: the validator was there. */
function readSigned(flag: BlockIDFlag): boolean {
  if (flag === BlockIDFlag.BLOCK_ID_FLAG_ABSENT) return false;
  if (flag === BlockIDFlag.BLOCK_ID_FLAG_COMMIT || flag === BlockIDFlag.BLOCK_ID_FLAG_NIL) return true;
  throw malformed("vote_flag");
}

/** The votes of a commit; none for the first block, whose commit is empty. */
export const readCommit = (commit: CommitInfo | undefined): CommitVote[] =>
  (commit?.votes ?? []).map(({ validator, blockIdFlag }) => ({
    address: readAddress(validator),
    signed: readSigned(blockIdFlag),
  }));

export const readExtendedCommit = (commit: ExtendedCommitInfo | undefined): ExtendedCommitVote[] =>
  (commit?.votes ?? []).map(({ validator, blockIdFlag, voteExtension }) => ({
    address: readAddress(validator),
    signed: readSigned(blockIdFlag),
    extension: voteExtension,
  }));

const MISBEHAVIOUR: ReadonlyMap<MisbehaviorType, Misbehaviour["kind"]> = new Map([
  [MisbehaviorType.DUPLICATE_VOTE, "duplicate_vote"],
  [MisbehaviorType.LIGHT_CLIENT_ATTACK, "light_client_attack"],
]);

export const readMisbehaviour = (list: readonly WireMisbehaviour[]): Misbehaviour[] =>
  list.map(({ type, validator, height }) => {
    const kind = MISBEHAVIOUR.get(type);
    if (kind === undefined) throw malformed("misbehaviour");
    return { kind, address: readAddress(validator), height: readInteger(height) };
  });

export const readValidators = (list: readonly WireValidatorUpdate[]): ValidatorUpdate[] =>
  list.map(({ pubKey, power }) => {
    const sum = pubKey?.sum;
    if (sum?.case !== "ed25519" && sum?.case !== "mldsa65") throw malformed("validator_key");
    const type = sum.case === "ed25519" ? "ed25519" : "ml-dsa-65";
    if (sum.value.length !== cometbft.KEY_TYPE[type].publicKey) throw malformed("validator_key");
    return { publicKey: sum.value, power: readInteger(power) };
  });

export const writeValidators = (list: readonly ValidatorUpdate[]): MessageInitShape<typeof ValidatorUpdateSchema>[] =>
  list.map(({ publicKey, power }) => {
    const type = cometbft.KEY_TYPES.find((one) => cometbft.KEY_TYPE[one].publicKey === publicKey.length);
    invariant(type !== undefined, "abci: a validator's key of no type that a chain of ours has");
    return { pubKey: { sum: { case: type === "ed25519" ? "ed25519" : "mldsa65", value: publicKey } }, power: BigInt(power) };
  });

export function readConsensusParams(params: WireConsensusParams | undefined): ConsensusParams {
  if (params === undefined) return {};
  const { block, evidence, validator, version, abci } = params;
  return {
    ...(block && { block: { maxBytes: readInteger(block.maxBytes), maxGas: readInteger(block.maxGas) } }),
    ...(evidence && {
      evidence: {
        maxAgeBlocks: readInteger(evidence.maxAgeNumBlocks),
        maxAge: { seconds: readInteger(evidence.maxAgeDuration?.seconds ?? 0n), nanos: evidence.maxAgeDuration?.nanos ?? 0 },
        maxBytes: readInteger(evidence.maxBytes),
      },
    }),
    ...(validator && { validator: { keyTypes: validator.pubKeyTypes } }),
    ...(version && { version: { app: readInteger(version.app) } }),
    ...(abci && { abci: { voteExtensionsEnableHeight: readInteger(abci.voteExtensionsEnableHeight) } }),
  };
}

export function writeConsensusParams(params: ConsensusParams): MessageInitShape<typeof ConsensusParamsSchema> {
  const { block, evidence, validator, version, abci } = params;
  return {
    ...(block && { block: { maxBytes: BigInt(block.maxBytes), maxGas: BigInt(block.maxGas) } }),
    ...(evidence && {
      evidence: {
        maxAgeNumBlocks: BigInt(evidence.maxAgeBlocks),
        maxAgeDuration: { seconds: BigInt(evidence.maxAge.seconds), nanos: evidence.maxAge.nanos },
        maxBytes: BigInt(evidence.maxBytes),
      },
    }),
    ...(validator && { validator: { pubKeyTypes: [...validator.keyTypes] } }),
    ...(version && { version: { app: BigInt(version.app) } }),
    ...(abci && { abci: { voteExtensionsEnableHeight: BigInt(abci.voteExtensionsEnableHeight) } }),
  };
}
