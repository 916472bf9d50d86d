/**
 * The hash function SM3, for every platform. Nodes use OpenSSL's.
 * Source: GB/T 32905-2016 (GM/T 0004-2012); its own examples are the tests.
 */
import type { Bytes } from "@xinglin/primitives";

const BLOCK_BYTES = 64;
const INITIAL = [0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e] as const;

const rotate = (x: number, by: number): number => (x << by) | (x >>> (32 - by));
const p0 = (x: number): number => x ^ rotate(x, 9) ^ rotate(x, 17);
const p1 = (x: number): number => x ^ rotate(x, 15) ^ rotate(x, 23);
const majority = (x: number, y: number, z: number): number => (x & y) | (x & z) | (y & z);
const choice = (x: number, y: number, z: number): number => (x & y) | (~x & z);
const parity = (x: number, y: number, z: number): number => x ^ y ^ z;

/** SM3 of `bytes`, 32 bytes. */
export function sm3(bytes: Bytes): Bytes {
  const padded = new Uint8Array(Math.ceil((bytes.length + 9) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setBigUint64(padded.length - 8, BigInt(bytes.length) * 8n);
  const state = Int32Array.from(INITIAL);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES) compress(state, view, at);
  const out = new Uint8Array(32);
  const outView = new DataView(out.buffer);
  state.forEach((word, i) => {
    outView.setInt32(4 * i, word);
  });
  return out;
}

function compress(state: Int32Array, view: DataView, at: number): void {
  const w = new Int32Array(68);
  for (let j = 0; j < 16; j++) w[j] = view.getInt32(at + 4 * j);
  const word = (j: number): number => w[j] as number;
  for (let j = 16; j < 68; j++)
    w[j] = p1(word(j - 16) ^ word(j - 9) ^ rotate(word(j - 3), 15)) ^ rotate(word(j - 13), 7) ^ word(j - 6);

  let [a, b, c, d, e, f, g, h] = state as unknown as [number, number, number, number, number, number, number, number];
  for (let j = 0; j < 64; j++) {
    const early = j < 16;
    const ss1 = rotate((rotate(a, 12) + e + rotate(early ? 0x79cc4519 : 0x7a879d8a, j % 32)) | 0, 7);
    const ss2 = ss1 ^ rotate(a, 12);
    const tt1 = ((early ? parity(a, b, c) : majority(a, b, c)) + d + ss2 + (word(j) ^ word(j + 4))) | 0;
    const tt2 = ((early ? parity(e, f, g) : choice(e, f, g)) + h + ss1 + word(j)) | 0;
    [d, c, b, a] = [c, rotate(b, 9), a, tt1];
    [h, g, f, e] = [g, rotate(f, 19), e, p0(tt2)];
  }
  [a, b, c, d, e, f, g, h].forEach((value, i) => {
    state[i] = (state[i] as number) ^ value;
  });
}
