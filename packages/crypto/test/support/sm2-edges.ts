/**
 * Makes `spec/crypto/sm2.json`: SM2 signatures on which implementations may disagree, with OpenSSL's answers.
 * Run `node packages/crypto/test/support/sm2-edges.ts > spec/crypto/sm2.json` to make it again; the test compares.
 * Source: GB/T 32918.2-2016 section 7 (the checks B1 to B7); the cases are made here from their definitions.
 */
import { createHash } from "node:crypto";
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { type Bytes, concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import { verifySync } from "../../src/node/curves.ts";
import { signSm2, sm2Prefix } from "../../src/sm2.ts";
import type { EdgeCase } from "./ed25519-edges.ts";

const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const Point = weierstrass({
  p: P,
  n: N,
  h: 1n,
  a: P - 3n,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
});

const be = (value: bigint): Bytes => fromHex(value.toString(16).padStart(64, "0"));
const number = (bytes: Bytes): bigint => BigInt(`0x${toHex(bytes)}`);
const modN = (value: bigint): bigint => ((value % N) + N) % N;
const sm3 = (...parts: Bytes[]): Bytes =>
  new Uint8Array(
    createHash("sm3")
      .update(concat(...parts))
      .digest(),
  );

const d = 0x1234_5678_9abc_def0n;
const k = 0x0fed_cba9_8765_4321n;
const message = utf8("message 0");
const key = Point.BASE.multiply(d);
const publicKey = key.toBytes(true);
const { x, y } = key.toAffine();
const prefix = sm2Prefix(be(x), be(y));

/** r and s over a digest, as the standard makes them. */
function signDigest(digest: Bytes): Bytes {
  const r = modN(number(digest) + Point.BASE.multiply(k).toAffine().x);
  const s = modN(Point.Fn.inv(1n + d) * modN(k - r * d));
  return concat(be(r), be(s));
}
/** A public key with a small x, so that x + p fits 32 bytes as well. */
function smallX(): bigint {
  for (let candidate = 1n; ; candidate++) {
    try {
      Point.fromBytes(concat(Uint8Array.of(2), be(candidate)));
      return candidate;
    } catch {}
  }
}
function offCurve(): bigint {
  for (let candidate = 1n; ; candidate++) {
    try {
      Point.fromBytes(concat(Uint8Array.of(2), be(candidate)));
    } catch {
      return candidate;
    }
  }
}

/** Every case, with what OpenSSL answers. */
export function sm2EdgeCases(): EdgeCase[] {
  const honest = signSm2(be(d), message, () => be(k));
  const [r, s] = [number(honest.subarray(0, 32)), number(honest.subarray(32))];
  const ecdsa = (() => {
    const rr = modN(Point.BASE.multiply(k).toAffine().x);
    return concat(be(rr), be(modN(Point.Fn.inv(k) * modN(number(sm3(message)) + rr * d))));
  })();
  const atInfinity = modN(-r * d * Point.Fn.inv(1n + d));
  const emptyId = sm3(Uint8Array.of(0, 0), fromHex(CURVE_HEX), be(x), be(y));
  const signatures: Record<string, Bytes> = {
    honest,
    "r = 0": concat(be(0n), be(s)),
    "s = 0": concat(be(r), be(0n)),
    "r = n": concat(be(N), be(s)),
    "s = n": concat(be(r), be(N)),
    "r and s all ones": new Uint8Array(64).fill(255),
    "n - s": concat(be(r), be(N - s)),
    "n - r": concat(be(N - r), be(s)),
    "r + s = n": concat(be(r), be(N - r)),
    "s G + t P at infinity": concat(be(r), be(atInfinity)),
    "s, r": concat(be(s), be(r)),
    "the digest of the message alone": signDigest(sm3(message)),
    "an empty user id": signDigest(sm3(emptyId, message)),
    "the default id, made by hand": signDigest(sm3(prefix, message)),
    "ECDSA on the same curve": ecdsa,
    "a byte less": honest.subarray(0, 63),
    "a byte more": concat(honest, Uint8Array.of(0)),
    nothing: new Uint8Array(0),
  };
  const x0 = smallX();
  const publicKeys: Record<string, Bytes> = {
    "the other y": concat(Uint8Array.of((publicKey[0] as number) ^ 1), publicKey.subarray(1)),
    uncompressed: key.toBytes(false),
    "prefix 4": concat(Uint8Array.of(4), publicKey.subarray(1)),
    "prefix 0": concat(Uint8Array.of(0), publicKey.subarray(1)),
    infinity: Uint8Array.of(0),
    "x off the curve": concat(Uint8Array.of(2), be(offCurve())),
    "x = p + a small one on the curve": concat(Uint8Array.of(2), be(P + x0)),
    "x = p": concat(Uint8Array.of(2), be(P)),
    "x all ones": concat(Uint8Array.of(3), new Uint8Array(32).fill(255)),
  };
  const cases = [
    ...Object.entries(signatures).map(([name, signature]) => ({ name, publicKey, signature })),
    ...Object.entries(publicKeys).map(([name, publicKey]) => ({ name: `key: ${name}`, publicKey, signature: honest })),
  ];
  return cases.map(({ name, publicKey, signature }) => ({
    name,
    publicKey: toHex(publicKey),
    message: toHex(message),
    signature: toHex(signature),
    valid: verifySync("sm2", publicKey, message, signature),
  }));
}

const CURVE_HEX = [P - 3n, 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n, Point.BASE.x, Point.BASE.y]
  .map((value) => toHex(be(value)))
  .join("");

if (import.meta.main) process.stdout.write(`${JSON.stringify(sm2EdgeCases(), undefined, 2)}\n`);
