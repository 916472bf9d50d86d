/** Four validators of which one's disk is full, or holds or computes something else: it says so, the others go on, and it comes back. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { keys } from "@xinglin/contracts";
import { Application, type Ledger } from "@xinglin/ledger";
import { type ActorId, type Bytes, Fault, utf8 } from "@xinglin/primitives";
import { DATABASE_OPTIONS } from "@xinglin/state";
import { ClassicLevel } from "classic-level";
import type { NodeNotice } from "../../src/driver/node-options.ts";
import type { LocalNetwork, LocalNode } from "../../src/testing/local-network.ts";
import { emptyFolder, engineTest, network, submit, TEST_TIMES, untilHeight } from "../support/network.ts";
import { checkOneChain } from "../support/one-chain.ts";

const accepted = async (ledger: Ledger, id: Bytes): Promise<number> => {
  const { height, results } = await ledger.receipt(id, "provable");
  assert.equal(results[0]?.outcome, "accepted");
  return height;
};
const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "-",
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );
/** All nodes have what node 0 has, and it is one chain. */
async function untilOne({ nodes }: LocalNetwork): Promise<void> {
  const ledgers: Ledger[] = nodes.map(({ ledger }) => ledger);
  const height = await accepted(ledgers[0]!, await submit(ledgers[0]!));
  await Promise.all(ledgers.map((ledger) => untilHeight(ledger, height + 1)));
  checkOneChain(ledgers);
}

/** Resolves when submitting is turned away with this code; what came before it may come again later. */
async function untilTurnedAway(ledger: Ledger, code: string, between: () => Promise<unknown>): Promise<void> {
  while ((await codeOf(submit(ledger))) !== code) await between();
}

const FULL = 2;
const TMPFS = 3;
const FLIPPED = 1;

engineTest("four validators: a full disk, a flipped bit", async (context, binary) => {
  let free = 1e12;
  const notices: [number, NodeNotice][] = [];
  const heard = new EventEmitter<{ damaged: [] }>();
  const damages = (): { index: number; code: string }[] =>
    notices.flatMap(([index, notice]) => (notice.event === "damaged" ? [{ index, code: notice.code }] : []));
  const untilDamage = async (from: number): Promise<{ index: number; code: string }> => {
    while (damages().length <= from) await once(heard, "damaged");
    return damages()[from]!;
  };
  let net: LocalNetwork | undefined;
  const directory = await emptyFolder(context, async () => {
    await net?.stop();
    if (small !== undefined) spawnSync("umount", ["-l", join(directory, `node-${TMPFS}`)]);
  });
  const small = await smallDisk(join(directory, `node-${TMPFS}`));
  const started = await network(
    context,
    binary,
    4,
    {},
    {
      directory,
      optionsOf: (index) => ({
        times: TEST_TIMES,
        verifyWorkers: 1,
        onNotice: (notice) => {
          notices.push([index, notice]);
          if (notice.event === "damaged") heard.emit("damaged");
        },
        ...(index === FULL ? { freeBytes: () => free } : {}),
      }),
    },
  );
  net = started;
  const { ledger: first } = started.nodes[0]!;
  const goOn = async (): Promise<number> => accepted(first, await submit(first));

  await context.test("a node without room for a block says so and stands still; with room it goes on by itself", async () => {
    const { ledger } = started.nodes[FULL]!;
    free = 1e6;
    await untilTurnedAway(ledger, "disk_full", goOn);
    const stands = ledger.height();
    const height = await goOn();
    assert.ok(height > stands && ledger.height() === stands);
    assert.equal(await codeOf(submit(ledger)), "disk_full");
    // It still answers what it knows.
    assert.ok(ledger.prove(keys.parameters).value !== undefined);
    free = 1e12;
    await untilHeight(ledger, height);
    await untilOne(started);
  });

  await context.test("the same on a real disk that is full to the last byte, for the ledger and for CometBFT", async (inner) => {
    if (small === undefined) {
      inner.skip("mount: not permitted here, so no really full disk; the simulated one ran");
      return;
    }
    const { ledger } = started.nodes[TMPFS]!;
    const at = ledger.height();
    small.fill();
    await untilTurnedAway(ledger, "disk_full", goOn);
    const height = await goOn();
    assert.ok(at < height && ledger.height() < height);
    small.empty();
    await untilAnswers(started.nodes[TMPFS]!, height);
    await untilOne(started);
  });

  await context.test(
    "a flipped bit on the disk: the node finds it and stops; with its folders gone it takes all from the others",
    async () => {
      const node = started.nodes[FLIPPED]!;
      await node.stop();
      await flip(join(node.directory, "ledger.db"), keys.actor("hospital-a" as ActorId));
      // It may find it at once, or when the first transaction asks who its signer is.
      const opened = await node.start().catch((error: unknown) => error);
      if (opened instanceof Error) assert.equal((opened as Fault).code, "state_corrupt");
      else await untilTurnedAway(opened as Ledger, "state_corrupt", goOn);
      await goOn();
      assert.deepEqual(await untilDamage(0), { index: FLIPPED, code: "state_corrupt" });
      await goOn();
      await node.stop();
      await startEmpty(node);
      await untilOne(started);
    },
  );

  await context.test(
    "a flipped bit in memory: a node whose state is another than the others' stops, and never takes part",
    async () => {
      const original = Application.prototype.finalizeBlock;
      let wrong: Application | undefined;
      Application.prototype.finalizeBlock = async function (this: Application, input) {
        const finalized = await original.call(this, input);
        wrong ??= this;
        if (wrong !== this) return finalized;
        const appHash = finalized.appHash.slice();
        appHash[0]! ^= 1;
        return { ...finalized, appHash };
      };
      const found = untilDamage(1);
      try {
        // A block changes the state, the next one shows what the nodes made of it.
        do await codeOf(submit(first));
        while (!(await Promise.race([found.then(() => true), pause(200)])));
      } finally {
        Application.prototype.finalizeBlock = original;
      }
      const { index, code } = await found;
      assert.equal(code, "state_diverged");
      const node = started.nodes[index]!;
      assert.equal(await codeOf(submit(node.ledger)), "state_diverged");
      const others = started.nodes.filter((one) => one !== node).map(({ ledger }): Ledger => ledger);
      const height = await accepted(others[0]!, await submit(others[0]!));
      await Promise.all(others.map((ledger) => untilHeight(ledger, height)));
      checkOneChain(others);
      // What CometBFT noted of the wrong state is found at the next start, too.
      await node.stop();
      assert.equal(await codeOf(node.start()), "state_diverged");
      await startEmpty(node);
      await untilOne(started);
    },
  );
});

