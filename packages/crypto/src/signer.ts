/**
 * Keys that sign. A signer never gives its private key away; a browser's may even be unable to.
 * Source: design.md, "Suites", "Identity" (a non-extractable key enrolled by a one-time link).
 */
import { type Bytes, Fault } from "@xinglin/primitives";
import { ed25519PublicKey, signEd25519 } from "./ed25519.ts";
import { compressP256, lowerS, p256PublicKey, signP256 } from "./p256.ts";
import type { Suite } from "./pure/suite.ts";

/** A key of some suite that signs messages. */
export interface Signer {
  readonly suite: Suite;
  /** As the suite encodes it: 32 bytes of Ed25519, 33 bytes (compressed) of P-256. */
  readonly publicKey: Bytes;
  sign(message: Bytes): Promise<Bytes>;
}

/** A signer by a 32-byte Ed25519 seed, on any platform. */
export function ed25519Signer(seed: Bytes): Signer {
  if (seed.length !== 32) throw new Fault("malformed", { element: "seed", expected: "32 bytes" });
  return { suite: "ed25519", publicKey: ed25519PublicKey(seed), sign: async (message) => signEd25519(seed, message) };
}

/** A signer by a 32-byte P-256 private key, on any platform. */
export function p256Signer(privateKey: Bytes): Signer {
  if (privateKey.length !== 32) throw new Fault("malformed", { element: "privateKey", expected: "32 bytes" });
  return { suite: "p256", publicKey: p256PublicKey(privateKey), sign: async (message) => signP256(privateKey, message) };
}

/** A signer by a WebCrypto ECDSA P-256 key pair, whose private key need not be extractable. */
export async function webCryptoP256Signer(pair: {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}): Promise<Signer> {
  const publicKey = compressP256(new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)));
  return {
    suite: "p256",
    publicKey,
    sign: async (message) => {
      const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, pair.privateKey, new Uint8Array(message));
      // WebCrypto does not choose the lower s.
      return lowerS(new Uint8Array(signature));
    },
  };
}
