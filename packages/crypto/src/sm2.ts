/**
 * SM2 signatures over SM3, for every platform, with exactly the answers of OpenSSL, which decides block validity on nodes. Public keys are
 * compressed points, signatures r and s of 32 bytes each, the signer's id is the standard's default. There is no "lower s" to ask for: s stands
 * in r + s as well, so n − s of a valid signature is not valid.
 * Source: GB/T 32918.2-2016 and 32918.5-2017 (curve and examples); GM/T 0009-2012 section 10 (the default id).
 */
import { weierstrass } from "@noble/curves/abstract/weierstrass.js";
import { type Bytes, compare, concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import { sm3 } from "./sm3.ts";

const CURVE = {
  p: 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn,
  n: 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n,
  h: 1n,
  a: 0xfffffffeffffffffffffffffffffffffffffffff00000000fffffffffffffffcn,
  b: 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n,
  Gx: 0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n,
  Gy: 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n,
};
const Point = weierstrass(CURVE);
type Point = InstanceType<typeof Point>;
const N = CURVE.n;
const PART_BYTES = 32;

/** The id under which everybody signs, unless two parties agree on others: the standard's "1234567812345678". */
export const SM2_DEFAULT_ID = utf8("1234567812345678");

const toBytes = (value: bigint): Bytes => fromHex(value.toString(16).padStart(2 * PART_BYTES, "0"));
const toInteger = (bytes: Bytes): bigint => BigInt(`0x${toHex(bytes)}`);
// As bytes, since comparing these is much cheaper than making integers of every signature.
const ZERO = new Uint8Array(PART_BYTES);
const ORDER_BYTES = toBytes(N);
const mod = (value: bigint): bigint => ((value % N) + N) % N;

/** Whether these bytes have the form of a compressed point; whether they are on the curve shows when they are used. */
export const isSm2PublicKeyForm = (key: Bytes): boolean => key.length === 1 + PART_BYTES && (key[0] === 2 || key[0] === 3);

/** Whether r and s are within 1 and the group order. */
export function isSm2SignatureForm(signature: Bytes): boolean {
  if (signature.length !== 2 * PART_BYTES) return false;
  const inGroup = (part: Bytes): boolean => compare(part, ZERO) > 0 && compare(part, ORDER_BYTES) < 0;
  return inGroup(signature.subarray(0, PART_BYTES)) && inGroup(signature.subarray(PART_BYTES));
}

/** Whether these 32 bytes are a private key: from 1 to the group order less 2 (n − 1 could not sign). */
export function isSm2PrivateKey(privateKey: Bytes): boolean {
  if (privateKey.length !== PART_BYTES) return false;
  const d = toInteger(privateKey);
  return d >= 1n && d <= N - 2n;
}

const CURVE_PART = concat(...[CURVE.a, CURVE.b, CURVE.Gx, CURVE.Gy].map(toBytes));
const ID_BITS = Uint8Array.of(0, 8 * SM2_DEFAULT_ID.length);

/** What stands before a message when it is hashed: SM3 of the default id, the curve and the public key (`x`, `y`, 32 bytes each). */
export const sm2Prefix = (x: Bytes, y: Bytes, hash: (bytes: Bytes) => Bytes = sm3): Bytes =>
  hash(concat(ID_BITS, SM2_DEFAULT_ID, CURVE_PART, x, y));

const digestOf = (key: Point, message: Bytes): bigint => {
  const { x, y } = key.toAffine();
  return toInteger(sm3(concat(sm2Prefix(toBytes(x), toBytes(y)), message)));
};

/** Whether `signature` over `message` is by `publicKey`; false for anything malformed. Some 5 ms. */
export function verifySm2(publicKey: Bytes, message: Bytes, signature: Bytes): boolean {
  if (!isSm2PublicKeyForm(publicKey) || !isSm2SignatureForm(signature)) return false;
  const r = toInteger(signature.subarray(0, PART_BYTES));
  const s = toInteger(signature.subarray(PART_BYTES));
  const t = mod(r + s);
  if (t === 0n) return false;
  try {
    const key = Point.fromBytes(publicKey);
    const sum = Point.BASE.multiplyUnsafe(s).add(key.multiplyUnsafe(t));
    return !sum.is0() && mod(digestOf(key, message) + sum.toAffine().x) === r;
  } catch {
    return false; // not a point of the curve
  }
}

/** The compressed public key of a 32-byte private key. */
export const sm2PublicKey = (privateKey: Bytes): Bytes => Point.BASE.multiply(toInteger(privateKey)).toBytes(true);

/** A signature with one-time numbers from `random` (32 bytes a call), r and s of 32 bytes each. */
export function signSm2(privateKey: Bytes, message: Bytes, random: () => Bytes): Bytes {
  const d = toInteger(privateKey);
  const inverse = Point.Fn.inv(mod(1n + d));
  const e = digestOf(Point.BASE.multiply(d), message);
  for (;;) {
    const k = toInteger(random());
    // A number outside the group is drawn again instead of reduced: every k is equally likely.
    if (k === 0n || k >= N) continue;
    const r = mod(e + Point.BASE.multiply(k).toAffine().x);
    const s = mod(inverse * mod(k - r * d));
    if (r !== 0n && r + k !== N && s !== 0n) return concat(toBytes(r), toBytes(s));
  }
}
