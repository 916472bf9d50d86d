/** The erasure code alone, on one thread, against klauspost's in Go with instructions of the same width: 128 bits, SSSE3. */
import { spawn } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ReedSolomon } from "@xinglin/archive";
import { buildProgram, findGo, lock } from "@xinglin/engines";
import { type Emit, K, M, PIECE, STRIPE } from "./archive-study.ts";
import { best, interleave, median } from "./measure.ts";
import { CACHE_FOLDER, sentenceOf } from "./peers/peer.ts";

const MODULE = fileURLToPath(new URL("../../engine/oracles", import.meta.url));
const PROGRAM = "reedsolomon-speed";
const ENCODINGS = 60;

/** Emits `code`. Without Go there is no limit to hold it against, and the line says so. */
export async function measureCode(quick: boolean, emit: Emit): Promise<void> {
  const codec = new ReedSolomon(K, M, PIECE);
  for (let column = 0; column < K; column++) codec.piece(column).set(randomBytes(PIECE));
  const present = Array.from({ length: K }, (_, i) => i + M);
  const lost = Array.from({ length: M }, (_, i) => i);
  const speed = (work: () => void) => (): number => {
    const start = performance.now();
    for (let i = 0; i < ENCODINGS; i++) work();
    return (ENCODINGS * STRIPE) / 1000 / (performance.now() - start);
  };
  const ours = { encode: speed(() => codec.encode()), reconstruct: speed(() => codec.reconstruct(present, lost)) };
  const other = await startOther(quick);
  const rounds = quick ? 7 : 15;
  const samples =
    "missing" in other
      ? { ...(await interleave(rounds, ours, 1)), limit: undefined }
      : await interleave(rounds, { ...ours, limit: other.encode }, 1).finally(other.stop);
  const value = median(samples.encode);
  const limit = samples.limit === undefined ? undefined : best(samples.limit);
  emit({
    measure: "code",
    value,
    unit: "MB/s",
    ...(limit === undefined
      ? {}
      : { limit: { name: "klauspost/reedsolomon 1.14.2, SSSE3, one thread", value: limit }, ratio: value / limit }),
    conditions: {
      code: `${K}+${M}`,
      work: "parity of data, one thread",
      reconstruct: `${Math.round(median(samples.reconstruct))}MB/s`,
      best: `${Math.round(best(samples.encode))}MB/s`,
      demand: "≥ 3,000, ratio ≥ 0.7",
      ...("missing" in other ? { "no limit": other.missing } : {}),
    },
    samples: samples.encode,
  });
}

interface Other {
  encode(): Promise<number>;
  stop(): void;
}

/** The program in Go; a quick run takes it only if it is built. */
async function startOther(quick: boolean): Promise<Other | { readonly missing: string }> {
  const source = await readFile(join(MODULE, PROGRAM, "main.go"));
  const pins = await readFile(join(MODULE, "go.sum"));
  const content = createHash("sha256").update(source).update(pins).digest("hex").slice(0, 12);
  const target = join(CACHE_FOLDER, `${PROGRAM}-${content}`);
  if (!existsSync(target)) {
    if (quick) return { missing: `${PROGRAM} is not built: leave --quick out once` };
    try {
      await build(target);
    } catch (cause) {
      return { missing: sentenceOf(cause) };
    }
  }
  const child = spawn(target, [`${K}`, `${M}`, `${PIECE}`, `${ENCODINGS}`], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    encode: async () => {
      child.stdin.write("\n");
      const { value } = await lines.next();
      return Number(value);
    },
    stop: () => void child.stdin.end(),
  };
}

async function build(target: string): Promise<void> {
  const go = await findGo([1, 25]);
  const held = await lock("engine-build");
  try {
    await buildProgram({ go, folder: MODULE, program: `./${PROGRAM}`, target });
  } finally {
    await held.release();
  }
}