/** Flips one bit of the value that the state holds under `key`. */
async function flip(path: string, key: string): Promise<void> {
  const database = new ClassicLevel<Uint8Array, Uint8Array>(path, DATABASE_OPTIONS);
  await database.open();
  try {
    const wanted = utf8(key);
    for await (const [row, value] of database.iterator()) {
      // A value row of the state: length of the raw key, raw key, value.
      if (
        row[0] !== "s".charCodeAt(0) ||
        value[0] !== wanted.length ||
        !Buffer.from(value)
          .subarray(1, 1 + wanted.length)
          .equals(wanted)
      )
        continue;
      const flipped = value.slice();
      flipped[flipped.length - 1]! ^= 1;
      await database.put(row, flipped, { sync: true });
      return;
    }
    assert.fail(`no value of ${key}`);
  } finally {
    await database.close();
  }
}

/** Starts a node as its operator would after a damage: without what it had, but for its keys and what it signed last. */
async function startEmpty(node: LocalNode): Promise<void> {
  const data = join(node.directory, "engine", "data");
  await rm(join(node.directory, "ledger.db"), { recursive: true });
  for (const name of await readdir(data))
    if (name !== "priv_validator_state.json") await rm(join(data, name), { recursive: true });
  await node.start();
}

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Resolves when the node is at this height, through times at which it opens its folder anew. */
async function untilAnswers(node: LocalNode, height: number): Promise<void> {
  for (;;) {
    const at = await codeOf((async () => assert.ok(node.ledger.height() >= height, "behind"))());
    if (at === "-") return;
    await pause(100);
  }
}

/** A file system of its own at `path` that can be filled to the last byte; undefined where that is not permitted. */
async function smallDisk(path: string): Promise<{ fill(): void; empty(): void } | undefined> {
  await mkdir(path, { recursive: true });
  if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=128m", "tmpfs", path]).status !== 0) return undefined;
  const ballast = join(path, "ballast");
  return {
    fill: () => {
      const file = openSync(ballast, "w");
      try {
        for (const block = new Uint8Array(4_096); ; ) writeSync(file, block);
      } catch {
        closeSync(file); // full
      }
    },
    empty: () => rmSync(ballast),
  };
}
