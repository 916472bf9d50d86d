/**
 * Keys that sign. A signer never gives its private key away; a browser's may even be unable to.
 * Source: design.md, "Suites", "Identity" (a non-extractable key enrolled by a one-time link).
 */
import { type Bytes, concat, Fault } from "@xinglin/primitives";
import { COMPOSITE_LABEL, COMPOSITE_SECRET_BYTES, compositeRepresentative } from "./composite.ts";
import { ed25519PublicKey, signEd25519 } from "./ed25519.ts";
import { mlDsa65KeyPair, signMlDsa65 } from "./ml-dsa.ts";
import { compressP256, lowerS, p256PublicKey, signP256 } from "./p256.ts";
import { ML_DSA_65_BYTES, type Suite } from "./pure/suite.ts";
import { randomBytes } from "./seal.ts";
import { isSm2PrivateKey, signSm2, sm2PublicKey } from "./sm2.ts";

/** A key of some suite that signs messages. */
export interface Signer {
  readonly suite: Suite;
  /** As the suite encodes it; `PUBLIC_KEY_BYTES` has its length. */
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

/** A signer by a 32-byte SM2 private key, on any platform. Throws `Fault("malformed")` on a number outside the group. */
export function sm2Signer(privateKey: Bytes): Signer {
  if (!isSm2PrivateKey(privateKey)) throw new Fault("malformed", { element: "privateKey", expected: "an SM2 private key" });
  const random = (): Bytes => randomBytes(32);
  return { suite: "sm2", publicKey: sm2PublicKey(privateKey), sign: async (message) => signSm2(privateKey, message, random) };
}

/** A signer of the suite `ed25519-ml-dsa-65` by its 64-byte secret (the seeds of ML-DSA-65 and of Ed25519), on any platform. */
export function hybridSigner(secret: Bytes): Signer {
  if (secret.length !== COMPOSITE_SECRET_BYTES)
    throw new Fault("malformed", { element: "secret", expected: `${COMPOSITE_SECRET_BYTES} bytes` });
  const lattice = mlDsa65KeyPair(secret.subarray(0, ML_DSA_65_BYTES.seed));
  const seed = secret.slice(ML_DSA_65_BYTES.seed);
  return {
    suite: "ed25519-ml-dsa-65",
    publicKey: concat(lattice.publicKey, ed25519PublicKey(seed)),
    sign: async (message) => {
      const represented = compositeRepresentative(message);
      return concat(signMlDsa65(lattice.packedPrivateKey, represented, COMPOSITE_LABEL), signEd25519(seed, represented));
    },
  };
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
