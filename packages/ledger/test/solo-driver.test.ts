import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { chainIdOf } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, Fault, toHex } from "@xinglin/primitives";
import { nextBlockTime } from "../src/block-time.ts";
import { type Database, openDatabase, writeBatch } from "../src/database.ts";
import type { Ledger } from "../src/ledger.ts";
import { makeBlock, type Tip } from "../src/solo-block.ts";
import { openLedger } from "../src/solo-ledger.ts";
import { storageKeys } from "../src/storage-keys.ts";
import { driverContract } from "./driver-contract.ts";
import { anchor, genesisBytes, keyOf, signed, VALIDATOR } from "./support/chain.ts";
import { checkChain } from "./support/check-chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { VirtualClock } from "./support/virtual-clock.ts";

/** Without heartbeats while a test lasts. */
const genesis = genesisBytes();
/** With a block a second. */
const lively = genesisBytes({ maxBlockGapSeconds: 1 });
const chain = chainIdOf(genesis);
const identity = { chain, genesis: nodeSha256(genesis), driver: "solo" };

interface Opened {
  readonly directory: string;
  readonly genesis: Bytes;
  readonly clock: VirtualClock;
  ledger: Ledger;
}
const opened = new Map<Ledger, Opened>();

const thisSecond = (): VirtualClock => new VirtualClock(Math.floor(Date.now() / 1000));

async function open(context: TestContext, clock = thisSecond(), from = genesis): Promise<Ledger> {
  const directory = await folder(context);
  const ledger = await openLedger({ directory, genesis: from, validator: VALIDATOR, clock: clock.now, verifyWorkers: 1 });
  const entry = { directory, genesis: from, clock, ledger };
  opened.set(ledger, entry);
  atEnd(context, () => entry.ledger.close());
  return ledger;
}

async function reopen(ledger: Ledger): Promise<Ledger> {
  await ledger.close();
  const entry = opened.get(ledger)!;
  entry.ledger = await openLedger({
    directory: entry.directory,
    genesis: entry.genesis,
    validator: VALIDATOR,
    clock: entry.clock.now,
    verifyWorkers: 1,
  });
  opened.set(entry.ledger, entry);
  return entry.ledger;
}

driverContract("solo", {
  open: (context) => open(context, thisSecond(), lively),
  reopen,
  // The genesis asks for a block a second: the driver's own timer makes it.
  idle: () => {},
  validatorKey: VALIDATOR.publicKey,
});

test("block time is the clock's, and later than the block before even if the clock is set back", () => {
  const last = { seconds: 100, nanos: 999_500_000 };
  assert.deepEqual(nextBlockTime({ seconds: 90, nanos: 5 }, last), { seconds: 101, nanos: 500_000 });
  assert.deepEqual(nextBlockTime({ seconds: 101, nanos: 500_000 }, last), { seconds: 101, nanos: 500_000 });
  assert.deepEqual(nextBlockTime({ seconds: 101, nanos: 499_999 }, last), { seconds: 101, nanos: 500_000 });
  assert.deepEqual(nextBlockTime({ seconds: 200, nanos: 0 }, last), { seconds: 200, nanos: 0 });
  assert.deepEqual(nextBlockTime({ seconds: 1, nanos: 0 }, undefined), { seconds: 1, nanos: 0 });
});

test("a clock that is set back does not stop the chain or turn its time", async (context) => {
  const clock = thisSecond();
  const ledger = await open(context, clock);
  clock.move(-60_000);
  const { id } = await ledger.submit(signed({ chain, key: "hospital-a", operations: [anchor("back")] }));
  await ledger.receipt(id, "provable");
  checkChain(ledger, chain, VALIDATOR.publicKey);
});

test("a heartbeat has the time of the clock, however far that went meanwhile", async (context) => {
  const clock = thisSecond();
  const ledger = await open(context, clock, lively);
  clock.move(7_777);
  await new Promise<void>((resolve) => {
    const stop = ledger.subscribe(() => {
      stop();
      resolve();
    });
  });
  assert.deepEqual(cometbft.decodeLightBlock(ledger.newestLightBlock()).header.time, clock.now());
});

test("the key must be the one validator's", async (context) => {
  const directory = await folder(context);
  const other = { publicKey: keyOf("other").publicKey, sign: (bytes: Bytes) => keyOf("other").signSync(bytes) };
  await assert.rejects(openLedger({ directory, genesis, validator: other }), { code: "not_the_validator" });
});

