/** Pieces of a far pack in runs: few requests, and each piece's state as if it had been asked for alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoredPack } from "../../src/store/store.ts";
import { statesInRuns } from "../../src/work/piece-runs.ts";
import type { PieceState } from "../../src/work/stripe-reader.ts";

const PIECE = 262_160;
/** A pack of so many pieces, each filled with its number; the reads that it was asked for are noted, by first piece and count. */
function packOf(pieces: number, isBroken: (piece: number) => boolean = () => false) {
  const reads: string[] = [];
  const read = async (position: number, into: Uint8Array): Promise<boolean> => {
    const [first, count] = [position / PIECE, into.length / PIECE];
    reads.push(`${first}+${count}`);
    for (let i = 0; i < count; i++) {
      if (isBroken(first + i)) throw new Error("cut off");
      if (first + i >= pieces) return false;
      into.subarray(i * PIECE, (i + 1) * PIECE).fill(first + i);
    }
    return true;
  };
  return { reads, pack: { read } as unknown as StoredPack };
}
async function statesOf(pack: StoredPack, stripes: readonly number[], wrong: readonly number[] = []): Promise<PieceState[]> {
  const isRight = (stripe: number, piece: Uint8Array): boolean =>
    !wrong.includes(stripe) && piece.every((byte) => byte === stripe);
  const states: PieceState[] = [];
  for await (const state of statesInRuns(pack, stripes, PIECE, isRight)) states.push(state);
  return states;
}
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

test("pieces that follow one another come together, in order", async () => {
  const { pack, reads } = packOf(40);
  assert.deepEqual(await statesOf(pack, upTo(40)), Array(40).fill("held"));
  assert.deepEqual(reads, ["0+15", "15+15", "30+10"]);
  reads.length = 0;
  assert.deepEqual(await statesOf(pack, [3, 4, 9, 39]), Array(4).fill("held"));
  assert.deepEqual(reads, ["3+2", "9+1", "39+1"]);
});

test("what is wrong, cut off or missing in a run is told of these pieces alone", async () => {
  const { pack } = packOf(20, (piece) => piece === 17);
  const states = await statesOf(pack, upTo(24), [2]);
  const odd = Object.fromEntries(states.flatMap((state, i) => (state === "held" ? [] : [[i, state]])));
  assert.deepEqual(odd, { 2: "corrupt", 17: "missing", 20: "missing", 21: "missing", 22: "missing", 23: "missing" });
});
