/** What a node finds wrong when it starts: each with its code, before anything is made or changed. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { join } from "node:path";
import { freePort } from "@xinglin/engines/testing";
import { openLedger } from "@xinglin/ledger";
import { anchor, genesisBytes, signed, VALIDATOR } from "@xinglin/ledger/testing/chain";
import { type CometbftLedgerOptions, openCometbftLedger } from "../../src/open.ts";
import { consortiumOf } from "../support/consortium.ts";
import { emptyFolder, engineTest } from "../support/network.ts";

const { genesis, seeds } = consortiumOf(1);
const optionsFor = async (binary: string, directory: string): Promise<CometbftLedgerOptions> => ({
  binary,
  directory,
  genesis,
  validatorSeed: seeds[0]!,
  p2p: { listen: `127.0.0.1:${await freePort()}`, peers: [], loopback: true },
  verifyWorkers: 1,
});
const codeOf = (code: string) => (error: { code?: string }) => error.code === code;

engineTest(
  "keys and settings are for their owner only, and a start changes nothing that CometBFT keeps",
  async (context, binary) => {
    const directory = await emptyFolder(context);
    const options = await optionsFor(binary, directory);
    const ledger = await openCometbftLedger(options);
    await ledger.close();
    const files = ["config/priv_validator_key.json", "config/node_key.json", "config/config.toml", "config/genesis.json"];
    for (const file of files) assert.equal((await stat(join(directory, "engine", file))).mode & 0o077, 0, file);
    assert.equal((await stat(join(directory, "engine"))).mode & 0o077, 0);
    const signed_ = await readFile(join(directory, "engine/data/priv_validator_state.json"), "utf8");
    const nodeKey = await readFile(join(directory, "engine/config/node_key.json"), "utf8");
    await assert.rejects(
      openCometbftLedger({ ...options, p2p: { ...options.p2p, listen: await taken(context) } }),
      codeOf("port_in_use"),
    );
    assert.equal(await readFile(join(directory, "engine/data/priv_validator_state.json"), "utf8"), signed_);
    assert.equal(await readFile(join(directory, "engine/config/node_key.json"), "utf8"), nodeKey);
  },
);

engineTest(
  "two nodes with one validator's key do not run on one machine, wherever their folders are",
  async (context, binary) => {
    const ledger = await openCometbftLedger(await optionsFor(binary, await emptyFolder(context, () => ledger.close())));
    await assert.rejects(
      openCometbftLedger(await optionsFor(binary, await emptyFolder(context))),
      codeOf("validator_key_in_use"),
    );
    await ledger.close();
  },
);

engineTest(
  "another genesis, another kind of ledger and another version are not opened over a folder",
  async (context, binary) => {
    const directory = await emptyFolder(context);
    const options = await optionsFor(binary, directory);
    await (await openCometbftLedger(options)).close();
    const other = consortiumOf(1, { permitSeconds: 17 }).genesis;
    await assert.rejects(openCometbftLedger({ ...options, genesis: other }), codeOf("wrong_chain_folder"));
    await assert.rejects(openLedger({ directory, genesis, validator: VALIDATOR }), codeOf("wrong_driver_folder"));
    await writeFile(join(directory, "engine/xinglin.json"), '{"engine":"v0.39.0"}');
    await assert.rejects(openCometbftLedger(options), codeOf("wrong_engine_folder"));
  },
);

engineTest("a solo folder is not taken for a node's", async (context, binary) => {
  const directory = await emptyFolder(context);
  const solo = await openLedger({ directory, genesis: genesisBytes(), validator: VALIDATOR, verifyWorkers: 1 });
  await solo.submit(signed({ chain: solo.chainId, key: "hospital-a", operations: [anchor("solo")] }));
  await solo.close();
  const options = { ...(await optionsFor(binary, directory)), genesis: genesisBytes() };
  await assert.rejects(openCometbftLedger(options), codeOf("wrong_driver_folder"));
});

engineTest("a key that cannot be read, or is another's, is told by its file", async (context, binary) => {
  const directory = await emptyFolder(context);
  const options = await optionsFor(binary, directory);
  await (await openCometbftLedger(options)).close();
  const file = join(directory, "engine/config/priv_validator_key.json");
  const content = await readFile(file, "utf8");
  await writeFile(file, content.slice(0, 100));
  const unreadable = await openCometbftLedger(options).catch((error: { code?: string; message: string; facts: object }) => error);
  assert.ok("code" in unreadable && unreadable.code === "validator_key_unreadable");
  assert.deepEqual(unreadable.facts, { file });
  await writeFile(file, content);
  await chmod(file, 0o600);
  await assert.rejects(
    openCometbftLedger({ ...options, validatorSeed: new Uint8Array(32).fill(3) }),
    codeOf("not_the_validator"),
  );
});

engineTest("an engine that cannot run is told after three attempts, with where its log is", async (context) => {
  const directory = await emptyFolder(context);
  const failed = await openCometbftLedger(await optionsFor("/bin/false", directory)).catch((error: unknown) => error);
  assert.equal((failed as { code?: string }).code, "engine_failed");
  const { log } = (failed as { facts: { log: string } }).facts;
  assert.equal((await stat(log)).isFile(), true);
});

/** An address that is taken until the test ends. */
async function taken(context: { after(cleanUp: () => unknown): void }): Promise<string> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  context.after(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
