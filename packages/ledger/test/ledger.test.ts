import assert from "node:assert/strict";
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { chainIdOf, decodeAuditEntry, keys, type Operation } from "@xinglin/contracts";
import { cometbft, ics23, merkle } from "@xinglin/crypto/pure";
import { type Bytes, Fault, utf8 } from "@xinglin/primitives";
import { openDatabase, storageFault } from "../src/database.ts";
import type { Ledger, LedgerOptions } from "../src/ledger.ts";
import { decodeLogHead } from "../src/log-head.ts";
import { openLedger } from "../src/solo-ledger.ts";
import { anchor, genesisBytes, signed, VALIDATOR } from "./support/chain.ts";
import { checkChain } from "./support/check-chain.ts";
import { atEnd, folder } from "./support/folder.ts";
import { VirtualClock } from "./support/virtual-clock.ts";

const genesis = genesisBytes();
const chain = chainIdOf(genesis);
const tx = (operations: readonly Operation[], change: Partial<Parameters<typeof signed>[0]> = {}): Bytes =>
  signed({ chain, key: "hospital-a", operations, ...change });

async function open(context: TestContext, options: Partial<LedgerOptions> = {}): Promise<{ ledger: Ledger; directory: string }> {
  const directory = options.directory ?? (await folder(context));
  const ledger = await openLedger({ genesis, validator: VALIDATOR, verifyWorkers: 1, ...options, directory });
  atEnd(context, () => ledger.close());
  return { ledger, directory };
}
const codeOf = (code: string) => (error: unknown) => error instanceof Fault && error.code === code;

test("a refusal is on the record: in the receipt, in the log, and provable under a header", async (context) => {
  const { ledger } = await open(context);
  const { id } = await ledger.submit(tx([anchor("once"), anchor("once")]));
  const { results, height } = await ledger.receipt(id, "provable");
  assert.deepEqual(
    results.map(({ operation, outcome, code }) => [operation, outcome, code]),
    [
      ["anchorBatch", "accepted", undefined],
      ["anchorBatch", "refused", "id_taken"],
    ],
  );
  const proven = ledger.proveEntry(results[1]!.sequence);
  const entry = decodeAuditEntry(proven.entry);
  assert.deepEqual([entry.outcome, entry.code, entry.height, entry.index], ["refused", "id_taken", height, 1]);
  // A stranger goes from the header to the head of the log, and from there to the entry.
  const { header } = cometbft.decodeLightBlock(proven.head.lightBlock);
  assert.ok(ics23.verifyMembership(header.appHash, ics23.decodeProof(proven.head.proof), utf8(keys.log), proven.head.value!));
  const { root, size } = decodeLogHead(proven.head.value);
  assert.equal(size, proven.size);
  assert.ok(merkle.verifyInclusion(proven.entry, proven.index, size, proven.path, root));
  assert.ok(!merkle.verifyInclusion(proven.entry, proven.index, size + 1, proven.path, root));
});

test("an old height can be proved, a pruned or future one cannot", async (context) => {
  const { ledger } = await open(context, { keepVersions: 4 });
  const first = await ledger.receipt((await ledger.submit(tx([anchor("p0")]))).id, "provable");
  const { header } = cometbft.decodeLightBlock(ledger.prove(keys.log, first.height).lightBlock);
  const old = ledger.prove("batch/none", first.height);
  assert.ok(ics23.verifyNonMembership(header.appHash, ics23.decodeProof(old.proof), utf8("batch/none")));
  assert.throws(() => ledger.prove(keys.log, ledger.height()), codeOf("not_provable_yet"));
  assert.throws(() => ledger.proveEntry(1), codeOf("unknown_entry"));
  for (let i = 1; i < 8; i++) await ledger.receipt((await ledger.submit(tx([anchor(`p${i}`)]))).id, "provable");
  assert.throws(() => ledger.prove(keys.log, first.height), codeOf("state_pruned"));
});

test("receipts: unknown at once, after a restart as before, given up when the caller does", async (context) => {
  const { ledger, directory } = await open(context);
  await assert.rejects(ledger.receipt(new Uint8Array(32), "committed"), codeOf("transaction_unknown"));
  const { id } = await ledger.submit(tx([anchor("r1"), anchor("r2")]));
  const before = await ledger.receipt(id, "provable");
  const caller = new AbortController();
  caller.abort(new Error("gone"));
  await assert.rejects(ledger.receipt(id, "committed", caller.signal), /gone/);
  await ledger.close();
  const { ledger: again } = await open(context, { directory });
  assert.deepEqual(await again.receipt(id, "provable"), before);
});

test("a waiting transaction whose validity ends is dropped, and its receipt says so", async (context) => {
  const clock = new VirtualClock();
  let release: (() => void) | undefined;
  let hold = false;
  const sign = async (bytes: Bytes): Promise<Uint8Array> => {
    if (hold)
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    return VALIDATOR.sign(bytes);
  };
  const { ledger } = await open(context, { clock: clock.now, validator: { publicKey: VALIDATOR.publicKey, sign }, gatherMs: 0 });
  hold = true;
  const notAfter = { time: clock.seconds + 5, height: 90_000 };
  // The first block hangs at its signature; what comes meanwhile is too old for the next.
  const first = await ledger.submit(tx([anchor("v1")], { notAfter }));
  while (release === undefined) await new Promise(setImmediate);
  const late = await ledger.submit(tx([anchor("v2")], { notAfter }));
  const receipt = ledger.receipt(late.id, "committed");
  clock.move(6_000);
  hold = false;
  release();
  await assert.rejects(receipt, codeOf("expired"));
  assert.equal((await ledger.receipt(first.id, "committed")).results.length, 1);
  await assert.rejects(ledger.submit(tx([anchor("v3")], { notAfter })), codeOf("expired"));
});

