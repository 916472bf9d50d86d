import assert from "node:assert/strict";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import { cometbft } from "@xinglin/crypto/pure";
import type { Ledger } from "@xinglin/ledger";
import { type Bytes, toHex } from "@xinglin/primitives";
import { publicKeyOf } from "../../src/home/keys.ts";
import type { LocalNetwork } from "../../src/testing/local-network.ts";
import { engineTest, network, quietHeight, submit, untilHeight } from "../support/network.ts";
import { checkOneChain } from "../support/one-chain.ts";

const ledgersOf = ({ nodes }: LocalNetwork): Ledger[] => nodes.map(({ ledger }) => ledger);

engineTest(
  "four validators: what is submitted at any of them is committed at all, with one app hash",
  async (context, binary) => {
    const net = await network(context, binary, 4);
    const ledgers = ledgersOf(net);
    const sent = await Promise.all(
      Array.from({ length: 200 }, (_, i) => submit(ledgers[i % 4]!, i % 3 === 0 ? "hospital-b" : "hospital-a")),
    );
    // A receipt is had at every node, whoever took the transaction and whoever proposed it.
    const receipts = await Promise.all(sent.map((id, i) => ledgers[i % 4]!.receipt(id, "provable")));
    const top = Math.max(...receipts.map(({ height }) => height)) + 1;
    await Promise.all(ledgers.map((ledger) => untilHeight(ledger, top)));
    for (const [i, id] of sent.entries()) {
      const told = await Promise.all(ledgers.map((ledger) => ledger.receipt(id, "committed")));
      assert.ok(told.every(({ height, index }) => height === receipts[i]!.height && index === receipts[i]!.index));
      assert.equal(told[0]?.results[0]?.outcome, "accepted");
    }
    assert.ok(ledgers.every((ledger) => ledger.entryCount() === 200));
    checkOneChain(ledgers);
    const proposers = new Set<string>();
    for (let at = 1; at <= top; at++)
      proposers.add(toHex(cometbft.decodeLightBlock(ledgers[0]!.lightBlock(at) as Bytes).header.proposerAddress));
    assert.ok(proposers.size > 1, "one validator proposed everything");
  },
);

engineTest("no node asks its CometBFT for a whole block whose transactions it has", async (context, binary) => {
  const net = await network(context, binary, 4);
  const asked: string[] = [];
  const onRequest = (message: unknown): void => {
    asked.push((message as { request: { path: string } }).request.path.split("?")[0]!);
  };
  subscribe("http.client.request.start", onRequest);
  context.after(() => unsubscribe("http.client.request.start", onRequest));
  const ledgers = ledgersOf(net);
  for (let i = 0; i < 12; i++) await ledgers[i % 4]!.receipt(await submit(ledgers[i % 4]!), "provable");
  assert.ok(asked.filter((path) => path === "/commit").length >= 24, "light blocks come from the RPC");
  assert.deepEqual(
    asked.filter((path) => path === "/block"),
    [],
  );
});

engineTest("a CometBFT that is killed comes back by itself, and its node misses nothing", async (context, binary) => {
  const net = await network(context, binary, 4);
  const ledgers = ledgersOf(net);
  const [killed, other] = [net.nodes[1]!, ledgers[0]!];
  killed.killEngine();
  const ids = await Promise.all(Array.from({ length: 20 }, () => submit(other)));
  const { height } = await other.receipt(ids.at(-1)!, "provable");
  await untilHeight(killed.ledger, height);
  for (const id of ids) assert.equal((await killed.ledger.receipt(id, "committed")).results[0]?.outcome, "accepted");
  // And takes part again: what is submitted there is committed.
  const own = await submit(killed.ledger);
  assert.equal((await killed.ledger.receipt(own, "provable")).results[0]?.outcome, "accepted");
  checkOneChain(ledgers);
});

engineTest(
  "with two of four stopped no block is made; with one of them back the chain goes on, as one",
  async (context, binary) => {
    const net = await network(context, binary, 4);
    const first = net.nodes[0]!.ledger;
    await first.receipt(await submit(first), "provable");
    await Promise.all([net.nodes[2]!.stop(), net.nodes[3]!.stop()]);
    // What was decided before the second one had stopped may still arrive.
    const halted = await quietHeight(first);
    const waiting = await submit(first);
    assert.equal(await outcomeWithin(first, waiting, 3_000), "waits");
    assert.ok(first.height() <= halted, "two of four made a block");
    await net.nodes[2]!.start();
    assert.equal((await first.receipt(waiting, "provable")).results[0]?.outcome, "accepted");
    await net.nodes[3]!.start();
    const ledgers = ledgersOf(net);
    const { height } = await first.receipt(waiting, "committed");
    await Promise.all(ledgers.map((ledger) => untilHeight(ledger, height + 1)));
    checkOneChain(ledgers);
  },
);

engineTest("a transaction that one proposer leaves out is included by one of the next two", async (context, binary) => {
  const leftOut: number[] = [];
  const net = await network(
    context,
    binary,
    4,
    {},
    {
      optionsOf: (index) =>
        index === 0
          ? {
              choose: (transactions) => {
                leftOut.push(transactions.length);
                return [];
              },
            }
          : {},
    },
  );
  const ledgers = ledgersOf(net);
  const address = toHex(cometbft.addressOf(publicKeyOf(net.nodes[0]!.options.validatorSeed!)));
  // Until the censor has had something to leave out.
  for (let round = 0; round < 40 && !leftOut.some((count) => count > 0); round++) {
    const id = await submit(ledgers[0]!);
    const from = ledgers[0]!.height();
    const { height } = await ledgers[0]!.receipt(id, "provable");
    // Every other time an idle block comes between, or the censor might always be the one whose turn the proof block is.
    if (round % 2 === 1) await untilHeight(ledgers[0]!, height + 2);
    // Blocks between submission and inclusion: those that had to be decided already, then at most one of the censor's.
    const proposers = range(from + 1, height).map((at) => proposerAt(ledgers[0]!, at));
    assert.notEqual(proposers.at(-1), address, "the censor included it");
    const missed = proposers.filter((proposer) => proposer === address).length;
    assert.ok(missed <= 1, `the censor came ${missed} times before it was included`);
    assert.ok(proposers.length - missed <= 3, `${proposers.length} blocks until it was included`);
  }
  assert.ok(
    leftOut.some((count) => count > 0),
    "the censor never had anything to leave out",
  );
});

const range = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const proposerAt = (ledger: Ledger, height: number): string =>
  toHex(cometbft.decodeLightBlock(ledger.lightBlock(height) as Bytes).header.proposerAddress);

async function outcomeWithin(ledger: Ledger, id: Bytes, milliseconds: number): Promise<string> {
  const receipt = ledger.receipt(id, "committed", AbortSignal.timeout(milliseconds));
  return receipt.then(
    () => "committed",
    () => "waits",
  );
}