/** The chain's folder after a crash right after the next block, with these transactions, was saved and signed. */
async function crashAfterSaving(
  ledger: Ledger,
  transactions: readonly Bytes[],
): Promise<{ signedHash: Bytes; database: Database }> {
  const { directory, clock } = opened.get(ledger)!;
  const newest = cometbft.decodeLightBlock(ledger.newestLightBlock());
  await ledger.close();
  const { header, commit } = newest;
  const tip: Tip = {
    height: header.height,
    time: header.time,
    blockId: commit.blockId,
    commit,
    appHash: header.appHash,
    resultsHash: cometbft.resultsHash([]),
  };
  const validator = { publicKey: VALIDATOR.publicKey, power: 10 };
  clock.move(5);
  const block = makeBlock(
    { chainId: chain, maxBlockBytes: 8_388_608, validator },
    tip,
    nextBlockTime(clock.now(), tip.time),
    transactions,
  );
  const database = await openDatabase(directory, identity);
  await writeBatch(database, [
    { type: "put", key: storageKeys.block(header.height + 1), value: block.bytes },
    { type: "put", key: storageKeys.lastSigned, value: cbor.encode({ height: header.height + 1, hash: block.blockId.hash }) },
  ]);
  return { signedHash: block.blockId.hash, database };
}

test("a block that was saved before a crash is the next block, whatever waits or the clock says", async (context) => {
  const ledger = await open(context);
  const transactions = ["p", "q"].map((name) => signed({ chain, key: "hospital-a", operations: [anchor(name)] }));
  const height = ledger.height() + 1;
  const { signedHash, database } = await crashAfterSaving(ledger, transactions);
  await database.close();
  opened.get(ledger)!.clock.move(3_000);
  const again = await reopen(ledger);
  const light = cometbft.decodeLightBlock(again.lightBlock(height) as Bytes);
  assert.equal(toHex(light.commit.blockId.hash), toHex(signedHash));
  assert.equal(again.entryCount(), 2);
  checkChain(again, chain, VALIDATOR.publicKey);
  await assert.rejects(again.submit(transactions[0]!), { code: "already_known" });
});

test("if the saved block is not the one that may have been signed, nothing more is signed", async (context) => {
  const ledger = await open(context);
  const height = ledger.height() + 1;
  const { database } = await crashAfterSaving(ledger, []);
  await writeBatch(database, [
    { type: "put", key: storageKeys.lastSigned, value: cbor.encode({ height, hash: new Uint8Array(32).fill(1) }) },
  ]);
  await database.close();
  await assert.rejects(reopen(ledger), { name: "Bug" });
});

test("no block is final, and nobody hears of one, before its signature exists", async (context) => {
  const directory = await folder(context);
  let give: (() => void) | undefined;
  let asked: (() => void) | undefined;
  let slow = false;
  const sign = async (bytes: Bytes): Promise<Bytes> => {
    if (slow) {
      asked?.();
      await new Promise<void>((resolve) => {
        give = resolve;
      });
    }
    return keyOf("validator").signSync(bytes);
  };
  const ledger = await openLedger({ directory, genesis, validator: { publicKey: VALIDATOR.publicKey, sign }, verifyWorkers: 1 });
  atEnd(context, () => ledger.close());
  const before = ledger.height();
  const isAsked = new Promise<void>((resolve) => {
    asked = resolve;
  });
  slow = true;
  const { id } = await ledger.submit(signed({ chain, key: "hospital-a", operations: [anchor("slow")] }));
  await isAsked;
  assert.equal(ledger.height(), before);
  assert.equal(ledger.lightBlock(before + 1), undefined);
  assert.equal(ledger.entryCount(), 0);
  slow = false;
  give?.();
  assert.equal((await ledger.receipt(id, "committed")).height, before + 1);
});

test("without room on the disk nothing is taken; with room again it goes on", async (context) => {
  const directory = await folder(context);
  let free = 1e12;
  const ledger = await openLedger({ directory, genesis, validator: VALIDATOR, verifyWorkers: 1, freeBytes: () => free });
  atEnd(context, () => ledger.close());
  free = 1e6;
  const tx = (name: string) => signed({ chain, key: "hospital-a", operations: [anchor(name)] });
  // What was taken before the disk was looked at waits until there is room.
  const refused = async (): Promise<Fault> => {
    for (let i = 0; ; i++) {
      try {
        await ledger.submit(tx(`full ${i}`));
      } catch (error) {
        if (error instanceof Fault) return error;
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const fault = await refused();
  assert.deepEqual([fault.code, fault.retry, fault.facts.freeMegabytes], ["disk_full", true, 1]);
  const height = ledger.height();
  assert.equal(ledger.prove("nothing").height, ledger.provableHeight());
  free = 1e12;
  await new Promise<void>((resolve) => {
    const stop = ledger.subscribe(() => {
      stop();
      resolve();
    });
  });
  assert.ok(ledger.height() > height);
  await ledger.receipt((await ledger.submit(tx("room"))).id, "provable");
  checkChain(ledger, chain, VALIDATOR.publicKey);
});
