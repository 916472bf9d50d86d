/**
 * ECDSA signatures in DER, as authenticators give them: one encoding for one signature, everything else refused.
 * Source: ITU-T X.690 sections 8.3 and 10; RFC 3279 section 2.2.3.
 */
import { type Bytes, concat } from "@xinglin/primitives";

const SEQUENCE = 0x30;
const INTEGER = 0x02;
const PART_BYTES = 32;

/** r and s, 32 bytes each, of a P-256 signature in strict DER; undefined for any other bytes. */
export function rawFromDer(der: Bytes): Bytes | undefined {
  // Two integers of at most 33 bytes fit the short form of the length.
  if (der[0] !== SEQUENCE || der[1] !== der.length - 2 || der.length > 72) return undefined;
  const r = integer(der, 2);
  if (r === undefined) return undefined;
  const s = integer(der, r.end);
  if (s === undefined || s.end !== der.length) return undefined;
  return concat(r.value, s.value);
}

/** Strict DER of r and s, 32 bytes each. */
export function derFromRaw(raw: Bytes): Bytes {
  const parts = concat(derInteger(raw.subarray(0, PART_BYTES)), derInteger(raw.subarray(PART_BYTES)));
  return concat(Uint8Array.of(SEQUENCE, parts.length), parts);
}

function integer(der: Bytes, at: number): { value: Bytes; end: number } | undefined {
  const length = der[at + 1];
  if (der[at] !== INTEGER || length === undefined || length < 1 || length > PART_BYTES + 1) return undefined;
  const end = at + 2 + length;
  if (end > der.length) return undefined;
  let bytes = der.subarray(at + 2, end);
  const first = bytes[0] as number;
  if (first >= 0x80) return undefined; // negative
  if (first === 0 && bytes.length > 1) {
    if ((bytes[1] as number) < 0x80) return undefined; // a zero too many
    bytes = bytes.subarray(1);
  }
  if (bytes.length > PART_BYTES) return undefined;
  const value = new Uint8Array(PART_BYTES);
  value.set(bytes, PART_BYTES - bytes.length);
  return { value, end };
}

function derInteger(bytes: Bytes): Bytes {
  let at = 0;
  while (at < bytes.length - 1 && bytes[at] === 0) at++;
  const magnitude = bytes.subarray(at);
  const sign = (magnitude[0] as number) >= 0x80 ? Uint8Array.of(0) : new Uint8Array(0);
  return concat(Uint8Array.of(INTEGER, sign.length + magnitude.length), sign, magnitude);
}
