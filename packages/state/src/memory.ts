/**
 * Raw memory for 32-byte hashes: one buffer seen as bytes and as words, addressed by byte offsets that are multiples of four.
 * Copying a hash word by word costs a fifth of `Buffer.copy`, and SHA-256 through a latin1 string half of asking for a `Buffer`;
 * both are measured in docs/internals/state.md.
 */
import { hash } from "node:crypto";

/** Node's own, though untyped: writes without looking for the encoding first. */
type Latin1Buffer = Buffer & { latin1Write(text: string, at: number, length: number): number };

export interface Memory {
  readonly bytes: Latin1Buffer;
  readonly words: Uint32Array;
}

/** Bytes of a hash and of a tree key. */
export const HASH_BYTES = 32;

/** Zeroed memory of `size` bytes, a multiple of four. */
export function allocate(size: number): Memory {
  const block = new ArrayBuffer(size);
  return { bytes: Buffer.from(block) as Latin1Buffer, words: new Uint32Array(block) };
}

/** A copy of `memory` with at least `size` bytes. */
export function grow(memory: Memory, size: number): Memory {
  const larger = allocate(Math.max(size, 2 * memory.bytes.length));
  larger.words.set(memory.words);
  return larger;
}

export function copyHash(from: Memory, fromAt: number, to: Memory, toAt: number): void {
  const source = from.words;
  const target = to.words;
  let s = fromAt >>> 2;
  let t = toAt >>> 2;
  for (const end = s + 8; s < end; ) target[t++] = source[s++] as number;
}

export function zeroHash(to: Memory, at: number): void {
  const { words } = to;
  for (let i = at >>> 2, end = i + 8; i < end; i++) words[i] = 0;
}

export function sameHash(a: Memory, aAt: number, b: Memory, bAt: number): boolean {
  for (let i = 0; i < 8; i++) if (a.words[(aAt >>> 2) + i] !== b.words[(bAt >>> 2) + i]) return false;
  return true;
}

/** SHA-256 of `data` as a string of 32 Latin-1 characters; text is hashed as UTF-8. */
export const digest = (data: string | Uint8Array): string => hash("sha256", data, "binary");

export const writeDigest = (text: string, to: Memory, at: number): void => {
  to.bytes.latin1Write(text, at, HASH_BYTES);
};

/**
 * The 65 bytes that are hashed into a node: a domain byte and two hashes. The hashes lie at `LEFT` and `RIGHT` of `memory`; the
 * domain byte before them keeps them aligned.
 */
export interface Frame {
  readonly memory: Memory;
  readonly input: Buffer;
}
export const LEFT = 8;
export const RIGHT = LEFT + HASH_BYTES;

/** Domain bytes of the ICS-23 sparse Merkle spec. */
export const LEAF_DOMAIN = 0;
export const INNER_DOMAIN = 1;

export function makeFrame(domain: number): Frame {
  const memory = allocate(RIGHT + HASH_BYTES);
  memory.bytes[LEFT - 1] = domain;
  return { memory, input: memory.bytes.subarray(LEFT - 1) };
}

/** Bit `depth` of the key at `at`, most significant first. */
export const bitAt = (bytes: Uint8Array, at: number, depth: number): number =>
  ((bytes[at + (depth >>> 3)] as number) >>> (7 - (depth & 7))) & 1;

/** Order of two 32-byte keys. */
export function compareKeys(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < HASH_BYTES; i++) {
    const difference = (a[aAt + i] as number) - (b[bAt + i] as number);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** How many leading bits two different 32-byte keys share. */
export function sharedBits(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number): number {
  for (let i = 0; i < HASH_BYTES; i++) {
    const difference = (a[aAt + i] as number) ^ (b[bAt + i] as number);
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return 8 * HASH_BYTES;
}

/** First index in [lo, hi) of sorted keys `stride` bytes apart, equal before `depth`, whose bit `depth` is set; `hi` if none is. */
export function splitAt(bytes: Uint8Array, base: number, stride: number, lo: number, hi: number, depth: number): number {
  const byte = base + (depth >>> 3);
  const mask = 128 >>> (depth & 7);
  let low = lo;
  let high = hi;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((bytes[byte + middle * stride] as number) & mask) high = middle;
    else low = middle + 1;
  }
  return low;
}
