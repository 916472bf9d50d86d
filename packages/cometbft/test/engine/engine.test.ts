import assert from "node:assert/strict";
import { chmod, copyFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { ENGINE_VERSION, ensureEngine } from "../../src/engine/engine.ts";
import { emptyFolder, engineTest } from "../support/network.ts";

test("without Go, or with an old one only, it says what to install and what was found", async (context) => {
  const folder = await emptyFolder(context);
  const nowhere = { PATH: folder, XINGLIN_GO_FOLDERS: "" };
  const building = () => ensureEngine({ environment: nowhere, cache: join(folder, "cache") });
  await assert.rejects(building, { code: "go_missing", facts: { wanted: "1.25", found: "-" } });
  await writeFile(join(folder, "go"), "#!/bin/sh\necho go version go1.22.3 linux/amd64\n");
  await chmod(join(folder, "go"), 0o755);
  await assert.rejects(building, { code: "go_missing", facts: { wanted: "1.25", found: "1.22.3" } });
});

test("a build that fails tells why and leaves nothing behind", async (context) => {
  const folder = await emptyFolder(context);
  const tools = join(folder, "tools");
  await mkdir(tools);
  const program =
    '#!/bin/sh\n[ "$1" = version ] && echo go version go1.26.0 linux/amd64 && exit 0\necho no module proxy >&2\nexit 1\n';
  await writeFile(join(tools, "go"), program);
  await chmod(join(tools, "go"), 0o755);
  const notices: string[] = [];
  const building = ensureEngine({
    environment: { PATH: `${tools}:/usr/bin:/bin`, XINGLIN_GO_FOLDERS: "" },
    cache: join(folder, "cache"),
    say: ({ event }) => notices.push(event),
  });
  await assert.rejects(building, { code: "engine_build_failed", facts: { reason: "no module proxy" } });
  assert.deepEqual(notices, ["building"]);
  assert.deepEqual(await readdir(join(folder, "cache")), []);
});

test("a program that is not this CometBFT is not used", async (context) => {
  const other = join(await emptyFolder(context), "cometbft");
  await writeFile(other, "\tgithub.com/cometbft/cometbft\tv0.38.17\th1:x");
  const environment = { XINGLIN_COMETBFT: other };
  await assert.rejects(ensureEngine({ environment }), {
    code: "engine_version_wrong",
    facts: { path: other, found: "v0.38.17", wanted: ENGINE_VERSION },
  });
  await assert.rejects(ensureEngine({ environment: { XINGLIN_COMETBFT: `${other}-not-there` } }), {
    code: "engine_version_wrong",
  });
});

engineTest("an installed CometBFT of the right version is used as it is", async (context, binary) => {
  const copy = join(await emptyFolder(context), "my-cometbft");
  await copyFile(binary, copy);
  assert.equal(await ensureEngine({ environment: { XINGLIN_COMETBFT: copy } }), copy);
});
