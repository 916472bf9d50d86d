/**
 * The implementations that decide block validity: libsodium for Ed25519, OpenSSL (in Node) for P-256, SM2 and ML-DSA-65. One each, on every
 * node: where implementations differ at the edges, a mixture would fork the chain.
 * Source: design.md, "Suites", "Execution"; edge cases pinned in `spec/crypto/{ed25519,sm2,ml-dsa-65}.json`.
 */
import { createPublicKey, hash, verify as opensslVerify } from "node:crypto";
import { type Bytes, concat, fromHex } from "@xinglin/primitives";
import sodium from "sodium-native";
import { derFromRaw } from "../der.ts";
import { NO_CONTEXT } from "../ml-dsa.ts";
import { isP256PublicKeyForm, isP256SignatureForm } from "../p256.ts";
import type { Sha256 } from "../pure/sha256.ts";
import type { SignatureKind } from "../pure/suite.ts";
import { type Curves, verifyWith } from "../verify.ts";
import type { WebauthnPolicy } from "../webauthn.ts";
import { KeyCache } from "./key-cache.ts";
import { nodeSha512, verifyMlDsa65ByOpenssl } from "./ml-dsa.ts";
import { verifySm2ByOpenssl } from "./sm2.ts";

/** SHA-256 by OpenSSL, for code that hashes much. */
export const nodeSha256: Sha256 = (bytes) => {
  // By way of a Latin-1 string: half the time of asking for a buffer, which is allocated outside the pool.
  const digest = Buffer.from(hash("sha256", bytes, "binary"), "latin1");
  return new Uint8Array(digest.buffer, digest.byteOffset, digest.byteLength);
};

/** libsodium and OpenSSL. */
export const nodeCurves: Curves = {
  ed25519: verifyEd25519ByLibsodium,
  p256: verifyP256ByOpenssl,
  sm2: verifySm2ByOpenssl,
  mlDsa65: verifyMlDsa65ByOpenssl,
  sha512: nodeSha512,
};

/** Whether `signature` over `message` is by `publicKey`, at once and on this thread. What each suite costs: `npm run bench -- suites`. */
export function verifySync(
  suite: SignatureKind,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
  policy?: WebauthnPolicy,
): boolean {
  if (suite === "ml-dsa-65") return verifyMlDsa65ByOpenssl(publicKey, message, signature, NO_CONTEXT);
  return verifyWith(nodeCurves, suite, publicKey, message, signature, policy);
}

function verifyEd25519ByLibsodium(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}

function verifyP256ByOpenssl(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (!isP256PublicKeyForm(publicKey) || !isP256SignatureForm(signature)) return false;
  const key = p256Keys.get(publicKey);
  // As DER: Node takes 60 µs more to make DER of "ieee-p1363" itself.
  return key !== undefined && opensslVerify("sha256", message, key, derFromRaw(signature));
}

// SubjectPublicKeyInfo of a compressed P-256 point, up to the point itself (RFC 5480).
const SPKI_PREFIX = fromHex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
const MAX_CACHED_KEYS = 20_000;

const p256Keys = new KeyCache(MAX_CACHED_KEYS, (publicKey) =>
  createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: "der", type: "spki" }),
);
