/**
 * The session statement: an actor's key delegates, for at most a quarter of an hour, to a key that signs HTTP requests. So a passkey
 * asks its owner once a session, and the server keeps no secret of anyone. Shared by server and client.
 * Source: design.md, "Identity" (a page signs by passkey or by a non-extractable key); RFC 9421.
 */
import { REQUEST_SUITES } from "@xinglin/crypto/http";
import { LONGEST_SIGNATURE_BYTES, SUITES, sha256 } from "@xinglin/crypto/pure";
import { actorId, type Bytes, cbor, type Infer, schema, toHex, unixSeconds } from "@xinglin/primitives";

/** Longest time between `notBefore` and `notAfter`. */
export const MAX_SESSION_SECONDS = 900;
const MAX_STATEMENT_BYTES = 1024;

/** What the actor's key signs. `key` is the id of that key in the actor's history; the period is half-open, in seconds UTC. */
export const sessionStatement = schema.object({
  type: schema.oneOf("xinglin-session/1"),
  chain: schema.text(50),
  actor: actorId,
  key: schema.text(16, /^[0-9a-f]{16}$/),
  suite: schema.oneOf(...SUITES),
  /** 32 bytes for Ed25519, 33 (compressed point) for P-256. */
  requestKey: schema.object({ suite: schema.oneOf(...REQUEST_SUITES), key: schema.bytes(32, 33) }),
  notBefore: unixSeconds,
  notAfter: unixSeconds,
});
export type SessionStatement = Infer<typeof sessionStatement>;

/** Body of `POST /v1/sessions`. A WebAuthn signature has SHA-256 of the statement as its challenge. */
export const sessionRequest = schema.object({
  statement: schema.bytes(1, MAX_STATEMENT_BYTES),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
});
export type SessionRequest = Infer<typeof sessionRequest>;
/** Largest `POST /v1/sessions`, in bytes. */
export const MAX_SESSION_REQUEST_BYTES = MAX_STATEMENT_BYTES + LONGEST_SIGNATURE_BYTES + 64;

/** Canonical bytes of a statement, to be signed. */
export const encodeSessionStatement = (statement: SessionStatement): Bytes => cbor.encode(sessionStatement.parse(statement));

/** Throws `Fault("malformed")`. Neither the signature nor the period is looked at here. */
export const decodeSessionStatement = (bytes: Bytes): SessionStatement =>
  sessionStatement.parse(cbor.decode(bytes, MAX_STATEMENT_BYTES));

/** Canonical bytes of the body of `POST /v1/sessions`. */
export const encodeSessionRequest = (request: SessionRequest): Bytes => cbor.encode(sessionRequest.parse(request));

/** Throws `Fault("malformed")`. */
export const decodeSessionRequest = (bytes: Bytes): SessionRequest =>
  sessionRequest.parse(cbor.decode(bytes, MAX_SESSION_REQUEST_BYTES));

/** Name of a session: the first 16 bytes of SHA-256 of the statement's bytes, in hex. */
export const sessionId = (statement: Bytes): string => toHex(sha256(statement).subarray(0, 16));
