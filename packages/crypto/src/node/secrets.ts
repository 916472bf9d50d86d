/**
 * Secrets from which programs make their signing keys: what a key file holds.
 * Source: design.md, "Suites"; CONTRIBUTING, "Secrets only in files with owner-only rights".
 */
import { type Bytes, Fault } from "@xinglin/primitives";
import { COMPOSITE_SECRET_BYTES } from "../composite.ts";
import { randomBytes } from "../seal.ts";
import type { Signer } from "../signer.ts";
import { isSm2PrivateKey } from "../sm2.ts";
import { nodeHybridSigner } from "./ml-dsa.ts";
import { nodeEd25519Signer } from "./signer.ts";
import { nodeSm2Signer } from "./sm2.ts";

/** Suites whose keys lie in files; those of P-256 live in browsers and passkeys. */
export const SECRET_SUITES = ["ed25519", "ed25519-ml-dsa-65", "sm2"] as const;
export type SecretSuite = (typeof SECRET_SUITES)[number];

/** A fresh secret of a key of this suite: 32 bytes, of the hybrid 64. */
export function newSecret(suite: SecretSuite): Bytes {
  const secret = randomBytes(suite === "ed25519-ml-dsa-65" ? COMPOSITE_SECRET_BYTES : 32);
  // One number in 2^32 is no private key of SM2; it is drawn again, so that every key is equally likely.
  return suite === "sm2" && !isSm2PrivateKey(secret) ? newSecret(suite) : secret;
}

/** The signer by a secret of this suite. Throws `Fault("malformed")` if it is none. */
export function signerOfSecret(
  suite: SecretSuite,
  secret: Bytes,
): Signer & { readonly suite: SecretSuite; signSync(message: Bytes): Bytes } {
  switch (suite) {
    case "ed25519":
      return { ...nodeEd25519Signer(secret), suite };
    case "ed25519-ml-dsa-65":
      return { ...nodeHybridSigner(secret), suite };
    case "sm2":
      return { ...nodeSm2Signer(secret), suite };
    default:
      throw new Fault("malformed", { element: "suite" });
  }
}
