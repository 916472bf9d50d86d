/**
 * A transaction: who asks, on whose quota, until when, and 1..n operations, under one signature (and the device's, where one is named).
 * Canonical DAG-CBOR all through. The id is SHA-256 of the signed body; the suite is inside the body.
 * Source: design.md, "Transactions".
 */
import { LONGEST_SIGNATURE_BYTES, type Sha256, sha256 } from "@xinglin/crypto/pure";
import { actorId, type Bytes, cbor, height, type Infer, memberId, schema, unixSeconds } from "@xinglin/primitives";
import { keyIdSchema, SUITES } from "./model/actor.ts";
import { type Operation, operation } from "./operations.ts";

/** Most operations under one signature. */
export const MAX_OPERATIONS = 4096;
/** Hard bound before a chain's own parameter is looked at. */
export const MAX_TRANSACTION_BYTES = 4_194_304;

/** Which key signs: the actor, the key's id in its history, and its suite. An enrolment key signs with `key` of its own. */
const signerSchema = schema.object({ actor: actorId, key: keyIdSchema, suite: schema.oneOf(...SUITES) });

/** What is signed. The id of a transaction is the SHA-256 of these bytes. */
export const transactionBody = schema.object({
  type: schema.oneOf("xinglin-transaction/1"),
  chain: schema.text(50),
  signer: signerSchema,
  /** The work station, which signs the same body. */
  device: schema.optional(signerSchema),
  sponsor: memberId,
  /** Last block time and last height at which it may be included. */
  notAfter: schema.object({ time: unixSeconds, height }),
  nonce: schema.bytes(16),
  operations: schema.list(operation, MAX_OPERATIONS, 1),
});
export type TransactionBody = Omit<Infer<typeof transactionBody>, "operations"> & { operations: Operation[] };
/** Which key signs: actor, key id and suite. */
export type SignerReference = Infer<typeof signerSchema>;

const envelope = schema.object({
  body: schema.bytes(1, MAX_TRANSACTION_BYTES),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
  deviceSignature: schema.optional(schema.bytes(64, LONGEST_SIGNATURE_BYTES)),
});

/** A decoded transaction; signatures are not checked here. */
export interface Transaction {
  readonly id: Bytes;
  readonly body: TransactionBody;
  /** The signed bytes. */
  readonly bodyBytes: Bytes;
  readonly signature: Bytes;
  readonly deviceSignature?: Bytes;
}

/** Canonical bytes of a body, to be signed. */
export const encodeBody = (body: TransactionBody): Bytes => cbor.encode(body);

/** Canonical bytes of a signed transaction, as submitted and stored in blocks. */
export const encodeTransaction = (body: Bytes, signature: Bytes, deviceSignature?: Bytes): Bytes =>
  cbor.encode(deviceSignature === undefined ? { body, signature } : { body, signature, deviceSignature });

/** Decodes and checks shape and canonical form. Throws `Fault("malformed")`. Who decodes many passes a platform's own `hash`. */
export function decodeTransaction(bytes: Bytes, maxBytes: number = MAX_TRANSACTION_BYTES, hash: Sha256 = sha256): Transaction {
  const outer = envelope.parse(cbor.decode(bytes, maxBytes));
  const body = transactionBody.parse(cbor.decode(outer.body, maxBytes)) as TransactionBody;
  const id = hash(outer.body);
  const { signature, deviceSignature } = outer;
  return { id, body, bodyBytes: outer.body, signature, ...(deviceSignature === undefined ? {} : { deviceSignature }) };
}
