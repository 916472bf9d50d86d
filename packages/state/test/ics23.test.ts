/** The ICS-23 reference in Go judges the state's proofs. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Proof } from "../src/index.ts";
import { block, del, folder, fresh, hex, put } from "./fixture.ts";

const PROOFS_OF_EACH_KIND = 1_000;
const oracles = fileURLToPath(new URL("../../../engine/oracles", import.meta.url));

function missingEngine(): string | false {
  if (spawnSync("go", ["version"]).error !== undefined)
    return "go: not installed, so the ICS-23 reference could not judge the proofs";
  const download = spawnSync("go", ["mod", "download", "github.com/cosmos/ics23/go"], { cwd: oracles });
  return download.status === 0 ? false : "go: the module github.com/cosmos/ics23/go can't be downloaded";
}

test("the ICS-23 reference accepts the proofs under its own SmtSpec and refuses them for anything else", {
  skip: missingEngine(),
}, async (t) => {
  const { state } = await fresh(t, { windowBytes: 400_000, cacheBytes: 200_000 });
  const present: Proof[] = [];
  const absent: Proof[] = [];
  // From one key up, so that edges of the tree, empty siblings and single leaves occur; then many, in old and new versions.
  for (let height = 1; present.length < PROOFS_OF_EACH_KIND || absent.length < PROOFS_OF_EACH_KIND; height++) {
    const size = Math.min(2 ** height, 2_000);
    const changes = Array.from({ length: size }, (_, i) => (i % 9 === 8 ? del(`k/${i - 5}`) : put(`k/${i}`, `${height} ${i}`)));
    await block(state, height, changes);
    for (let i = 0; i < 100; i++) {
      const proofs = [state.prove(`k/${(i * 7) % size}`), state.prove(`none/${i}`, Math.max(1, height - 1))];
      for (const proof of proofs) (proof.value === undefined ? absent : present).push(proof);
    }
  }
  const path = join(await folder(t), "proofs.json");
  const proofs = [...present, ...absent].map(({ root, key, value, proof }) => ({
    root: hex(root),
    key: hex(Buffer.from(key)),
    value: hex(value ?? new Uint8Array(0)),
    proof: hex(proof),
  }));
  await writeFile(path, JSON.stringify({ proofs }));
  const go = spawnSync("go", ["test", "-count=1", "-v", "./ics23/"], {
    cwd: oracles,
    env: { ...process.env, XINGLIN_PROOFS: path },
    encoding: "utf8",
  });
  assert.equal(go.status, 0, go.stdout + go.stderr);
  assert.match(go.stdout, new RegExp(`accepted ${present.length} proofs of presence and ${absent.length} of absence`));
});
