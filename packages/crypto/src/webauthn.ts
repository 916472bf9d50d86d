/**
 * Signatures by passkeys. The challenge is SHA-256 of the message; what the authenticator and the browser signed around it travels in the
 * signature. The client data are compared as bytes, not parsed as JSON, so every node and browser gives the same answer.
 * The signature counter is ignored: synchronised passkeys do not keep one.
 * Source: W3C WebAuthn Level 3, sections 6.1 (authenticator data), 5.8.1 (client data, limited verification) and 7.2; design.md, "Suites".
 */
import { type Bytes, cbor, concat, equal, Fault, schema, toBase64url, utf8 } from "@xinglin/primitives";
import { derFromRaw, rawFromDer } from "./der.ts";
import { lowerS } from "./p256.ts";
import { sha256 } from "./pure/sha256.ts";
import { MAX_SIGNATURE_BYTES } from "./pure/suite.ts";

/** Where passkeys of a consortium may sign: page origins (`https://host[:port]`) and SHA-256 of the relying party id. */
export interface WebauthnPolicy {
  readonly origins: readonly string[];
  readonly rpIdHash: Bytes;
}

/** What an authenticator returned: `AuthenticatorAssertionResponse`, as bytes. The signature is DER. */
export interface Assertion {
  readonly authenticatorData: Bytes;
  readonly clientDataJSON: Bytes;
  readonly signature: Bytes;
}

// rpIdHash (32), flags (1), counter (4): without attested key and extensions, which assertions here never ask for.
const AUTHENTICATOR_DATA_BYTES = 37;
const FLAGS_AT = 32;
const USER_PRESENT = 0x01;
const USER_VERIFIED = 0x04;
const ATTESTED_KEY = 0x40;
const EXTENSIONS = 0x80;

const assertionShape = schema.object({
  authenticatorData: schema.bytes(AUTHENTICATOR_DATA_BYTES),
  clientDataJSON: schema.bytes(1, 2_048),
  signature: schema.bytes(8, 72),
});

/** The challenge to hand to `navigator.credentials.get` for a message. */
export const webauthnChallenge = (message: Bytes): Bytes => sha256(message);

/** The suite's signature of what an authenticator returned, with s brought to the lower half. Throws `Fault("malformed")` if it is none. */
export function encodeAssertion(assertion: Assertion): Bytes {
  const raw = rawFromDer(assertion.signature);
  if (raw === undefined) throw new Fault("malformed", { element: "/signature", expected: "DER of an ECDSA signature" });
  const { authenticatorData, clientDataJSON } = assertion;
  return cbor.encode({ authenticatorData, clientDataJSON, signature: derFromRaw(lowerS(raw)) });
}

/**
 * What remains to be verified by P-256: the signed bytes and r, s of 32 bytes each. Undefined if anything else about the assertion is
 * wrong: form, challenge, type, origin, relying party, or a user who was not present or not verified.
 */
export function openAssertion(
  message: Bytes,
  signature: Bytes,
  policy: WebauthnPolicy,
): { signed: Bytes; raw: Bytes } | undefined {
  let assertion: Assertion;
  try {
    assertion = assertionShape.parse(cbor.decode(signature, MAX_SIGNATURE_BYTES.webauthn));
  } catch {
    return undefined;
  }
  const { authenticatorData, clientDataJSON } = assertion;
  const flags = authenticatorData[FLAGS_AT] as number;
  if (!equal(authenticatorData.subarray(0, FLAGS_AT), policy.rpIdHash)) return undefined;
  if ((flags & USER_PRESENT) === 0 || (flags & USER_VERIFIED) === 0) return undefined;
  if ((flags & (ATTESTED_KEY | EXTENSIONS)) !== 0) return undefined;
  if (!policy.origins.some((origin) => isClientData(clientDataJSON, webauthnChallenge(message), origin))) return undefined;
  const raw = rawFromDer(assertion.signature);
  if (raw === undefined) return undefined;
  return { signed: concat(authenticatorData, sha256(clientDataJSON)), raw };
}

/**
 * The limited verification algorithm: browsers write type, challenge, origin and crossOrigin first and in this order, then perhaps more.
 * Some leave crossOrigin out; none of ours may be cross-origin.
 */
function isClientData(clientData: Bytes, challenge: Bytes, origin: string): boolean {
  const start = utf8(`{"type":"webauthn.get","challenge":"${toBase64url(challenge)}","origin":${JSON.stringify(origin)}`);
  if (!equal(clientData.subarray(0, start.length), start)) return false;
  const rest = clientData.subarray(start.length);
  if (equal(rest, utf8("}"))) return true;
  const sameOrigin = utf8(',"crossOrigin":false');
  if (!equal(rest.subarray(0, sameOrigin.length), sameOrigin)) return false;
  const more = rest.subarray(sameOrigin.length);
  const [next] = more;
  return more.at(-1) === 0x7d && (next === 0x2c || more.length === 1); // "}" at the end; before it nothing, or "," and more
}
