/**
 * Makes `spec/crypto/ed25519.json`: signatures on which implementations of Ed25519 disagree, with libsodium's answers.
 * Run `node packages/crypto/test/support/ed25519-edges.ts > spec/crypto/ed25519.json` to make it again; the test compares.
 * Source: Chalkias, Garillot, Nikolaenko, "Taming the many EdDSAs" (2020), table 5; the cases are made here from their definitions.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { type Bytes, concat, toHex, utf8 } from "@xinglin/primitives";
import { verifySync } from "../../src/node/curves.ts";

export interface EdgeCase {
  readonly name: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  readonly valid: boolean;
}

const { Point } = ed25519;
type Point = InstanceType<typeof Point>;
const L = Point.Fn.ORDER;
const P = Point.Fp.ORDER;

const le = (value: bigint): Bytes => Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
const number = (bytes: Bytes): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
const times = (point: Point, scalar: bigint): Point => (scalar % L === 0n ? Point.ZERO : point.multiplyUnsafe(scalar % L));
const challenge = (r: Bytes, a: Bytes, message: Bytes): bigint => number(sha512(concat(r, a, message))) % L;

/** A point of order eight: what is left of any point when the large subgroup is taken out of it. */
function torsionPoint(): Point {
  for (let y = 2n; ; y++) {
    let point: Point;
    try {
      point = Point.fromBytes(le(y));
    } catch {
      continue;
    }
    const torsion = point.multiplyUnsafe(L - 1n).add(point);
    if (!torsion.multiplyUnsafe(4n).is0()) return torsion;
  }
}

const secret = 0x1234_5678_9abc_def0n;
const nonce = 0x0fed_cba9_8765_4321n;
const T = torsionPoint();
const withSign = (bytes: Bytes): Bytes => bytes.map((byte, i) => (i === 31 ? byte | 0x80 : byte));
const A = times(Point.BASE, secret);
const R = times(Point.BASE, nonce);

/** Encodings of the eight points of small order: canonical ones first, then those that a decoder must not take. */
const small: readonly (readonly [string, Bytes])[] = [
  ...Array.from({ length: 8 }, (_, i) => [`order-8 point times ${i}`, times(T, BigInt(i)).toBytes()] as const),
  ["y = 1 with a sign", withSign(le(1n))],
  ["y = -1 with a sign", withSign(le(P - 1n))],
  ["y = p", le(P)],
  ["y = p with a sign", withSign(le(P))],
  ["y = p + 1", le(P + 1n)],
  ["y = p + 1 with a sign", withSign(le(P + 1n))],
];

/** The first of a hundred messages for which `fits` holds: torsion parts cancel for one message in a few. */
function messageWhere(fits: (message: Bytes) => boolean): Bytes {
  for (let i = 0; i < 200; i++) if (fits(utf8(`message ${i}`))) return utf8(`message ${i}`);
  throw new Error("ed25519 edges: no message fits");
}

export function edgeCases(): EdgeCase[] {
  const cases: EdgeCase[] = [];
  const add = (name: string, publicKey: Bytes, message: Bytes, signature: Bytes): void => {
    const valid = verifySync("ed25519", publicKey, message, signature);
    cases.push({ name, publicKey: toHex(publicKey), message: toHex(message), signature: toHex(signature), valid });
  };

  const honest = utf8("message 0");
  const s = (nonce + challenge(R.toBytes(), A.toBytes(), honest) * secret) % L;
  add("honest", A.toBytes(), honest, concat(R.toBytes(), le(s)));
  add("S + L", A.toBytes(), honest, concat(R.toBytes(), le(s + L)));
  let far = s;
  while (far + L < 1n << 256n) far += L;
  add("S of 256 bits", A.toBytes(), honest, concat(R.toBytes(), le(far)));
  add("S with its highest bit set", A.toBytes(), honest, concat(R.toBytes(), withSign(le(s))));

  for (const [name, a] of small) {
    const point = Point.fromBytes(a, true);
    const exact = messageWhere((message) => times(point, challenge(R.toBytes(), a, message)).is0());
    add(`A: ${name}; honest R`, a, exact, concat(R.toBytes(), le(nonce)));
    const zero = concat(Point.ZERO.toBytes(), le(0n));
    const both = messageWhere((message) => times(point, challenge(Point.ZERO.toBytes(), a, message)).is0());
    add(`A: ${name}; R: identity, S = 0`, a, both, zero);
  }
  for (const [name, r] of small) {
    const sOf = (message: Bytes): bigint => (challenge(r, A.toBytes(), message) * secret) % L;
    add(`honest A; R: ${name}`, A.toBytes(), honest, concat(r, le(sOf(honest))));
  }

  const mixedA = A.add(T);
  const mixedR = R.add(T);
  for (const [name, a, r] of [
    ["mixed A, honest R", mixedA, R],
    ["honest A, mixed R", A, mixedR],
    ["mixed A, mixed R", mixedA, mixedR],
    ["mixed A, small R", mixedA, T],
  ] as const) {
    const rNonce = r === T ? 0n : nonce;
    const kOf = (message: Bytes): bigint => challenge(r.toBytes(), a.toBytes(), message);
    const sOf = (message: Bytes): bigint => (rNonce + kOf(message) * secret) % L;
    const holds = (message: Bytes): boolean => times(Point.BASE, sOf(message)).equals(r.add(times(a, kOf(message))));
    const sign = (message: Bytes): Bytes => concat(r.toBytes(), le(sOf(message)));
    const cofactored = messageWhere((message) => !holds(message));
    add(`${name}: equation holds only times eight`, a.toBytes(), cofactored, sign(cofactored));
    if (a === A) continue; // an honest key never cancels the torsion of R
    const exact = messageWhere(holds);
    add(`${name}: equation holds exactly`, a.toBytes(), exact, sign(exact));
  }

  const notOnCurve = le(2n);
  add("A not on the curve", notOnCurve, honest, concat(R.toBytes(), le(s)));
  add("R not on the curve", A.toBytes(), honest, concat(notOnCurve, le(s)));
  return cases;
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(edgeCases(), null, 2)}\n`);
