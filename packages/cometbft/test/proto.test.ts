/** The committed protobuf code is what the pinned CometBFT's own descriptors give. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { GENERATED, generate, whatIsMissing } from "../proto/generate.ts";

const missing = whatIsMissing();
const skip = missing === undefined ? false : `NOT CHECKED: ${missing}`;

test("generating the protobuf code again gives the committed files", { skip }, () => {
  const made = generate();
  const committed = globSync("**/*_pb.*", { cwd: GENERATED }).map((path) => path.replaceAll("\\", "/"));
  assert.deepEqual(committed.sort(), [...made.keys()].sort(), "run packages/cometbft/proto/generate.ts");
  for (const [name, content] of made)
    assert.equal(readFileSync(join(GENERATED, name), "utf8"), content, `${name}: run packages/cometbft/proto/generate.ts`);
});
