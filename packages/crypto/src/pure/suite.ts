/**
 * Signature suites and the identity of a key, without platform types, so that rules can name keys.
 * Source: design.md, "Suites".
 */
import { type Bytes, concat, toHex, utf8 } from "@xinglin/primitives";
import { sha256 } from "./sha256.ts";

/** Every suite, by the id that stands in signed bytes. Append, never reuse. */
export const SUITES = ["ed25519", "p256", "webauthn"] as const;

/** The suite of a key: Ed25519, P-256 over raw bytes, or P-256 through a passkey. */
export type Suite = (typeof SUITES)[number];

/** Bytes of a public key in each suite: Ed25519 as RFC 8032 encodes it, P-256 as a compressed point (SEC 1, section 2.3.3). */
export const PUBLIC_KEY_BYTES: Readonly<Record<Suite, number>> = { ed25519: 32, p256: 33, webauthn: 33 };

/** The longest signature of each suite; a passkey's carries what the authenticator and the browser signed. */
export const MAX_SIGNATURE_BYTES: Readonly<Record<Suite, number>> = { ed25519: 64, p256: 64, webauthn: 4_096 };

/** A short name of a key for people, logs and state keys: the first 8 bytes of SHA-256(suite, 0x00, public key), in hex. */
export const keyId = (suite: Suite, publicKey: Bytes): string =>
  toHex(sha256(concat(utf8(suite), Uint8Array.of(0), publicKey)).subarray(0, 8));
