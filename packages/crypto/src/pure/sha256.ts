/**
 * SHA-256 without platform types. Code that hashes much (blocks, archives) passes its platform's own function instead.
 * Source: FIPS 180-4; design.md, "Packages" (crypto/pure).
 */
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import type { Bytes } from "@xinglin/primitives";

/** A SHA-256 function: the portable one below, or a platform's. */
export type Sha256 = (bytes: Bytes) => Bytes;

/** SHA-256 of `bytes`, 32 bytes. About 170 MB/s; `@xinglin/crypto/node` has a faster one. */
export const sha256: Sha256 = (bytes) => nobleSha256(bytes);
