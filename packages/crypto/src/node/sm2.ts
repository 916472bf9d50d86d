/**
 * SM2 with SM3 by OpenSSL. Node's one-shot `verify` hashes under an empty id, which nobody uses; its `Verify` object hands OpenSSL a finished
 * digest instead, so what is hashed here is the standard's prefix (with the default id) and then the message.
 * Source: GB/T 32918.2-2016; GM/T 0009-2012; RFC 5480 (SubjectPublicKeyInfo), RFC 5958 (private keys).
 */
import { createPrivateKey, createPublicKey, createSign, createVerify, ECDH, hash, type KeyObject } from "node:crypto";
import { type Bytes, concat, Fault, fromHex } from "@xinglin/primitives";
import { derFromRaw, rawFromDer } from "../der.ts";
import type { Signer } from "../signer.ts";
import { isSm2PrivateKey, isSm2PublicKeyForm, isSm2SignatureForm, sm2Prefix, sm2PublicKey } from "../sm2.ts";
import { KeyCache } from "./key-cache.ts";

const CURVE_OID = "06082a811ccf5501822d";
// SubjectPublicKeyInfo of a compressed point, and PKCS #8 of a private key, up to the point and the number themselves.
const SPKI_PREFIX = fromHex(`3039301306072a8648ce3d0201${CURVE_OID}032200`);
const PKCS8_PREFIX = fromHex(`3041020100301306072a8648ce3d0201${CURVE_OID}042730250201010420`);
const MAX_CACHED_KEYS = 20_000;

interface Sm2Key {
  readonly key: KeyObject;
  readonly prefix: Bytes;
}

/** The standard's prefix for a compressed public key; throws if it is no point of the curve. */
function prefixOf(publicKey: Bytes): Bytes {
  const point = ECDH.convertKey(publicKey, "SM2", undefined, undefined, "uncompressed") as Buffer;
  return sm2Prefix(point.subarray(1, 33), point.subarray(33), (bytes) => new Uint8Array(hash("sm3", bytes, "buffer")));
}

const cache = new KeyCache<Sm2Key>(MAX_CACHED_KEYS, (publicKey) => ({
  key: createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: "der", type: "spki" }),
  prefix: prefixOf(publicKey),
}));

/** Whether `signature` over `message` is by `publicKey`; false for anything malformed. */
export function verifySm2ByOpenssl(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (!isSm2PublicKeyForm(publicKey) || !isSm2SignatureForm(signature)) return false;
  const known = cache.get(publicKey);
  if (known === undefined) return false;
  try {
    return createVerify("sm3").update(known.prefix).update(message).verify(known.key, derFromRaw(signature));
  } catch {
    return false; // a sum at infinity, for one
  }
}

/** A signer by a 32-byte SM2 private key. Throws `Fault("malformed")` on a number outside the group. */
export function nodeSm2Signer(privateKey: Bytes): Signer & { signSync(message: Bytes): Bytes } {
  if (!isSm2PrivateKey(privateKey)) throw new Fault("malformed", { element: "privateKey", expected: "an SM2 private key" });
  const key = createPrivateKey({ key: Buffer.from(concat(PKCS8_PREFIX, privateKey)), format: "der", type: "pkcs8" });
  const publicKey = sm2PublicKey(privateKey);
  const prefix = prefixOf(publicKey);
  const signSync = (message: Bytes): Bytes =>
    rawFromDer(new Uint8Array(createSign("sm3").update(prefix).update(message).sign(key))) as Bytes;
  return { suite: "sm2", publicKey, signSync, sign: async (message) => signSync(message) };
}
