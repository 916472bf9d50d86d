import assert from "node:assert/strict";
import { test } from "node:test";
import { randomBytes } from "../src/seal.ts";
import { checkShare, combineShares, type ShareOpening, splitKey } from "../src/shares.ts";

const key = Uint8Array.from({ length: 32 }, (_, i) => i);
const { root, openings } = await splitKey(key, 4, 6);
const some = (...indexes: number[]): ShareOpening[] => indexes.map((i) => openings[i] as ShareOpening);
const flipped = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 9 ? byte ^ 1 : byte));

test("any four of six restore the key, three do not", async () => {
  for (let mask = 0; mask < 64; mask++) {
    const chosen = some(...[0, 1, 2, 3, 4, 5].filter((i) => mask & (1 << i)));
    if (chosen.length >= 4) assert.deepEqual(await combineShares(chosen, 4, root, 6), key);
    else
      await assert.rejects(combineShares(chosen, 4, root, 6), {
        code: "shares_too_few",
        facts: { have: chosen.length, need: 4 },
      });
  }
  await assert.rejects(combineShares(some(0, 0, 0, 0), 4, root, 6), { code: "shares_too_few" });
});

test("a wrong share is named, whatever about it is wrong", async () => {
  const [first, ...rest] = some(2, 0, 1, 4);
  assert.ok(first !== undefined && checkShare(first, root, 6));
  const other = await splitKey(key, 4, 6);
  const wrong: Record<string, ShareOpening> = {
    "another share": { ...first, share: flipped(first.share) },
    "another salt": { ...first, salt: flipped(first.salt) },
    "another path": { ...first, path: first.path.map(flipped) },
    "a path too short": { ...first, path: first.path.slice(1) },
    "another index": { ...first, index: 3 },
    "an index outside": { ...first, index: 6 },
    "a share too short": { ...first, share: first.share.subarray(1) },
    "a salt too short": { ...first, salt: first.salt.subarray(1) },
    "a share of another split": { ...(other.openings[2] as ShareOpening) },
  };
  for (const [name, opening] of Object.entries(wrong)) {
    assert.ok(!checkShare(opening, root, 6), name);
    await assert.rejects(
      combineShares([...rest, opening], 4, root, 6),
      { code: "share_wrong", facts: { index: opening.index } },
      name,
    );
  }
  assert.ok(!checkShare(first, root, 3) && !checkShare(first, root, 300) && !checkShare(first, other.root, 6));
});

test("splitting again says nothing new: shares, salts and root are fresh", async () => {
  const again = await splitKey(key, 4, 6);
  assert.notDeepEqual(again.root, root);
  again.openings.forEach((opening, i) => {
    assert.notDeepEqual(opening.share, openings[i]?.share);
    assert.notDeepEqual(opening.salt, openings[i]?.salt);
  });
  assert.deepEqual(await combineShares(again.openings.slice(2), 4, again.root, 6), key);
});

test("sizes that make no sense are bugs of the caller", async () => {
  for (const [k, n] of [
    [1, 6],
    [7, 6],
    [2, 256],
    [2.5, 6],
  ] as const)
    await assert.rejects(splitKey(key, k, n), { name: "Bug" });
  await assert.rejects(splitKey(randomBytes(31), 4, 6), { name: "Bug" });
  for (const [k, n] of [
    [2, 2],
    [2, 255],
    [255, 255],
  ] as const) {
    const split = await splitKey(key, k, n);
    assert.deepEqual(await combineShares(split.openings.slice(n - k), k, split.root, n), key);
  }
});
