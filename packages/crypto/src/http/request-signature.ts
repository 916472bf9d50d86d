/**
 * Signatures of HTTP requests in the one profile this system speaks: which components are covered, in which order, and the bytes that
 * are signed. The server accepts these exact header forms and no other that RFC 9421 would allow, so there is one way to read them.
 * `@authority` is covered, so that a server cannot pass a request on to another member's server as the caller's.
 * Source: RFC 9421 sections 2.2, 2.3, 2.5, 3.1, 4.1 and 4.2.
 */
import { type Bytes, Fault, fromBase64url, toBase64url, utf8 } from "@xinglin/primitives";
import { fromByteSequence, toByteSequence } from "./content-digest.ts";

/** Suites of a request key: what WebCrypto and Node both sign with, without asking the user. */
export const REQUEST_SUITES = ["ed25519", "p256"] as const;
export type RequestSuite = (typeof REQUEST_SUITES)[number];

/** How far `created` may lie from the server's clock, and how long a nonce is remembered. */
export const REQUEST_WINDOW_SECONDS = 60;
const NONCE_BYTES = 16;

/** The parts of a request that its signature covers, as they stand on the wire. */
export interface RequestParts {
  /** Upper case, for example `GET`. */
  readonly method: string;
  /** Host and port as in the Host header, lower case, without a default port. */
  readonly authority: string;
  /** Path as sent, percent-encoding untouched. */
  readonly path: string;
  /** Query as sent, without the question mark; empty if there is none. */
  readonly query: string;
  /** Value of `Content-Digest`; absent without a body. */
  readonly contentDigest?: string;
}

/** When a request was signed, by which session, and a number that makes it single. */
export interface SignatureParameters {
  /** Seconds UTC by the caller's clock. */
  readonly created: number;
  /** 16 random bytes, used once. */
  readonly nonce: Bytes;
  readonly session: string;
  readonly suite: RequestSuite;
  /** Whether `content-digest` is covered: always with a body, never without. */
  readonly hasBody: boolean;
}

const ALGORITHMS: Readonly<Record<RequestSuite, string>> = { ed25519: "ed25519", p256: "ecdsa-p256-sha256" };
const COVERED = `"@method" "@authority" "@path" "@query"`;

const encodeParameters = (p: SignatureParameters): string =>
  `(${COVERED}${p.hasBody ? ` "content-digest"` : ""});created=${p.created};nonce="${toBase64url(p.nonce)}";keyid="${p.session}";alg="${ALGORITHMS[p.suite]}"`;

/** The bytes that the request key signs: Ed25519 over them, or ECDSA P-256 with SHA-256, r ‖ s of 64 bytes with s in the lower half. */
export function signatureBase(request: RequestParts, parameters: SignatureParameters): Bytes {
  const digest = parameters.hasBody ? `"content-digest": ${request.contentDigest ?? ""}\n` : "";
  return utf8(
    `"@method": ${request.method}\n"@authority": ${request.authority}\n"@path": ${request.path}\n"@query": ?${request.query}\n${digest}` +
      `"@signature-params": ${encodeParameters(parameters)}`,
  );
}

/** The two headers that carry a signature, names in lower case. */
export const signatureHeaders = (
  parameters: SignatureParameters,
  signature: Bytes,
): { "signature-input": string; signature: string } => ({
  "signature-input": `sig=${encodeParameters(parameters)}`,
  signature: `sig=${toByteSequence(signature)}`,
});

const INPUT =
  /^sig=\("@method" "@authority" "@path" "@query"( "content-digest")?\);created=([1-9]\d{0,11});nonce="([A-Za-z0-9_-]{22})";keyid="([0-9a-f]{32})";alg="(ed25519|ecdsa-p256-sha256)"$/;

/** Reads the two headers. Throws `Fault("request_signature_malformed")` on any other form than the one `signatureHeaders` writes. */
export function parseSignatureHeaders(
  signatureInput: string,
  signature: string,
): { parameters: SignatureParameters; signature: Bytes } {
  const found = INPUT.exec(signatureInput);
  const bytes = signature.startsWith("sig=") ? fromByteSequence(signature.slice(4)) : undefined;
  if (found === null || bytes === undefined || bytes.length !== 64) throw new Fault("request_signature_malformed");
  const [, digest, created, nonce, session, algorithm] = found as unknown as [
    string,
    string | undefined,
    string,
    string,
    string,
    string,
  ];
  const suite: RequestSuite = algorithm === ALGORITHMS.ed25519 ? "ed25519" : "p256";
  return {
    parameters: { created: Number(created), nonce: readNonce(nonce), session, suite, hasBody: digest !== undefined },
    signature: bytes,
  };
}

function readNonce(text: string): Bytes {
  try {
    const nonce = fromBase64url(text);
    if (nonce.length === NONCE_BYTES) return nonce;
  } catch {
    // stray bits: one nonce would have several spellings
  }
  throw new Fault("request_signature_malformed");
}
