/**
 * What a member shows to stores of others: its actor's key delegates, for at most a day, to a key that signs requests for stores and nothing
 * else. So a worker that moves pieces for hours holds neither the actor's key nor a session that could read records.
 * Source: design.md, "Archive"; RFC 9421 (`@xinglin/crypto/http`).
 */
import { randomBytes } from "node:crypto";
import type { Signer } from "@xinglin/crypto";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { keyId, LONGEST_SIGNATURE_BYTES, SUITES } from "@xinglin/crypto/pure";
import { type ActorId, actorId, type Bytes, cbor, type Infer, schema, toHex, unixSeconds } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";

/** Longest time between `notBefore` and `notAfter`. */
export const MAX_PASS_SECONDS = 86_400;
/** A pass begins a little in the past, for a store whose clock is behind. */
const BACKDATE_SECONDS = 60;
const MAX_STATEMENT_BYTES = 1_024;
/** Largest signed pass. */
export const MAX_PASS_BYTES = MAX_STATEMENT_BYTES + LONGEST_SIGNATURE_BYTES + 64;

/** What the actor's key signs; the period is half-open, in seconds UTC. */
const passStatement = schema.object({
  type: schema.oneOf("xinglin-store-pass/1"),
  chain: schema.text(50),
  actor: actorId,
  /** Id of the key in the actor's history. */
  key: schema.text(16, /^[0-9a-f]{16}$/),
  suite: schema.oneOf(...SUITES),
  /** Ed25519. */
  requestKey: schema.bytes(32),
  notBefore: unixSeconds,
  notAfter: unixSeconds,
});
export type PassStatement = Infer<typeof passStatement>;
const signedPass = schema.object({
  statement: schema.bytes(1, MAX_STATEMENT_BYTES),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
});

/** A pass and the seed of its request key. It lives in memory and crosses to workers, never to a file. */
export const storeAccess = schema.object({ pass: schema.bytes(1, MAX_PASS_BYTES), seed: schema.bytes(32) });
export type StoreAccess = Infer<typeof storeAccess>;

/** A pass for `by`, in force from now on. `seconds` is `MAX_PASS_SECONDS` unless told. */
export async function issuePass(
  by: { readonly actor: ActorId; readonly signer: Signer },
  chain: string,
  nowSeconds: number,
  seconds: number = MAX_PASS_SECONDS - BACKDATE_SECONDS,
): Promise<StoreAccess> {
  const seed = new Uint8Array(randomBytes(32));
  const suite = by.signer.suite as (typeof SUITES)[number];
  const statement = cbor.encode(
    passStatement.parse({
      type: "xinglin-store-pass/1",
      chain,
      actor: by.actor,
      key: keyId(suite, by.signer.publicKey),
      suite,
      requestKey: nodeEd25519Signer(seed).publicKey,
      notBefore: nowSeconds - BACKDATE_SECONDS,
      notAfter: nowSeconds + seconds,
    }),
  );
  return { pass: cbor.encode({ statement, signature: await by.signer.sign(statement) }), seed };
}

/** A pass as it came, read; the signature is not looked at. Throws `malformed`. */
export function readPass(pass: Bytes): {
  readonly id: string;
  readonly statement: PassStatement;
  readonly signed: Bytes;
  readonly signature: Bytes;
} {
  const { statement, signature } = signedPass.parse(cbor.decode(pass, MAX_PASS_BYTES));
  return {
    id: passId(statement),
    statement: passStatement.parse(cbor.decode(statement, MAX_STATEMENT_BYTES)),
    signed: statement,
    signature,
  };
}

/** Name of a pass in requests: the first 16 bytes of SHA-256 of its statement, in hex. */
const passId = (statement: Bytes): string => toHex(sha256(statement).subarray(0, 16));
