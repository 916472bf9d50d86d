/**
 * Signature suites and the identity of a key, without platform types, so that rules can name keys.
 * Source: design.md, "Suites".
 */
import { type Bytes, concat, toHex, utf8 } from "@xinglin/primitives";
import { sha256 } from "./sha256.ts";

/** Every suite, by the id that stands in signed bytes. Append, never reuse. */
export const SUITES = ["ed25519", "p256", "webauthn", "ed25519-ml-dsa-65", "sm2"] as const;

/**
 * The suite of a key: Ed25519, P-256 over raw bytes, P-256 through a passkey, Ed25519 and ML-DSA-65 together (post-quantum, both must be right),
 * or SM2 with SM3 (GB/T 32918).
 */
export type Suite = (typeof SUITES)[number];

/** Bytes of an ML-DSA-65 public key, signature and seed (FIPS 204, tables 1 and 2). */
export const ML_DSA_65_BYTES = { publicKey: 1952, signature: 3309, seed: 32 } as const;

/**
 * Bytes of a public key in each suite: Ed25519 as RFC 8032 encodes it, P-256 and SM2 as a compressed point (SEC 1, section 2.3.3), the hybrid as
 * ML-DSA-65 followed by Ed25519.
 */
export const PUBLIC_KEY_BYTES: Readonly<Record<Suite, number>> = {
  ed25519: 32,
  p256: 33,
  webauthn: 33,
  "ed25519-ml-dsa-65": ML_DSA_65_BYTES.publicKey + 32,
  sm2: 33,
};

/** The longest signature of each suite; a passkey's carries what the authenticator and the browser signed, the others have one length. */
export const MAX_SIGNATURE_BYTES: Readonly<Record<Suite, number>> = {
  ed25519: 64,
  p256: 64,
  webauthn: 4_096,
  "ed25519-ml-dsa-65": ML_DSA_65_BYTES.signature + 64,
  sm2: 64,
};

/** The longest signature of any suite: what envelopes leave room for. */
export const LONGEST_SIGNATURE_BYTES = Math.max(...Object.values(MAX_SIGNATURE_BYTES));

/** Whose signatures a block may bring: keys of a suite, and validators' keys of ML-DSA-65 alone (those of Ed25519 are of the suite). */
export const SIGNATURE_KINDS = [...SUITES, "ml-dsa-65"] as const;
export type SignatureKind = (typeof SIGNATURE_KINDS)[number];

/**
 * What verifying a signature costs a node, in the time of one of Ed25519 (52 µs on the machine of `npm run bench -- suites`), rounded up. Every node must count alike:
 * these are constants of the chain, not measurements of a machine. Source: docs/internals/suites.md, "Cost".
 */
export const VERIFICATION_UNITS: Readonly<Record<SignatureKind, number>> = {
  ed25519: 1,
  p256: 2,
  webauthn: 2,
  "ed25519-ml-dsa-65": 5,
  sm2: 6,
  "ml-dsa-65": 4,
};

// Who can break one suite of the lower rank by Shor's algorithm can break all of it; within a rank no suite is a step down.
const RANKS: Readonly<Record<Suite, number>> = { ed25519: 1, p256: 1, webauthn: 1, sm2: 1, "ed25519-ml-dsa-65": 2 };

/** Whether a key of suite `next` would be a step down from one of suite `held`: from a post-quantum suite to one that is not. */
export const isWeakerSuite = (next: Suite, held: Suite): boolean => RANKS[next] < RANKS[held];

/** A short name of a key for people, logs and state keys: the first 8 bytes of SHA-256(suite, 0x00, public key), in hex. */
export const keyId = (suite: Suite, publicKey: Bytes): string =>
  toHex(sha256(concat(utf8(suite), Uint8Array.of(0), publicKey)).subarray(0, 8));
