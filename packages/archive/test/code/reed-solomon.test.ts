/** The erasure code: every pattern of losses, the kernel against a slow one, and against klauspost's in Go. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { inverse, multiply } from "../../src/code/field.ts";
import { ReedSolomon } from "../../src/code/reed-solomon.ts";
import { erasures } from "../support/erasures.ts";
import { slowInverse, slowParity, slowProduct } from "../support/scalar-code.ts";

const columnsOf = (codec: ReedSolomon): number[] => Array.from({ length: codec.k + codec.m }, (_, column) => column);

function fillData(codec: ReedSolomon): Uint8Array[] {
  for (let column = 0; column < codec.k; column++) codec.piece(column).set(randomBytes(codec.pieceBytes));
  codec.encode();
  return columnsOf(codec).map((column) => codec.piece(column).slice());
}

test("the field agrees with schoolbook multiplication", () => {
  for (let a = 0; a < 256; a++) {
    for (let b = 0; b < 256; b++) assert.equal(multiply(a, b), slowProduct(a, b));
    if (a > 0) assert.equal(inverse(a), slowInverse(a));
  }
  assert.throws(() => inverse(0), RangeError);
});

for (const { k, m, patterns } of [
  { k: 10, m: 4, patterns: 1470 },
  { k: 6, m: 3, patterns: 129 },
  { k: 4, m: 2, patterns: 21 },
]) {
  test(`${k}+${m}: all ${patterns} patterns of up to ${m} losses are restored`, () => {
    const codec = new ReedSolomon(k, m, 48);
    const whole = fillData(codec);
    let restored = 0;
    for (const lost of erasures(k + m, 1, m)) {
      for (const column of columnsOf(codec)) codec.piece(column).set(whole[column]!);
      for (const column of lost) codec.piece(column).fill(0xee);
      const present = columnsOf(codec).filter((column) => !lost.includes(column));
      codec.reconstruct(present.slice(0, k), lost);
      for (const column of lost) assert.deepEqual(codec.piece(column), whole[column], `lost ${lost}, column ${column}`);
      restored++;
    }
    assert.equal(restored, patterns);
  });
}

test("any k columns restore the rest, in any order, and a wrong one spoils them", () => {
  const codec = new ReedSolomon(10, 4, 32);
  const whole = fillData(codec);
  let right = 0;
  let spoiled = 0;
  fc.assert(
    fc.property(fc.shuffledSubarray(columnsOf(codec), { minLength: 10, maxLength: 10 }), fc.boolean(), (present, spoil) => {
      for (const column of columnsOf(codec)) codec.piece(column).set(whole[column]!);
      const lost = columnsOf(codec).filter((column) => !present.includes(column));
      for (const column of lost) codec.piece(column).fill(1);
      if (spoil) codec.piece(present[0]!)[7]! ^= 4;
      codec.reconstruct(present, lost);
      const same = lost.every((column) => Buffer.compare(codec.piece(column), whole[column]!) === 0);
      if (same) right++;
      else spoiled++;
      return same !== spoil;
    }),
    { numRuns: 300 },
  );
  assert.ok(right > 50 && spoiled > 50, `generator too narrow: ${right} right, ${spoiled} spoiled`);
});

test("the kernel computes what the slow code does, whatever k, m and length", () => {
  const shape = fc.record({
    k: fc.integer({ min: 1, max: 20 }),
    m: fc.integer({ min: 1, max: 9 }),
    length: fc.integer({ min: 1, max: 100 }),
  });
  fc.assert(
    fc.property(shape, ({ k, m, length }) => {
      const codec = new ReedSolomon(k, m, length);
      const whole = fillData(codec);
      assert.deepEqual(
        whole.slice(k).map((piece) => [...piece]),
        slowParity(whole.slice(0, k), m).map((piece) => [...piece]),
      );
    }),
    { numRuns: 60 },
  );
});

const oracles = fileURLToPath(new URL("../../../../engine/oracles", import.meta.url));
function whatIsMissing(): string | false {
  if (spawnSync("go", ["version"]).status !== 0) return "go: not installed, so parity is not compared with klauspost/reedsolomon";
  if (spawnSync("go", ["mod", "download"], { cwd: oracles }).status === 0) return false;
  return "go: the modules of engine/oracles can't be downloaded";
}

test("parity is byte-identical to klauspost/reedsolomon WithCauchyMatrix", { skip: whatIsMissing() }, () => {
  for (const [k, m] of [
    [10, 4],
    [6, 3],
    [4, 2],
    [12, 8],
  ] as const) {
    const codec = new ReedSolomon(k, m, 1040);
    const stripes = Array.from({ length: 3 }, () => fillData(codec));
    const input = Buffer.concat(stripes.flatMap((whole) => whole.slice(0, k)));
    const theirs = execFileSync("go", ["run", "./reedsolomon", `${k}`, `${m}`, "1040"], { cwd: oracles, input });
    assert.equal(Buffer.compare(theirs, Buffer.concat(stripes.flatMap((whole) => whole.slice(k)))), 0, `${k}+${m}`);
  }
});
