/** SHA-256 at the platform's speed, and content identifiers made of it. Source: FIPS 180-4; CIDv1 (multiformats). */
import { hash } from "node:crypto";

export const DIGEST_BYTES = 32;

/** SHA-256 of `bytes`, 32 bytes. */
export const sha256 = (bytes: Uint8Array): Uint8Array => hash("sha256", bytes, "buffer");

const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";
/** CID version 1, codec raw, multihash SHA-256 of 32 bytes. */
const RAW_CID_PREFIX = [0x01, 0x55, 0x12, 0x20];

/** The raw CIDv1 of content with this SHA-256, in its usual base32 form (`bafkrei…`): a piece or a manifest of the standard profile has the same name in IPFS. */
export function rawCid(digest: Uint8Array): string {
  let text = "b";
  let bits = 0;
  let buffer = 0;
  for (const byte of [...RAW_CID_PREFIX, ...digest]) {
    buffer = ((buffer << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32[(buffer >> bits) & 31];
    }
  }
  return bits === 0 ? text : text + BASE32[(buffer << (5 - bits)) & 31];
}
