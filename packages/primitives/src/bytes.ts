/**
 * Byte strings as plain `Uint8Array`, without platform types, so that rules can use them.
 * Source: design.md, "Packages" (primitives).
 */
import { bytesToHex, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

export type Bytes = Uint8Array;

/** Lower-case hex of `bytes`. */
export const toHex = (bytes: Bytes): string => bytesToHex(bytes);

/** Bytes of an even-length hex string; throws on anything else. */
export const fromHex = (hex: string): Bytes => hexToBytes(hex);

/** UTF-8 bytes of `text`. */
export const utf8 = (text: string): Bytes => utf8ToBytes(text);

/** Joins parts into one new array. */
export function concat(...parts: readonly Bytes[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Whether two byte strings are equal. Not constant time: never compare secrets with it. */
export function equal(a: Bytes, b: Bytes): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Unsigned lexicographic order, as LevelDB and DAG-CBOR sort: negative, zero or positive. */
export function compare(a: Bytes, b: Bytes): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Base64url without padding (RFC 4648 section 5). */
export function toBase64url(bytes: Bytes): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = ((bytes[i] as number) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    const symbols = Math.min(bytes.length - i, 3) + 1;
    for (let s = 0; s < symbols; s++) out += BASE64URL[(group >> (18 - 6 * s)) & 63];
  }
  return out;
}

/** Bytes of unpadded base64url; throws `RangeError` on other characters, lengths or stray bits. */
export function fromBase64url(text: string): Bytes {
  if (text.length % 4 === 1) throw new RangeError("base64url: impossible length");
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let buffer = 0;
  let bits = 0;
  for (const symbol of text) {
    const value = BASE64URL.indexOf(symbol);
    if (value < 0) throw new RangeError("base64url: unexpected character");
    buffer = ((buffer << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (buffer >> bits) & 0xff;
    }
  }
  if ((buffer & ((1 << bits) - 1)) !== 0) throw new RangeError("base64url: stray bits");
  return out;
}
