/**
 * Makes `spec/crypto/ml-dsa-65.json` (pure ML-DSA, with the context that a case names) and `spec/crypto/ed25519-ml-dsa-65.json` (the hybrid suite):
 * signatures on which implementations may disagree, with OpenSSL's and libsodium's answers.
 * Run `node packages/crypto/test/support/ml-dsa-edges.ts ml-dsa-65 > spec/crypto/ml-dsa-65.json` (and so for the other) to make them again; the tests compare.
 * Source: FIPS 204, algorithms 3 (contexts), 21 (HintBitUnpack) and 8 (the bound on z); draft-ietf-lamps-pq-composite-sigs.
 */
import { type Bytes, concat, toHex, utf8 } from "@xinglin/primitives";
import { COMPOSITE_LABEL, compositeRepresentative } from "../../src/composite.ts";
import { signEd25519 } from "../../src/ed25519.ts";
import { mlDsa65KeyPair, NO_CONTEXT, signMlDsa65 } from "../../src/ml-dsa.ts";
import { nodeCurves, verifySync } from "../../src/node/curves.ts";
import { hybridSigner } from "../../src/signer.ts";
import type { EdgeCase } from "./ed25519-edges.ts";

const message = utf8("message 0");
const secret = Uint8Array.from({ length: 64 }, (_, i) => i);
const seed = secret.subarray(0, 32);
const { publicKey, packedPrivateKey } = mlDsa65KeyPair(seed);

// A signature: 48 bytes of challenge, 5 × 640 bytes of z, then the hint: 55 positions and, for each of 6 polynomials, where its positions end.
const Z_AT = 48;
const HINT_AT = Z_AT + 5 * 640;
const POSITIONS = 55;

const changed = (bytes: Bytes, change: (copy: Uint8Array) => void): Bytes => {
  const copy = Uint8Array.from(bytes);
  change(copy);
  return copy;
};

/** What the hint of `signature` looks like in other bytes that a lax decoder reads the same. */
function hintCases(signature: Bytes): Record<string, Bytes> {
  const ends = [...signature.subarray(HINT_AT + POSITIONS)];
  const used = ends.at(-1) as number;
  // A polynomial with two positions at least, to turn them round.
  const poly = ends.findIndex((end, i) => end - (ends[i - 1] ?? 0) >= 2);
  const first = HINT_AT + (ends[poly - 1] ?? 0);
  const lastEnd = HINT_AT + POSITIONS + 5;
  return {
    "two positions of the hint turned round": changed(signature, (copy) => {
      [copy[first], copy[first + 1]] = [copy[first + 1] as number, copy[first] as number];
    }),
    "a position of the hint twice": changed(signature, (copy) => {
      copy[first + 1] = copy[first] as number;
    }),
    "a byte in the padding of the hint": changed(signature, (copy) => {
      copy[HINT_AT + used] = 1;
    }),
    "more hints than there may be": changed(signature, (copy) => {
      copy[lastEnd] = POSITIONS + 1;
    }),
    "ends of the hint that go back": changed(signature, (copy) => {
      copy[lastEnd] = (ends[4] as number) - 1;
    }),
  };
}

