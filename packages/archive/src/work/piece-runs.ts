/**
 * Looking at the pieces of one far pack: those that follow one another are asked for together, and the next run is on its way while one is hashed. A
 * request a piece made an audit as slow as the line is long.
 * Source: docs/internals/archive.md, "Audit and repair".
 */
import type { StoredPack } from "../store/store.ts";
import type { PieceState } from "./stripe-reader.ts";

/** What a store of another member gives at once. Two runs are in memory. */
const RUN_BYTES = 4 * 1024 * 1024;

interface Run {
  readonly stripes: readonly number[];
  readonly bytes: Uint8Array;
  readonly isWhole: Promise<boolean>;
}

/** The state of each piece of `stripes`, which rise, in order. `isRight` holds a piece against its leaf. */
export async function* statesInRuns(
  pack: StoredPack,
  stripes: readonly number[],
  pieceBytes: number,
  isRight: (stripe: number, piece: Uint8Array) => boolean,
): AsyncGenerator<PieceState> {
  const most = Math.max(1, Math.floor(RUN_BYTES / pieceBytes));
  const runs = runsOf(stripes, most);
  const buffers = [0, 1].map(() => new Uint8Array(Math.min(most, stripes.length) * pieceBytes));
  const begin = (at: number): Run | undefined => {
    const run = runs[at];
    if (run === undefined) return undefined;
    const bytes = (buffers[at % 2] as Uint8Array).subarray(0, run.length * pieceBytes);
    return { stripes: run, bytes, isWhole: pack.read((run[0] as number) * pieceBytes, bytes).catch(() => false) };
  };
  let next = begin(0);
  for (let at = 1; next !== undefined; at++) {
    const run = next;
    const isWhole = await run.isWhole;
    next = begin(at);
    for (const [i, stripe] of run.stripes.entries()) {
      const piece = run.bytes.subarray(i * pieceBytes, (i + 1) * pieceBytes);
      // Of a run that is not whole some pieces may be there.
      const isThere = isWhole || (run.stripes.length > 1 && (await pack.read(stripe * pieceBytes, piece).catch(() => false)));
      yield isThere ? (isRight(stripe, piece) ? "held" : "corrupt") : "missing";
    }
  }
}

/** Stripes that follow one another without a gap, at most so many together. */
function runsOf(stripes: readonly number[], most: number): readonly (readonly number[])[] {
  const runs: number[][] = [];
  for (const stripe of stripes) {
    const run = runs.at(-1);
    if (run !== undefined && run.length < most && run.at(-1) === stripe - 1) run.push(stripe);
    else runs.push([stripe]);
  }
  return runs;
}
