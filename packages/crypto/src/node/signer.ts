/**
 * Ed25519 keys of programs that run in Node.
 * Source: design.md, "Suites".
 */
import { type Bytes, Fault } from "@xinglin/primitives";
import sodium from "sodium-native";
import type { Signer } from "../signer.ts";

/** A signer by a 32-byte seed. The signature is the same as `ed25519Signer` makes, in a thirtieth of the time. */
export function nodeEd25519Signer(seed: Bytes): Signer & { signSync(message: Bytes): Bytes } {
  if (seed.length !== 32) throw new Fault("malformed", { element: "seed", expected: "32 bytes" });
  const publicKey = new Uint8Array(32);
  const secretKey = new Uint8Array(64);
  sodium.crypto_sign_seed_keypair(publicKey, secretKey, seed);
  const signSync = (message: Bytes): Bytes => {
    const signature = new Uint8Array(64);
    sodium.crypto_sign_detached(signature, message, secretKey);
    return signature;
  };
  return { suite: "ed25519", publicKey, signSync, sign: async (message) => signSync(message) };
}
