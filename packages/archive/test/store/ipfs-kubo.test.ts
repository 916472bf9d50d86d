/** The store in a stock Kubo, where one is named: it takes the place of our node, and it is stubborn about damaged blocks. */

import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { freePort } from "@xinglin/engines/testing";
import { equal } from "@xinglin/primitives";
import { describeStore } from "../../src/store/contract.ts";
import type { IpfsDescription } from "../../src/store/description.ts";
import { IpfsStore } from "../../src/store/ipfs.ts";
import { stageOwner } from "../../src/store/owner.ts";
import { flipBit } from "../support/consortium.ts";

const kubo = process.env.XINGLIN_TEST_KUBO;
const skip = kubo === undefined ? "Kubo: XINGLIN_TEST_KUBO names none" : false;
const PIECE = 262_160;

describe("IPFS stores on a stock Kubo", { skip }, () => {
  let folder: string;
  let api: string;
  let daemon: ChildProcess | undefined;
  let count = 0;

  const repo = (): string => join(folder, "repo");
  const environment = (): NodeJS.ProcessEnv => ({ ...process.env, IPFS_PATH: repo(), IPFS_TELEMETRY: "off" });
  const start = async (): Promise<void> => {
    const port = await freePort();
    api = `http://127.0.0.1:${port}`;
    execFileSync(kubo!, ["init", "--profile=test"], { env: environment(), stdio: "ignore" });
    for (const [key, value] of [
      ["Addresses.API", `"/ip4/127.0.0.1/tcp/${port}"`],
      ["Routing.Type", '"none"'],
      ["Bootstrap", "[]"],
    ] as const)
      execFileSync(kubo!, ["config", "--json", key, value], { env: environment(), stdio: "ignore" });
    daemon = spawn(kubo!, ["daemon"], { env: environment(), stdio: ["ignore", "pipe", "ignore"] });
    for await (const text of daemon.stdout!.setEncoding("utf8")) if (String(text).includes("Daemon is ready")) break;
    daemon.stdout!.resume();
  };
  const stop = async (): Promise<void> => {
    if (daemon === undefined || daemon.exitCode !== null) return;
    daemon.kill("SIGKILL");
    await once(daemon, "close");
    daemon = undefined;
  };
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "xinglin-kubo-"));
    await start();
  });
  after(async () => {
    await stop();
    await rm(folder, { recursive: true, force: true });
  });
  const fresh = (): IpfsDescription => ({ kind: "ipfs", id: `one-${count++}`, member: "a", api });

  describeStore("kubo", async () => {
    const description = fresh();
    const store = new IpfsStore(description);
    await store.create();
    return {
      store,
      reopen: () => new IpfsStore({ ...description, api }),
      // What was stored is unpinned, the store's own anchor too: the node is another one.
      vanish: async () => {
        for (const line of execFileSync(kubo!, ["pin", "ls", "--type=recursive", "--quiet"], {
          env: environment(),
          encoding: "utf8",
        }).split("\n"))
          if (line !== "") execFileSync(kubo!, ["pin", "rm", line], { env: environment(), stdio: "ignore" });
      },
      dispose: async () => {},
    };
  });

  test("a damaged, a lost and a cut block are replaced, and the pack stays pinned", async () => {
    const store = new IpfsStore(fresh());
    await store.create();
    const objectId = new Uint8Array(randomBytes(16));
    const pieces = Array.from({ length: 5 }, () => new Uint8Array(randomBytes(PIECE)));
    const stage = await store.stage(objectId, 2, "import", stageOwner);
    for (const [i, piece] of pieces.entries()) await stage.write(i * PIECE, piece);
    await stage.writeDocument("table", pieces[0]!.subarray(0, 100));
    await stage.settle();
    await stage.publish();
    const fileOf = async (bytes: Uint8Array): Promise<string> => {
      const blocks = join(repo(), "blocks");
      for (const name of await readdir(blocks, { recursive: true }))
        if (name.endsWith(".data") && equal(await readFile(join(blocks, name)), bytes)) return join(blocks, name);
      throw new Error("no such block");
    };
    await flipBit(await fileOf(pieces[0]!), 9);
    await rm(await fileOf(pieces[1]!));
    await writeFile(await fileOf(pieces[2]!), "short");
    const pack = (await store.open(objectId))!;
    const into = new Uint8Array(PIECE);
    assert.ok(!(await pack.read(0, into)) || !equal(into, pieces[0]!));
    for (const i of [0, 1, 2]) await pack.rewrite(i * PIECE, pieces[i]!);
    await pack.settle(5 * PIECE);
    execFileSync(kubo!, ["repo", "gc"], { env: environment(), stdio: "ignore" });
    const again = (await new IpfsStore(store.description).open(objectId))!;
    for (const [i, piece] of pieces.entries()) {
      assert.equal(await again.read(i * PIECE, into), true, `piece ${i}`);
      assert.ok(equal(into, piece), `piece ${i}`);
    }
    await store.remove(objectId);
    await store.room();
    await assert.rejects(fileOf(pieces[4]!), /no such block/);
  });
});
