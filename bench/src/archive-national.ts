/** The national profile beside the standard one: the same import under SM4 and SM3, the loop that it cannot avoid, and what it costs more. */
import { createCipheriv, createHash, createHmac, createSecretKey, hash, randomBytes } from "node:crypto";
import { DEFAULT_CODE, ingest, ReedSolomon, type SourceFile, type Store } from "@xinglin/archive";
import { best, interleave, type Measure, median, timed } from "./measure.ts";

const { k, m } = DEFAULT_CODE;
const CHUNK = 262_144;
const PIECE = CHUNK + 16;
const STRIPE = k * CHUNK;
const MEGABYTE = 1e6;
/** Files of the study that are enough: 100 MB, some three seconds. */
const FILES = 190;

/** Emits `ingest-national`; leaves nothing on the stores. */
export async function measureNational(
  study: { readonly files: readonly SourceFile[] },
  stores: readonly Store[],
  rounds: number,
  emit: (measure: Measure) => void,
): Promise<void> {
  const files = study.files.slice(0, FILES);
  let sizeBytes = 0;
  const rateOf = async (profile: "standard" | "national"): Promise<number> => {
    const { result, cpuSeconds } = await timed(() => ingest(files, { stores, profile }));
    for (const store of stores) await store.remove(result.objectId);
    sizeBytes = result.sizeBytes;
    return sizeBytes / MEGABYTE / cpuSeconds;
  };
  const samples = await interleave(
    rounds,
    {
      ours: () => rateOf("national"),
      standard: () => rateOf("standard"),
      limit: () => sizeBytes / MEGABYTE / sealingLoop(sizeBytes),
    },
    1,
  );
  const value = median(samples.ours);
  const limit = best(samples.limit);
  const standard = median(samples.standard);
  emit({
    measure: "ingest-national",
    value,
    unit: "MB/cpu-s",
    limit: { name: "SM4-CTR + HMAC-SM3 + SM3 of files and pieces + code, no I/O", value: limit },
    ratio: value / limit,
    conditions: {
      size: `${Math.round(sizeBytes / MEGABYTE)}MB`,
      files: files.length,
      code: `${k}+${m}`,
      "standard profile, same files": `${Math.round(standard)}MB/cpu-s`,
      price: `${Math.round((10 * standard) / value) / 10} times the CPU time`,
    },
    samples: samples.ours,
  });
}

/** Seals, hashes and codes `sizeBytes` of memory; CPU seconds. */
function sealingLoop(sizeBytes: number): number {
  const codec = new ReedSolomon(k, m, PIECE);
  const source = randomBytes(STRIPE);
  const [key, macKey] = [createSecretKey(randomBytes(16)), createSecretKey(randomBytes(32))];
  const counter = Buffer.alloc(16);
  const head = Buffer.alloc(44);
  const file = createHash("sm3");
  const stripes = Math.ceil(sizeBytes / STRIPE);
  const start = process.cpuUsage();
  for (let stripe = 0; stripe < stripes; stripe++) {
    for (let column = 0; column < k; column++) {
      const chunk = source.subarray(column * CHUNK, (column + 1) * CHUNK);
      file.update(chunk);
      counter.writeUInt32BE(stripe * k + column, 8);
      const piece = codec.piece(column);
      const sealed = createCipheriv("sm4-ctr", key, counter).update(chunk);
      piece.set(sealed);
      (sealed.buffer as ArrayBuffer).transfer(0);
      const mac = createHmac("sm3", macKey).update(head).update(piece.subarray(0, CHUNK)).digest();
      piece.set(mac.subarray(0, PIECE - CHUNK), CHUNK);
      hash("sm3", piece, "buffer");
    }
    codec.encode();
    for (let column = k; column < k + m; column++) hash("sm3", codec.piece(column), "buffer");
  }
  const { user, system } = process.cpuUsage(start);
  return ((user + system) / 1e6) * (sizeBytes / (stripes * STRIPE));
}
