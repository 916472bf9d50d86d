/**
 * ML-DSA-65 by OpenSSL, and with libsodium's Ed25519 the hybrid suite.
 * Source: FIPS 204; RFC 9881 (key formats); design.md, "Suites".
 */
import { createPrivateKey, createPublicKey, hash, sign, verify } from "node:crypto";
import { type Bytes, concat, Fault, fromHex, invariant } from "@xinglin/primitives";
import { COMPOSITE_LABEL, COMPOSITE_SECRET_BYTES, compositeRepresentative } from "../composite.ts";
import { NO_CONTEXT } from "../ml-dsa.ts";
import { ML_DSA_65_BYTES } from "../pure/suite.ts";
import type { Signer } from "../signer.ts";
import { KeyCache } from "./key-cache.ts";
import { nodeEd25519Signer } from "./signer.ts";

// SubjectPublicKeyInfo up to the key, and PKCS #8 up to the seed, from which OpenSSL makes the rest.
const SPKI_PREFIX = fromHex("308207b2300b0609608648016503040312038207a100");
const PKCS8_PREFIX = fromHex("3034020100300b060960864801650304031204228020");
// An imported key takes some 13 KB.
const MAX_CACHED_KEYS = 2_000;

const cache = new KeyCache(MAX_CACHED_KEYS, (publicKey) =>
  createPublicKey({ key: Buffer.from(concat(SPKI_PREFIX, publicKey)), format: "der", type: "spki" }),
);

/** SHA-512 by OpenSSL. */
export const nodeSha512 = (bytes: Bytes): Bytes => hash("sha512", bytes, "buffer");

/** Whether `signature` over `message` is by `publicKey` under `context`; false for anything malformed. Throws a `Bug` where OpenSSL has no ML-DSA. */
export function verifyMlDsa65ByOpenssl(publicKey: Bytes, message: Bytes, signature: Bytes, context: Bytes): boolean {
  if (publicKey.length !== ML_DSA_65_BYTES.publicKey || signature.length !== ML_DSA_65_BYTES.signature) return false;
  isHere ??= hasMlDsa65();
  // A runtime without it must not call a right signature wrong: its node would leave the chain.
  invariant(isHere, `Node ${process.versions.node} has no ML-DSA-65 with contexts`);
  const key = cache.get(publicKey);
  return key !== undefined && verify(null, message, context.length === 0 ? key : { key, context }, signature);
}

/** An ML-DSA-65 key of a 32-byte seed, as a validator of CometBFT uses it: pure ML-DSA, without a context unless one is given. */
export function nodeMlDsa65Key(seed: Bytes): {
  readonly publicKey: Bytes;
  sign(message: Bytes, context?: Bytes): Bytes;
} {
  if (seed.length !== ML_DSA_65_BYTES.seed) throw new Fault("malformed", { element: "seed", expected: "32 bytes" });
  const key = createPrivateKey({ key: Buffer.from(concat(PKCS8_PREFIX, seed)), format: "der", type: "pkcs8" });
  const spki = createPublicKey(key).export({ format: "der", type: "spki" });
  return {
    publicKey: new Uint8Array(spki.subarray(SPKI_PREFIX.length)),
    sign: (message, context = NO_CONTEXT) => new Uint8Array(sign(null, message, { key, context })),
  };
}

let isHere: boolean | undefined;
/** Whether this runtime verifies as it signs. Some have the algorithm and overlook the context. */
function hasMlDsa65(): boolean {
  try {
    const { publicKey, sign: by } = nodeMlDsa65Key(new Uint8Array(ML_DSA_65_BYTES.seed));
    const key = cache.get(publicKey);
    const signature = by(NO_CONTEXT, COMPOSITE_LABEL);
    return (
      key !== undefined &&
      verify(null, NO_CONTEXT, { key, context: COMPOSITE_LABEL }, signature) &&
      !verify(null, NO_CONTEXT, key, signature)
    );
  } catch {
    return false;
  }
}

/** A signer of the suite `ed25519-ml-dsa-65` by its 64-byte secret: the seeds of ML-DSA-65 and of Ed25519. */
export function nodeHybridSigner(secret: Bytes): Signer & { signSync(message: Bytes): Bytes } {
  if (secret.length !== COMPOSITE_SECRET_BYTES)
    throw new Fault("malformed", { element: "secret", expected: `${COMPOSITE_SECRET_BYTES} bytes` });
  const lattice = nodeMlDsa65Key(secret.subarray(0, ML_DSA_65_BYTES.seed));
  const edwards = nodeEd25519Signer(secret.subarray(ML_DSA_65_BYTES.seed));
  const signSync = (message: Bytes): Bytes => {
    const represented = compositeRepresentative(message, nodeSha512);
    return concat(lattice.sign(represented, COMPOSITE_LABEL), edwards.signSync(represented));
  };
  const publicKey = concat(lattice.publicKey, edwards.publicKey);
  return { suite: "ed25519-ml-dsa-65", publicKey, signSync, sign: async (message) => signSync(message) };
}
