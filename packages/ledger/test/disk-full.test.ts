import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type Bytes, Fault } from "@xinglin/primitives";
import { ClassicLevel } from "classic-level";
import type { Ledger } from "../src/ledger.ts";
import { openLedger } from "../src/solo-ledger.ts";
import { anchor, genesisBytes, signed, VALIDATOR } from "./support/chain.ts";
import { checkChain } from "./support/check-chain.ts";
import { atEnd, folder } from "./support/folder.ts";

const genesis = genesisBytes();
let n = 0;
const submit = (ledger: Ledger): Promise<{ id: Bytes }> =>
  ledger.submit(
    signed({ chain: ledger.chainId, key: "hospital-a", operations: Array.from({ length: 100 }, () => anchor(`full ${n++}`)) }),
  );

/** Submits until the ledger says that the disk is full; what it took before that. */
async function untilFull(ledger: Ledger): Promise<Bytes[]> {
  const taken: Bytes[] = [];
  for (;;) {
    try {
      taken.push((await submit(ledger)).id);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (error.code === "disk_full") return taken;
      // Between the failure and the next try the ledger may be about to open again.
      assert.ok(error.retry, error.code);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** The ledger fails in the middle of a write; `refill` makes room again. Nothing that was taken may be lost, or written by half. */
async function survives(context: TestContext, directory: string, fill: () => void, refill: () => void): Promise<void> {
  // The look at the free space before each block is switched off: the write itself has to fail.
  const ledger = await openLedger({ directory, genesis, validator: VALIDATOR, verifyWorkers: 1, freeBytes: () => 1e12 });
  atEnd(context, () => ledger.close());
  const first = (await submit(ledger)).id;
  await ledger.receipt(first, "committed");
  fill();
  const taken = await untilFull(ledger);
  const waiting = taken.map((id) => ledger.receipt(id, "provable").catch((fault: Fault) => fault));
  refill();
  for (;;) {
    const resumed = await submit(ledger).catch((fault: Fault) => fault);
    if (!(resumed instanceof Fault)) {
      await ledger.receipt(resumed.id, "provable");
      break;
    }
    assert.ok(resumed.retry, resumed.code);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await Promise.all(waiting);
  for (const id of [first, ...taken]) {
    const { results } = await ledger.receipt(id, "provable");
    assert.ok(results.length === 100 && results.every(({ outcome }) => outcome === "accepted"));
  }
  checkChain(ledger, ledger.chainId, VALIDATOR.publicKey);
}

test("a write that fails for want of space leaves the last block; with space again the same ledger goes on", async (context) => {
  const original = ClassicLevel.prototype.batch;
  atEnd(context, () => {
    ClassicLevel.prototype.batch = original;
  });
  const full = async (): Promise<never> => {
    throw Object.assign(new Error("IO error: 000003.log: No space left on device"), { code: "LEVEL_IO_ERROR" });
  };
  await survives(
    context,
    await folder(context),
    () => {
      ClassicLevel.prototype.batch = full as never;
    },
    () => {
      ClassicLevel.prototype.batch = original;
    },
  );
});

test("the same on a real file system of 24 MB that is full", async (context) => {
  const mountPoint = await folder(context);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", mountPoint]);
  if (mounted.status !== 0) {
    context.skip("mount: not permitted here, so no really full disk; the simulated failure ran");
    return;
  }
  atEnd(context, () => {
    spawnSync("umount", ["-l", mountPoint]);
  });
  const ballast = join(mountPoint, "ballast");
  const fill = (): void => {
    const file = openSync(ballast, "w");
    try {
      for (const block = new Uint8Array(65_536); ; ) writeSync(file, block);
    } catch {
      closeSync(file); // full
    }
  };
  await survives(context, join(mountPoint, "data"), fill, () => rmSync(ballast));
});