/** Cases of pure ML-DSA-65, with what OpenSSL answers. */
export function mlDsaEdgeCases(): (EdgeCase & { readonly context: string })[] {
  const context = utf8("context");
  // A message whose signature leaves padding and has a polynomial with two hints: nearly all do.
  const honest = signMlDsa65(packedPrivateKey, message, NO_CONTEXT);
  const named = signMlDsa65(packedPrivateKey, message, context);
  const cases: { name: string; publicKey?: Bytes; signature: Bytes; context?: Bytes }[] = [
    { name: "honest, no context", signature: honest },
    { name: "honest, with a context", signature: named, context },
    { name: "with a context, asked without", signature: named },
    { name: "without a context, asked with", signature: honest, context },
    {
      name: "a context of 255 bytes",
      signature: signMlDsa65(packedPrivateKey, message, new Uint8Array(255)),
      context: new Uint8Array(255),
    },
    { name: "a bit of the challenge", signature: changed(honest, (copy) => (copy[0] = (copy[0] as number) ^ 1)) },
    { name: "a bit of z", signature: changed(honest, (copy) => (copy[Z_AT] = (copy[Z_AT] as number) ^ 1)) },
    { name: "z beyond its bound", signature: changed(honest, (copy) => copy.fill(0, Z_AT, Z_AT + 640)) },
    ...Object.entries(hintCases(honest)).map(([name, signature]) => ({ name, signature })),
    { name: "all zeros", signature: new Uint8Array(honest.length) },
    { name: "a byte less", signature: honest.subarray(1) },
    { name: "a byte more", signature: concat(honest, Uint8Array.of(0)) },
    { name: "nothing", signature: new Uint8Array(0) },
    {
      name: "a bit of the key",
      signature: honest,
      publicKey: changed(publicKey, (copy) => (copy[100] = (copy[100] as number) ^ 1)),
    },
    { name: "a key of zeros", signature: honest, publicKey: new Uint8Array(publicKey.length) },
    { name: "a key that is too short", signature: honest, publicKey: publicKey.subarray(1) },
    { name: "a key that is too long", signature: honest, publicKey: concat(publicKey, Uint8Array.of(0)) },
  ];
  return cases.map(({ name, signature, publicKey: key = publicKey, context = NO_CONTEXT }) => ({
    name,
    publicKey: toHex(key),
    message: toHex(message),
    context: toHex(context),
    signature: toHex(signature),
    valid: nodeCurves.mlDsa65(key, message, signature, context),
  }));
}

/** Cases of the hybrid suite, with what OpenSSL and libsodium together answer. */
export async function hybridEdgeCases(): Promise<EdgeCase[]> {
  const signer = hybridSigner(secret);
  const honest = await signer.sign(message);
  const other = await hybridSigner(secret.map((byte) => byte ^ 1)).sign(message);
  const [lattice, edwards] = [honest.subarray(0, 3309), honest.subarray(3309)];
  const edwardsSeed = secret.subarray(32);
  const represented = compositeRepresentative(message);
  const key = signer.publicKey;
  const cases: { name: string; publicKey?: Bytes; signature: Bytes }[] = [
    { name: "honest", signature: honest },
    { name: "the Ed25519 half alone", signature: edwards },
    { name: "the ML-DSA half alone", signature: lattice },
    { name: "the halves in the other order", signature: concat(edwards, lattice) },
    { name: "an ML-DSA half of zeros", signature: concat(new Uint8Array(3309), edwards) },
    { name: "an Ed25519 half of zeros", signature: concat(lattice, new Uint8Array(64)) },
    { name: "another key's ML-DSA half", signature: concat(other.subarray(0, 3309), edwards) },
    { name: "another key's Ed25519 half", signature: concat(lattice, other.subarray(3309)) },
    { name: "an Ed25519 half over the message itself", signature: concat(lattice, signEd25519(edwardsSeed, message)) },
    {
      name: "an ML-DSA half over the message itself",
      signature: concat(signMlDsa65(packedPrivateKey, message, COMPOSITE_LABEL), edwards),
    },
    {
      name: "an ML-DSA half without the label as context",
      signature: concat(signMlDsa65(packedPrivateKey, represented, NO_CONTEXT), edwards),
    },
    ...Object.entries(hintCases(lattice)).map(([name, half]) => ({ name, signature: concat(half, edwards) })),
    { name: "a byte less", signature: honest.subarray(0, -1) },
    { name: "a byte more", signature: concat(honest, Uint8Array.of(0)) },
    { name: "nothing", signature: new Uint8Array(0) },
    {
      name: "a key with its halves in the other order",
      publicKey: concat(key.subarray(1952), key.subarray(0, 1952)),
      signature: honest,
    },
    { name: "the Ed25519 half of the key alone", publicKey: key.subarray(1952), signature: honest },
    {
      name: "an Ed25519 key of small order",
      publicKey: concat(key.subarray(0, 1952), Uint8Array.of(1), new Uint8Array(31)),
      signature: honest,
    },
  ];
  return cases.map(({ name, signature, publicKey = key }) => ({
    name,
    publicKey: toHex(publicKey),
    message: toHex(message),
    signature: toHex(signature),
    valid: verifySync("ed25519-ml-dsa-65", publicKey, message, signature),
  }));
}

if (import.meta.main) {
  const cases = process.argv[2] === "ml-dsa-65" ? mlDsaEdgeCases() : await hybridEdgeCases();
  process.stdout.write(`${JSON.stringify(cases, undefined, 2)}\n`);
}
