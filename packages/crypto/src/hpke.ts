/**
 * Sealing to a public key with X-Wing (X25519 and ML-KEM-768 together), HKDF-SHA256 and AES-256-GCM: safe as long as one of the two holds,
 * so what is recorded today cannot be opened by a later quantum computer. Works in Node and browsers.
 * Source: RFC 9180 (base mode); draft-connolly-cfrg-xwing-kem-06; design.md, "Release". The draft may change, so the suite is versioned.
 */
import { Aes256Gcm, CipherSuite, HkdfSha256 } from "@hpke/core";
import { XWing } from "@hpke/hybridkem-x-wing";
import { type Bytes, concat, Fault } from "@xinglin/primitives";
import { randomBytes } from "./seal.ts";

/** The id under which this combination is named in signed bytes. */
export const HPKE_SUITE = "hpke-xwing-06";
/** Bytes of a public key, of a private key (its seed) and of the encapsulated key that opens every sealed message. */
export const HPKE_PUBLIC_KEY_BYTES = 1_216;
export const HPKE_PRIVATE_KEY_BYTES = 32;
export const HPKE_ENC_BYTES = 1_120;

/** A key pair as raw bytes; the private key is the 32-byte seed of both halves. */
export interface HpkeKeyPair {
  readonly publicKey: Bytes;
  readonly privateKey: Bytes;
}

const suite = new CipherSuite({ kem: new XWing(), kdf: new HkdfSha256(), aead: new Aes256Gcm() });

/** A fresh key pair, or that of a 32-byte seed. */
export async function hpkeKeyPair(seed: Bytes = randomBytes(HPKE_PRIVATE_KEY_BYTES)): Promise<HpkeKeyPair> {
  const pair = await keysOf(seed);
  return { privateKey: seed.slice(), publicKey: new Uint8Array(await suite.kem.serializePublicKey(pair.publicKey)) };
}

/** Seals to `publicKey`: the encapsulated key (1,120 bytes), then ciphertext and tag. `info` and `aad` must be the same when it is opened. */
export async function hpkeSeal(publicKey: Bytes, info: Bytes, aad: Bytes, plaintext: Bytes): Promise<Bytes> {
  if (publicKey.length !== HPKE_PUBLIC_KEY_BYTES)
    throw new Fault("malformed", { element: "publicKey", expected: `${HPKE_PUBLIC_KEY_BYTES} bytes` });
  let recipientPublicKey: CryptoKey;
  try {
    recipientPublicKey = await suite.kem.deserializePublicKey(toBuffer(publicKey));
  } catch (cause) {
    throw new Fault("malformed", { element: "publicKey", expected: HPKE_SUITE }, { cause });
  }
  const { ct, enc } = await suite.seal({ recipientPublicKey, info: toBuffer(info) }, toBuffer(plaintext), toBuffer(aad));
  return concat(new Uint8Array(enc), new Uint8Array(ct));
}

/** Opens what was sealed to the key pair of `privateKey`. Throws `Fault("seal_broken")` for another key, info or aad, or any changed byte. */
export async function hpkeOpen(privateKey: Bytes, info: Bytes, aad: Bytes, sealed: Bytes): Promise<Bytes> {
  if (sealed.length <= HPKE_ENC_BYTES) throw new Fault("seal_broken");
  const { privateKey: recipientKey } = await keysOf(privateKey);
  try {
    const enc = toBuffer(sealed.subarray(0, HPKE_ENC_BYTES));
    const opened = await suite.open(
      { recipientKey, enc, info: toBuffer(info) },
      toBuffer(sealed.subarray(HPKE_ENC_BYTES)),
      toBuffer(aad),
    );
    return new Uint8Array(opened);
  } catch (cause) {
    throw new Fault("seal_broken", {}, { cause });
  }
}

const kem = new XWing();
async function keysOf(seed: Bytes): Promise<CryptoKeyPair> {
  if (seed.length !== HPKE_PRIVATE_KEY_BYTES)
    throw new Fault("malformed", { element: "privateKey", expected: `${HPKE_PRIVATE_KEY_BYTES} bytes` });
  return kem.generateKeyPairDerand(seed.slice());
}

/** A copy in an ArrayBuffer of its own: the library takes whole buffers, never views. */
const toBuffer = (bytes: Bytes): ArrayBuffer => new Uint8Array(bytes).buffer;
