/**
 * The first state of a chain: its parameters, members with their keys, custodians, validators and the class matrix.
 * Everyone who verifies a chain starts from the hash of this document; the chain id carries its first 24 hex digits.
 * Source: design.md, "Ledger".
 */
import { cometbft } from "@xinglin/crypto/pure";
import { actorId, type Bytes, type Infer, memberId, type Schema, schema, unixSeconds } from "@xinglin/primitives";
import { HPKE_PUBLIC_KEY_BYTES, member, publicKey } from "./actor.ts";
import { BASES, category, level } from "./class.ts";
import { electionParameters, MAX_VALIDATORS } from "./election-parameters.ts";

/** State at `parameters`: what governance may change. */
export const parameters = schema.object({
  /** A transaction's validity ends at most this far ahead of the block, in seconds and in blocks. */
  maxValiditySeconds: schema.uint(86_400, 1),
  maxValidityBlocks: schema.uint(10_000_000, 1),
  /** An idle chain makes a block at least this often; custodians refuse an older newest header. */
  maxBlockGapSeconds: schema.uint(10, 1),
  /** How long a permit can be redeemed. At most ten minutes. */
  permitSeconds: schema.uint(600, 1),
  /** Operations of one member in one block. */
  memberQuota: schema.uint(1_000_000, 1),
  maxTransactionBytes: schema.uint(4_194_304, 1024),
  maxBlockBytes: schema.uint(67_108_864, 65_536),
  /** Entries after which an epoch of the audit log closes. */
  logEpochEntries: schema.uint(1_048_576, 16),
  /** What a WebAuthn assertion must name. */
  webauthn: schema.object({ origins: schema.list(schema.text(128), 8), rpIdHash: schema.bytes(32) }),
  /** How validators are admitted, weighed and replaced. */
  election: electionParameters,
});
export type Parameters = Infer<typeof parameters>;

const anyValidatorKey = schema.bytes(cometbft.KEY_TYPE.ed25519.publicKey, cometbft.KEY_TYPE["ml-dsa-65"].publicKey);
/** A key of Ed25519 (32 bytes) or of ML-DSA-65 (1,952 bytes): the length says which, so that nothing can contradict it. */
const validatorPublicKey: Schema<Bytes> = {
  parse(value, path = "") {
    const key = anyValidatorKey.parse(value, path);
    cometbft.keyTypeOf(key);
    return key;
  },
};
/** What of a validator consensus verifies votes with: its key. */
export const validatorKey = { publicKey: validatorPublicKey } as const;
/** One validator: its key, its voting power, and the member that runs it. */
export const validator = schema.object({ ...validatorKey, power: schema.uint(1_000_000_000, 1), member: memberId });
export type Validator = Infer<typeof validator>;
/** State at `validators`: who may propose and vote, from two heights above the block that wrote it on. */
export const validators = schema.list(validator, MAX_VALIDATORS, 1);

/** The genesis document. Parts that contradict each other are found by `decodeGenesis`. */
export const genesis = schema.object({
  type: schema.oneOf("xinglin-genesis/1"),
  name: schema.text(24, /^[a-z][a-z0-9-]*$/),
  time: unixSeconds,
  parameters,
  members: schema.list(schema.object({ id: memberId, member, key: publicKey }), 256, 1),
  custodians: schema.list(
    schema.object({ id: actorId, member: memberId, key: publicKey, hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES) }),
    64,
    1,
  ),
  validators,
  matrix: schema.list(schema.object({ level, category, basis: schema.oneOf(...BASES) }), 44, 44),
});
export type Genesis = Infer<typeof genesis>;