test("a replay is refused over a restart", async (context) => {
  const { ledger, directory } = await open(context);
  const bytes = tx([anchor("again")]);
  await ledger.receipt((await ledger.submit(bytes)).id, "committed");
  await ledger.close();
  const { ledger: again } = await open(context, { directory });
  await assert.rejects(again.submit(bytes), codeOf("already_known"));
});

test("a full mempool pushes back with a code to retry, one member's crowd leaves room for another, and the chain goes on", async (context) => {
  const { ledger } = await open(context, { mempool: { maxBytes: 100_000, maxCount: 60 }, gatherMs: 20 });
  const crowd = await Promise.allSettled(Array.from({ length: 200 }, (_, i) => ledger.submit(tx([anchor(`crowd ${i}`)]))));
  const refusals = crowd.flatMap((one) => (one.status === "rejected" ? [one.reason as Fault] : []));
  assert.ok(refusals.length >= 100, `${refusals.length} refused`);
  assert.ok(refusals.every(({ code, retry }) => /^mempool_(quota|full)$/.test(code) && retry));
  const { id } = await ledger.submit(signed({ chain, key: "hospital-b", operations: [anchor("few")] }));
  assert.equal((await ledger.receipt(id, "committed")).results[0]?.outcome, "accepted");
  const accepted = crowd.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
  assert.ok(accepted.length >= 30);
  for (const one of accepted) assert.equal((await ledger.receipt(one.id, "committed")).results[0]?.outcome, "accepted");
  await ledger.receipt((await ledger.submit(tx([anchor("after")]))).id, "committed");
});

test("a folder belongs to one process, one chain and one format", async (context) => {
  const { ledger, directory } = await open(context);
  await assert.rejects(openLedger({ directory, genesis, validator: VALIDATOR }), codeOf("ledger_locked"));
  await ledger.close();
  const other = genesisBytes({ permitSeconds: 30 });
  await assert.rejects(openLedger({ directory, genesis: other, validator: VALIDATOR }), codeOf("wrong_chain_folder"));
  await assert.rejects(
    openDatabase(directory, { chain, genesis: new Uint8Array(32), driver: "solo" }),
    codeOf("wrong_genesis_folder"),
  );
  await assert.rejects(openLedger({ directory, genesis: utf8("no genesis"), validator: VALIDATOR }), codeOf("malformed"));
  const { ledger: again } = await open(context, { directory });
  assert.ok(again.height() >= 2);
});

test("a backup taken while blocks are made is a whole ledger of one instant", async (context) => {
  const { ledger } = await open(context);
  const target = join(await folder(context), "copy");
  const ids: Bytes[] = [];
  for (let i = 0; i < 20; i++) ids.push((await ledger.submit(tx([anchor(`b${i}`)]))).id);
  await ledger.receipt(ids.at(-1)!, "committed");
  const more = Promise.all(Array.from({ length: 50 }, (_, i) => ledger.submit(tx([anchor(`during ${i}`)]))));
  await ledger.backup(target);
  await more;
  await assert.rejects(ledger.backup(target), codeOf("backup_target_not_empty"));
  await ledger.close();
  const { ledger: copy } = await open(context, { directory: target });
  checkChain(copy, chain, VALIDATOR.publicKey);
  for (const id of ids) assert.equal((await copy.receipt(id, "provable")).results[0]?.outcome, "accepted");
});

test("closing gives up on what waits, keeps what is committed, and can be done twice", async (context) => {
  const { ledger, directory } = await open(context, { gatherMs: 50 });
  const { id } = await ledger.submit(tx([anchor("late")]));
  const receipt = ledger.receipt(id, "committed").then(
    () => "committed",
    (fault: Fault) => fault.code,
  );
  await Promise.all([ledger.close(), ledger.close()]);
  const told = await receipt;
  await assert.rejects(ledger.submit(tx([anchor("closed")])), codeOf("ledger_unavailable"));
  const { ledger: again } = await open(context, { directory });
  const known = await again.receipt(id, "committed").then(
    () => "committed",
    () => "ledger_unavailable",
  );
  assert.equal(known, told);
});

test("what the engine says of a disk becomes a code", () => {
  const leveldb = (message: string, code = "LEVEL_IO_ERROR") => Object.assign(new Error(message), { code });
  const failed = Object.assign(new Error("Database failed to open"), { cause: leveldb("LOCK: already held", "LEVEL_LOCKED") });
  assert.equal(storageFault(failed).code, "ledger_locked");
  assert.deepEqual(
    [storageFault(leveldb("IO error: 000012.log: No space left on device"))].map(({ code, retry }) => [code, retry]),
    [["disk_full", true]],
  );
  assert.equal(storageFault(leveldb("Corruption: bad block")).code, "storage_failed");
  const fault = new Fault("backup_target_not_empty");
  assert.equal(storageFault(fault), fault);
});

test("a data folder that is removed and opened again is a new chain from the same genesis", async (context) => {
  const { ledger, directory } = await open(context);
  await ledger.close();
  await rm(directory, { recursive: true });
  const { ledger: again } = await open(context, { directory });
  assert.equal(again.chainId, chain);
  assert.deepEqual(await readdir(directory), ["ledger.db"]);
});
