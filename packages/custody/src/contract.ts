/**
 * What a custodian is asked and what it answers, as canonical DAG-CBOR. A custodian takes bytes only: header, commit, proofs, request.
 * Source: requirements C3, D9; design.md, "Consent, access, custody".
 */
import { keyIdSchema, MAX_CUSTODIANS, SUITES } from "@xinglin/contracts";
import { LONGEST_SIGNATURE_BYTES } from "@xinglin/crypto/pure";
import { actorId, type Bytes, cbor, height, type Infer, recordId, type Schema, schema, unixSeconds } from "@xinglin/primitives";

/** Largest request: a light block of a hundred validators and a dozen proofs. */
export const MAX_REQUEST_BYTES = 1_048_576;
/** Of a hundred validators, all with keys of ML-DSA-65: 2 KB a key and 3.3 KB a signature. */
const MAX_LIGHT_BLOCK_BYTES = 655_360;
/** A proof holds its value. */
const MAX_PROOF_BYTES = 131_072;
/** Eight facts about the permit, and each custodian's own entry. */
const MAX_PROOFS = 8 + MAX_CUSTODIANS;
/** An account of 32 keys of the hybrid suite has 67 KB. */
const MAX_VALUE_BYTES = 98_304;

/** One key's value, or its absence, with the ICS-23 proof of it. */
const stateProof = schema.object({
  key: schema.text(200),
  value: schema.optional(schema.bytes(0, MAX_VALUE_BYTES)),
  proof: schema.bytes(1, MAX_PROOF_BYTES),
});
/** The state at `height`, proved by the header of `height + 1`. */
export const provenState = schema.object({
  height,
  lightBlock: schema.bytes(1, MAX_LIGHT_BLOCK_BYTES),
  proofs: schema.list(stateProof, MAX_PROOFS, 1),
});
export type ProvenState = Infer<typeof provenState>;

const index = schema.uint(MAX_CUSTODIANS - 1);
const chain = schema.text(50);
const version = schema.uint(65_535, 1);

/** The signed part of a deposit: one share of one record version's content key, sealed to this custodian. */
export const depositBody = schema.object({
  type: schema.oneOf("xinglin-deposit/1"),
  chain,
  custodian: actorId,
  record: recordId,
  version,
  epoch: schema.uint(65_535, 1),
  threshold: schema.uint(MAX_CUSTODIANS, 1),
  count: schema.uint(MAX_CUSTODIANS, 1),
  commitments: schema.bytes(32),
  index,
  sealed: schema.bytes(1136, 4096),
  depositor: schema.object({ actor: actorId, key: keyIdSchema, suite: schema.oneOf(...SUITES) }),
  time: unixSeconds,
});
export type DepositBody = Infer<typeof depositBody>;
export const depositRequest = schema.object({
  body: schema.bytes(1, 16_384),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
  state: provenState,
});
/** What a custodian signs once it holds the share. */
export const depositReceipt = schema.object({
  type: schema.oneOf("xinglin-deposit-receipt/1"),
  chain,
  custodian: actorId,
  record: recordId,
  version,
  epoch: schema.uint(65_535, 1),
  index,
  commitments: schema.bytes(32),
});
export type DepositReceipt = Infer<typeof depositReceipt>;
/** An encoded `depositReceipt` and the custodian's signature over these bytes. */
export const depositAnswer = schema.object({
  receipt: schema.bytes(1, 1_024),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
});

/** Asks for a share under permit `number` of the patient, with what proves that the permit stands. */
export const releaseRequest = schema.object({
  chain,
  custodian: actorId,
  patient: actorId,
  number: schema.uint(),
  /** The X-Wing public key that the permit pins by hash. */
  hpke: schema.bytes(1216),
  state: provenState,
});
export type ReleaseRequest = Infer<typeof releaseRequest>;
/** `sealed` opens to an encoded `shareOpening`; `transaction` is the custodian's signed `recordRelease`, for anyone to submit. */
export const releaseAnswer = schema.object({ index, sealed: schema.bytes(1136, 4096), transaction: schema.bytes(1, 16_384) });

/** Asks a custodian to erase its share of a version that has ended; the answer is its signed statement, for anyone to submit. */
export const erasureRequest = schema.object({ chain, custodian: actorId, record: recordId, version, state: provenState });
export const erasureAnswer = schema.object({ transaction: schema.bytes(1, 16_384) });

/** A share with what proves that it is the one that was committed to. */
export const shareOpening = schema.object({
  index,
  share: schema.bytes(1, 256),
  salt: schema.bytes(32),
  path: schema.list(schema.bytes(32), 8),
});

/** The value of canonical bytes in the given shape. Throws `Fault("malformed")`. */
export const read = <T>(shape: Schema<T>, bytes: Bytes): T => shape.parse(cbor.decode(bytes, MAX_REQUEST_BYTES));
