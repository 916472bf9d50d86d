/**
 * Strict decoders of what `encode.ts` writes: one byte string for one value, every length and count bounded.
 * All throw `Fault("malformed")`. They check form only; hashes and signatures are the light client's.
 * Source: CometBFT v0.40, `ValidateBasic` of Header, Commit, CommitSig, ValidatorSet.
 */
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import { decodeCanonical, nested, type Reader } from "../protobuf.ts";
import { addressOf, encodeCommit, encodeHeader, encodeLightBlock, encodeValidatorSet, FLAGS } from "./encode.ts";
import { isSignatureLength, KEY_TYPE, KEY_TYPES } from "./key-type.ts";
import type { BlockId, Commit, CommitSig, Header, LightBlock, PartSetHeader, Time, Validator } from "./types.ts";
import { checkValidators, MAX_VALIDATORS } from "./validators.ts";

const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;
const MAX_CHAIN_ID = 50;
const MAX_SECONDS = 253_402_300_799;
const MAX_INT32 = 2 ** 31 - 1;

/** The header in these bytes. */
export const decodeHeader = (bytes: Bytes): Header => decodeCanonical(bytes, readHeader, encodeHeader);

/** The commit in these bytes. */
export const decodeCommit = (bytes: Bytes): Commit => decodeCanonical(bytes, readCommit, encodeCommit);

/** The validators in these bytes, sorted and without repetition. */
export const decodeValidatorSet = (bytes: Bytes): Validator[] => decodeCanonical(bytes, readValidatorSet, encodeValidatorSet);

/** The light block in these bytes. */
export const decodeLightBlock = (bytes: Bytes): LightBlock =>
  decodeCanonical(
    bytes,
    (reader) => {
      const signed = nested(reader.message(1), (inner) => ({
        header: nested(inner.message(1), readHeader),
        commit: nested(inner.message(2), readCommit),
      }));
      return { ...signed, validators: nested(reader.message(2), readValidatorSet) };
    },
    encodeLightBlock,
  );

function must(condition: boolean, element: string): void {
  if (!condition) throw new Fault("malformed", { element });
}
const within = (value: number, min: number, max: number): boolean => value >= min && value <= max;

function hash(bytes: Bytes, element: string): Bytes {
  must(bytes.length === HASH_BYTES, element);
  return bytes;
}

function readTime(reader: Reader): Time {
  const time = { seconds: reader.int(1), nanos: reader.int(2) };
  must(within(time.seconds, 0, MAX_SECONDS) && within(time.nanos, 0, 999_999_999), "time");
  return time;
}

function readPartSetHeader(reader: Reader): PartSetHeader {
  const parts = { total: reader.int(1), hash: reader.bytes(2) };
  must(within(parts.total, 0, MAX_INT32), "part_set_header.total");
  return parts;
}

function readBlockId(reader: Reader): BlockId {
  const id = { hash: reader.bytes(1), partSetHeader: nested(reader.message(2), readPartSetHeader) };
  const { total, hash: parts } = id.partSetHeader;
  const whole = id.hash.length === HASH_BYTES && total > 0 && parts.length === HASH_BYTES;
  const none = id.hash.length === 0 && total === 0 && parts.length === 0;
  must(whole || none, "block_id");
  return id;
}

function readHeader(reader: Reader): Header {
  const header: Header = {
    version: nested(reader.message(1), (inner) => ({ block: inner.int(1), app: inner.int(2) })),
    chainId: reader.text(2),
    height: reader.int(3),
    time: nested(reader.message(4), readTime),
    lastBlockId: nested(reader.message(5), readBlockId),
    lastCommitHash: hash(reader.bytes(6), "header.last_commit_hash"),
    dataHash: hash(reader.bytes(7), "header.data_hash"),
    validatorsHash: hash(reader.bytes(8), "header.validators_hash"),
    nextValidatorsHash: hash(reader.bytes(9), "header.next_validators_hash"),
    consensusHash: hash(reader.bytes(10), "header.consensus_hash"),
    appHash: reader.bytes(11),
    lastResultsHash: hash(reader.bytes(12), "header.last_results_hash"),
    evidenceHash: hash(reader.bytes(13), "header.evidence_hash"),
    proposerAddress: reader.bytes(14),
  };
  must(header.version.block >= 0 && header.version.app >= 0, "header.version");
  must(header.chainId.length >= 1 && header.chainId.length <= MAX_CHAIN_ID, "header.chain_id");
  must(header.height >= 1, "header.height");
  // Before the first block the application may have no hash yet.
  must(header.appHash.length === HASH_BYTES || header.appHash.length === 0, "header.app_hash");
  must(header.proposerAddress.length === ADDRESS_BYTES, "header.proposer_address");
  return header;
}

function readCommitSig(reader: Reader): CommitSig {
  const flag = reader.int(1);
  const validatorAddress = reader.bytes(2);
  const time = reader.message(3);
  const signature = reader.bytes(4);
  // The re-encoding compares the rest of a missing vote, its zero time included.
  if (flag === FLAGS.absent) return { flag: "absent" };
  must(flag === FLAGS.commit || flag === FLAGS.nil, "commit_sig.flag");
  must(validatorAddress.length === ADDRESS_BYTES, "commit_sig.validator_address");
  must(isSignatureLength(signature.length), "commit_sig.signature");
  return { flag: flag === FLAGS.commit ? "commit" : "nil", validatorAddress, timestamp: nested(time, readTime), signature };
}

function readCommit(reader: Reader): Commit {
  const commit = {
    height: reader.int(1),
    round: reader.int(2),
    blockId: nested(reader.message(3), readBlockId),
    signatures: reader.list(4, MAX_VALIDATORS).map((bytes) => nested(bytes, readCommitSig)),
  };
  must(commit.height >= 0, "commit.height");
  must(within(commit.round, 0, MAX_INT32), "commit.round");
  return commit;
}

function readValidatorSet(reader: Reader): Validator[] {
  const validators = reader.list(1, MAX_VALIDATORS).map((bytes) => nested(bytes, readValidator));
  // The re-encoding compares the proposer: it is always the first.
  reader.message(2);
  checkValidators(validators);
  return validators;
}

function readValidator(reader: Reader): Validator {
  const address = reader.bytes(1);
  const publicKey = nested(reader.message(2), readPublicKey);
  must(equal(address, addressOf(publicKey)), "validator.address");
  return { publicKey, power: reader.int(3) };
}

/** The one key of the oneof; under a number whose keys have another length it is none. */
function readPublicKey(reader: Reader): Bytes {
  for (const type of KEY_TYPES) {
    const publicKey = reader.message(KEY_TYPE[type].field);
    if (publicKey === undefined) continue;
    must(publicKey.length === KEY_TYPE[type].publicKey, "validator.pub_key");
    return publicKey;
  }
  throw new Fault("malformed", { element: "validator.pub_key" });
}
