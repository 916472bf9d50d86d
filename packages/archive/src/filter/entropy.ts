/**
 * The entropy coder of the lossless filter: Zstandard at its fastest level, from the platform. Faster than brotli both ways, and a
 * little smaller. What is decoded may come from anyone, so its length and the memory it takes are bounded by what the caller expects.
 * Source: RFC 8878; node:zlib; docs/decisions/0010-filter-before-sealing.md (why not brotli).
 */
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { MAX_UNIT_BYTES } from "./predictor.ts";

const LEVEL = 1;
/** No frame looks further back than a unit is long; a decoder that is told otherwise would take what a stranger asks for. */
const WINDOW_LOG = Math.log2(MAX_UNIT_BYTES);
/** Output is made in pieces of this size: small ones cost a third of the speed. */
const LEAST_CHUNK = 1024;

/** `bytes`, smaller if they can be. */
export function shrink(bytes: Uint8Array): Uint8Array {
  const options = {
    chunkSize: Math.max(LEAST_CHUNK, bytes.length),
    pledgedSrcSize: bytes.length, // spares tables for what a longer input would need
    params: { [constants.ZSTD_c_compressionLevel]: LEVEL, [constants.ZSTD_c_windowLog]: WINDOW_LOG },
  };
  return zstdCompressSync(bytes, options);
}

/** The `length` bytes that `shrunk` was made of, or `undefined` if it is not such a thing, whatever it is. */
export function unshrink(shrunk: Uint8Array, length: number): Uint8Array | undefined {
  try {
    const bytes = zstdDecompressSync(shrunk, {
      chunkSize: Math.max(LEAST_CHUNK, length),
      maxOutputLength: length,
      params: { [constants.ZSTD_d_windowLogMax]: WINDOW_LOG },
    });
    return bytes.length === length ? bytes : undefined;
  } catch {
    return undefined; // truncated, longer than promised, or no Zstandard at all
  }
}

/**
 * Gives back the memory of what `shrink` or `unshrink` returned. Left to the collector, whose heap sees none of it, a study's worth of
 * buffers costs a hundred megabytes. Does nothing to what was handed over, and to what is so small that it
 * lies in the platform's pool beside others.
 */
export function discard(bytes: Uint8Array): void {
  const buffer = bytes.buffer as ArrayBuffer;
  if (!buffer.detached && buffer.byteLength > Buffer.poolSize) buffer.transfer(0);
}
