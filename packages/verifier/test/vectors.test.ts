import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fromHex } from "@xinglin/primitives";
import { verifyEvidence } from "../src/evidence.ts";
import { genesisTrust } from "../src/genesis.ts";
import { evidenceVector, proofVectors } from "./support/vectors.ts";

const pinned = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../spec/crypto/${name}`, import.meta.url), "utf8"));

test("encodings and hashes are those that are pinned for other implementations", async () => {
  assert.deepEqual(await proofVectors(), pinned("proofs.json"));
  assert.deepEqual(await evidenceVector(), pinned("evidence.json"));
});

test("the pinned evidence file proves what it says, from the genesis and from the checkpoint", async () => {
  const { genesis, file, fileFromCheckpoint, checkpoint, proves } = pinned("evidence.json") as Awaited<
    ReturnType<typeof evidenceVector>
  >;
  const byGenesis = await verifyEvidence(fromHex(file), { genesis: genesisTrust(fromHex(genesis)) });
  assert.deepEqual(byGenesis.ok && byGenesis.proves.map(({ code }) => code), proves);
  const start = { height: checkpoint.height, hash: fromHex(checkpoint.hash) };
  const byCheckpoint = await verifyEvidence(fromHex(fileFromCheckpoint), { checkpoint: start });
  assert.deepEqual(byCheckpoint.ok && byCheckpoint.proves.map(({ code }) => code), proves);
});
