/** What importing cannot avoid, done in a loop over memory: no files, no stores, no threads. */
import { createCipheriv, createHash, createSecretKey, hash, randomBytes } from "node:crypto";
import { DEFAULT_CODE, ReedSolomon } from "@xinglin/archive";

const { k, m } = DEFAULT_CODE;
const CHUNK = 262_144;
const PIECE = CHUNK + 16;
const STRIPE = k * CHUNK;

/** CPU seconds of this process so far, all threads. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** Seals, hashes and codes `sizeBytes` of memory, with the hashes of files or without; returns CPU seconds. */
export function sealingLoop(sizeBytes: number, hashFiles: boolean): number {
  const codec = new ReedSolomon(k, m, PIECE);
  const source = randomBytes(STRIPE);
  const key = createSecretKey(randomBytes(32));
  const nonce = Buffer.alloc(12);
  const associated = Buffer.alloc(24);
  const file = createHash("sha256");
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const start = cpuSeconds();
  for (let stripe = 0; stripe < stripes; stripe++) {
    for (let column = 0; column < k; column++) {
      const chunk = source.subarray(column * CHUNK, (column + 1) * CHUNK);
      if (hashFiles) file.update(chunk);
      nonce.writeUInt32BE(stripe * k + column, 8);
      const cipher = createCipheriv("aes-256-gcm", key, nonce);
      cipher.setAAD(associated);
      const piece = codec.piece(column);
      const sealed = cipher.update(chunk);
      piece.set(sealed);
      (sealed.buffer as ArrayBuffer).transfer(0); // as the archive does: the limit is to have every advantage
      cipher.final();
      piece.set(cipher.getAuthTag(), CHUNK);
      hash("sha256", piece, "buffer");
    }
    codec.encode();
    for (let column = k; column < k + m; column++) hash("sha256", codec.piece(column), "buffer");
  }
  return ((cpuSeconds() - start) * sizeBytes) / (stripes * STRIPE);
}

/** CPU seconds of `work`. */
export function cpuOf(work: () => void): number {
  const start = cpuSeconds();
  work();
  return cpuSeconds() - start;
}
