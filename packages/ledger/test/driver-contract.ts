/**
 * What every driver must keep to, whatever agrees on its blocks. A driver's own test file calls this with how to open one; each test opens a
 * ledger of its own. Source: design.md, "Drivers" (one contract suite for all three).
 */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { keys } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft, ics23 } from "@xinglin/crypto/pure";
import { type Bytes, equal, toHex, utf8 } from "@xinglin/primitives";
import { decodeBlock } from "../src/block-bytes.ts";
import type { BlockNotice, Ledger } from "../src/ledger.ts";
import { anchor, signed } from "./support/chain.ts";
import { checkChain, type Signers } from "./support/check-chain.ts";

/** How the suite opens a ledger on the driver under test. */
export interface DriverHarness {
  /** A ledger in a folder of its own, closed when the test ends. */
  open(context: TestContext): Promise<Ledger>;
  /** Closes the ledger and opens its folder again. */
  reopen(ledger: Ledger): Promise<Ledger>;
  /** Lets so much time pass for the driver that it must make a block although nothing waits. */
  idle(ledger: Ledger): void;
  /** Whose signatures make a block final. */
  readonly validatorKey: Signers;
}

/** Registers the tests. */
export function driverContract(name: string, harness: DriverHarness): void {
  const nextBlock = (ledger: Ledger, wanted: (notice: BlockNotice) => boolean = () => true): Promise<BlockNotice> =>
    new Promise((resolve) => {
      const stop = ledger.subscribe((notice) => {
        if (!wanted(notice)) return;
        stop();
        resolve(notice);
      });
    });
  let named = 0;
  const submit = async (ledger: Ledger, key = "hospital-a"): Promise<Bytes> =>
    (await ledger.submit(signed({ chain: ledger.chainId, key, operations: [anchor(`${name} ${named++}`)] }))).id;

  test(`${name}: the genesis is provable when the ledger is open`, async (context) => {
    const ledger = await harness.open(context);
    assert.ok(ledger.provableHeight() >= 1);
    assert.notEqual(ledger.prove(keys.parameters).value, undefined);
  });

  test(`${name}: blocks form one chain of real headers, parts and commits`, async (context) => {
    const ledger = await harness.open(context);
    for (let i = 0; i < 5; i++) await ledger.receipt(await submit(ledger), "provable");
    const chain = checkChain(ledger, ledger.chainId, harness.validatorKey);
    assert.ok(chain.length >= 7);
  });

  test(`${name}: a submitted transaction is in exactly one block, in the place that its receipt names`, async (context) => {
    const ledger = await harness.open(context);
    const ids = await Promise.all(
      Array.from({ length: 40 }, (_, i) => submit(ledger, i % 2 === 0 ? "hospital-a" : "hospital-b")),
    );
    const receipts = await Promise.all(ids.map((id) => ledger.receipt(id, "committed")));
    const included: string[] = [];
    for (let height = 1; height <= ledger.height(); height++) {
      const { txs } = decodeBlock(ledger.block(height) as Bytes);
      for (const [index, tx] of txs.entries()) {
        const receipt = receipts.find((one) => one.height === height && one.index === index);
        assert.ok(receipt !== undefined, `block ${height} holds what nobody sent`);
        // The body is the first element of the envelope's map: its bytes stand in the transaction.
        included.push(toHex(receipt.id));
        assert.ok(tx.length > 0);
      }
    }
    assert.deepEqual(included.toSorted(), ids.map(toHex).toSorted());
  });

  test(`${name}: the app hash of H stands in header H+1, which comes at once after a change`, async (context) => {
    const ledger = await harness.open(context);
    const { height, results } = await ledger.receipt(await submit(ledger), "provable");
    const proven = ledger.prove(keys.log, height);
    const { header } = cometbft.decodeLightBlock(proven.lightBlock);
    assert.equal(header.height, height + 1);
    const proof = ics23.decodeProof(proven.proof);
    assert.ok(ics23.verifyMembership(header.appHash, proof, utf8(keys.log), proven.value as Bytes));
    assert.equal(results[0]?.outcome, "accepted");
    const absent = ledger.prove("batch/of-nobody", height);
    assert.ok(ics23.verifyNonMembership(header.appHash, ics23.decodeProof(absent.proof), utf8("batch/of-nobody")));
  });

  test(`${name}: an idle chain makes a block, which changes no state`, async (context) => {
    const ledger = await harness.open(context);
    await ledger.receipt(await submit(ledger), "provable");
    const before = cometbft.decodeLightBlock(ledger.newestLightBlock()).header;
    const heard = nextBlock(ledger, ({ height }) => height === before.height + 1);
    harness.idle(ledger);
    const notice = await heard;
    assert.deepEqual(notice.entries, []);
    const { header } = cometbft.decodeLightBlock(ledger.lightBlock(notice.height) as Bytes);
    assert.deepEqual(header.appHash, before.appHash);
    assert.deepEqual(header.dataHash, cometbft.dataHash([], nodeSha256));
  });

  test(`${name}: subscribers hear of every block once, in order, after it is readable`, async (context) => {
    const ledger = await harness.open(context);
    const heard: number[] = [];
    const stop = ledger.subscribe(({ height, entries, provable }) => {
      heard.push(height);
      assert.ok(ledger.lightBlock(height) !== undefined && provable === height - 1);
      for (const { sequence, entry } of entries) assert.ok(equal(entry, [...ledger.entries(sequence, 1)][0]!.entry));
    });
    const from = ledger.height() + 1;
    for (let i = 0; i < 4; i++) await ledger.receipt(await submit(ledger), "provable");
    stop();
    assert.deepEqual(
      heard,
      heard.map((_, i) => from + i),
    );
    assert.ok(heard.length >= 5);
  });

  test(`${name}: a restart goes on with the same chain`, async (context) => {
    const ledger = await harness.open(context);
    const id = await submit(ledger);
    const { height } = await ledger.receipt(id, "provable");
    const newest = ledger.newestLightBlock();
    const chainHeight = ledger.height();
    const reopened = await harness.reopen(ledger);
    assert.deepEqual(reopened.lightBlock(chainHeight), newest);
    assert.equal((await reopened.receipt(id, "provable")).height, height);
    await reopened.receipt(await submit(reopened), "provable");
    checkChain(reopened, reopened.chainId, harness.validatorKey);
  });
}
