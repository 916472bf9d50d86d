/** What CometBFT's home folder says of a node before CometBFT is started. */
import assert from "node:assert/strict";
import { mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { prepareHome } from "../../src/home/home.ts";
import { consortiumOf } from "../support/consortium.ts";
import { emptyFolder } from "../support/network.ts";

const { genesis, seeds } = consortiumOf(1);

test("a node that has blocks and no note of what it signed is not started: it could sign twice", async (context) => {
  const folder = await emptyFolder(context);
  const config = { moniker: "m", proxyApp: "unix:///a", rpc: "unix:///b", maxTransactionBytes: 1_024 };
  const options = { folder, genesis, validatorSeed: seeds[0]!, config: { ...config, p2p: { listen: "127.0.0.1:1", peers: [] } } };
  const stateFile = join(folder, "data", "priv_validator_state.json");
  await prepareHome(options);
  const fresh = await readFile(stateFile, "utf8");
  // A start that ended before CometBFT made its first block is no danger.
  await rm(stateFile);
  await prepareHome(options);
  assert.equal(await readFile(stateFile, "utf8"), fresh);
  await mkdir(join(folder, "data", "blockstore.db"));
  await prepareHome(options);
  await rm(stateFile);
  await assert.rejects(prepareHome(options), { code: "signing_state_missing", facts: { file: stateFile } });
});
