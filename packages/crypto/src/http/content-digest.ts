/**
 * The `Content-Digest` header of a request body. Source: RFC 9530 section 2; RFC 9651 section 3.3.5 (byte sequences).
 */
import { type Bytes, fromBase64url, toBase64url } from "@xinglin/primitives";

/** A structured-field byte sequence: padded base64 between colons. */
export function toByteSequence(bytes: Bytes): string {
  const symbols = toBase64url(bytes).replaceAll("-", "+").replaceAll("_", "/");
  return `:${symbols.padEnd(Math.ceil(symbols.length / 4) * 4, "=")}:`;
}

/** Bytes of a structured-field byte sequence, or `undefined` for anything but the padded, canonical form. */
export function fromByteSequence(text: string): Bytes | undefined {
  const symbols = /^:([A-Za-z0-9+/]*)={0,2}:$/.exec(text)?.[1];
  if (symbols === undefined) return undefined;
  try {
    const bytes = fromBase64url(symbols.replaceAll("+", "-").replaceAll("/", "_"));
    return toByteSequence(bytes) === text ? bytes : undefined;
  } catch {
    return undefined; // an impossible length or stray bits
  }
}

/** The header's value for a body whose SHA-256 is `sha256`. */
export const contentDigest = (sha256: Bytes): string => `sha-256=${toByteSequence(sha256)}`;
