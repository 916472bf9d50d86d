/** What the archive's work cannot avoid, done in loops over memory: no files, no stores, no threads. */
import { createCipheriv, createDecipheriv, createHash, createSecretKey, hash, randomBytes } from "node:crypto";
import { ReedSolomon } from "@xinglin/archive";
import { CHUNK, GONE, K, M, MEGABYTE, PIECE, STRIPE } from "./archive-study.ts";

/** CPU seconds of this process so far, all threads. */
const cpuSeconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

/** CPU seconds of `work`. */
export function cpuOf(work: () => void): number {
  const start = cpuSeconds();
  work();
  return cpuSeconds() - start;
}

/** A stripe of random data with its parity. */
function stripeOfNoise(): ReedSolomon {
  const codec = new ReedSolomon(K, M, PIECE);
  for (let column = 0; column < K; column++) codec.piece(column).set(randomBytes(PIECE));
  codec.encode();
  return codec;
}

const columnsUpTo = (count: number): number[] => Array.from({ length: count }, (_, column) => column);

/** Seals, hashes and codes `sizeBytes` of memory, with the hashes of files or without; returns CPU seconds. */
export function sealingLoop(sizeBytes: number, hashFiles: boolean): number {
  const codec = new ReedSolomon(K, M, PIECE);
  const source = randomBytes(STRIPE);
  const key = createSecretKey(randomBytes(32));
  const nonce = Buffer.alloc(12);
  const associated = Buffer.alloc(24);
  const file = createHash("sha256");
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const used = cpuOf(() => {
    for (let stripe = 0; stripe < stripes; stripe++) {
      for (let column = 0; column < K; column++) {
        const chunk = source.subarray(column * CHUNK, (column + 1) * CHUNK);
        if (hashFiles) file.update(chunk);
        nonce.writeUInt32BE(stripe * K + column, 8);
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
      for (let column = K; column < K + M; column++) hash("sha256", codec.piece(column), "buffer");
    }
  });
  return (used * sizeBytes) / (stripes * STRIPE);
}

/** Checks pieces, rebuilds as many as four lost stores cost on average, opens chunks and hashes them; returns MB a second. */
export function openingLoop(sizeBytes: number): number {
  const codec = stripeOfNoise();
  const key = createSecretKey(randomBytes(32));
  const nonce = Buffer.alloc(12);
  const file = createHash("sha256");
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const start = performance.now();
  for (let stripe = 0; stripe < stripes; stripe++) {
    const lost = columnsUpTo(K + M).filter((column) => (column + stripe) % (K + M) < GONE);
    const present = columnsUpTo(K + M).filter((column) => !lost.includes(column));
    for (const column of present) hash("sha256", codec.piece(column), "buffer");
    codec.reconstruct(
      present,
      lost.filter((column) => column < K),
    );
    for (let column = 0; column < K; column++) {
      const decipher = createDecipheriv("aes-256-gcm", key, nonce);
      const chunk = decipher.update(codec.piece(column).subarray(0, CHUNK));
      file.update(chunk);
      (chunk.buffer as ArrayBuffer).transfer(0);
    }
  }
  return (stripes * STRIPE) / 1000 / (performance.now() - start);
}

/** Hashes all pieces of `sizeBytes` of source; MB of source a CPU second. */
export function auditLoop(sizeBytes: number): number {
  const codec = stripeOfNoise();
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const used = cpuOf(() => {
    for (let stripe = 0; stripe < stripes; stripe++)
      for (let column = 0; column < K + M; column++) hash("sha256", codec.piece(column), "buffer");
  });
  return (stripes * STRIPE) / MEGABYTE / used;
}

/** Hashes ten pieces of each stripe, computes the four others and hashes those; MB of source a CPU second. */
export function repairLoop(sizeBytes: number): number {
  const codec = stripeOfNoise();
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const used = cpuOf(() => {
    for (let stripe = 0; stripe < stripes; stripe++) {
      const lost = columnsUpTo(K + M).filter((column) => (column + stripe) % (K + M) < GONE);
      const present = columnsUpTo(K + M).filter((column) => !lost.includes(column));
      for (const column of present) hash("sha256", codec.piece(column), "buffer");
      codec.reconstruct(present, lost);
      for (const column of lost) hash("sha256", codec.piece(column), "buffer");
    }
  });
  return (stripes * STRIPE) / MEGABYTE / used;
}
