/**
 * One way to verify a signature of any suite, for every platform.
 * Source: design.md, "Suites".
 */
import { sha512 } from "@noble/hashes/sha2.js";
import type { Bytes } from "@xinglin/primitives";
import { verifyComposite } from "./composite.ts";
import { verifyEd25519 } from "./ed25519.ts";
import { verifyMlDsa65 } from "./ml-dsa.ts";
import { verifyP256 } from "./p256.ts";
import { MAX_SIGNATURE_BYTES, PUBLIC_KEY_BYTES, type Suite } from "./pure/suite.ts";
import { verifySm2 } from "./sm2.ts";
import { openAssertion, type WebauthnPolicy } from "./webauthn.ts";

/** What the suites rest on, three curves, a lattice and a hash; the former answer false to anything malformed. */
export interface Curves {
  ed25519(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  p256(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  sm2(publicKey: Bytes, message: Bytes, signature: Bytes): boolean;
  mlDsa65(publicKey: Bytes, message: Bytes, signature: Bytes, context: Bytes): boolean;
  /** What the hybrid's halves sign of a message. */
  sha512(message: Bytes): Bytes;
}

/** The portable implementations. Nodes use those of `@xinglin/crypto/node`, which give the same answers. */
export const portableCurves: Curves = {
  ed25519: verifyEd25519,
  p256: verifyP256,
  sm2: verifySm2,
  mlDsa65: verifyMlDsa65,
  sha512: (message) => sha512(message),
};

/** Whether `signature` over `message` is by `publicKey`, with the given curves. A passkey's needs `policy`, else the answer is false. */
export function verifyWith(
  curves: Curves,
  suite: Suite,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
  policy?: WebauthnPolicy,
): boolean {
  if (publicKey.length !== PUBLIC_KEY_BYTES[suite] || signature.length > MAX_SIGNATURE_BYTES[suite]) return false;
  switch (suite) {
    case "ed25519":
      return curves.ed25519(publicKey, message, signature);
    case "p256":
      return curves.p256(publicKey, message, signature);
    case "sm2":
      return curves.sm2(publicKey, message, signature);
    case "ed25519-ml-dsa-65":
      return verifyComposite(curves, publicKey, message, signature);
    case "webauthn": {
      const opened = policy === undefined ? undefined : openAssertion(message, signature, policy);
      return opened !== undefined && curves.p256(publicKey, opened.signed, opened.raw);
    }
  }
}

/** Whether `signature` over `message` is by `publicKey`; false for anything malformed. Some 2 to 5 ms of pure JavaScript. */
export async function verify(
  suite: Suite,
  publicKey: Bytes,
  message: Bytes,
  signature: Bytes,
  policy?: WebauthnPolicy,
): Promise<boolean> {
  return verifyWith(portableCurves, suite, publicKey, message, signature, policy);
}
