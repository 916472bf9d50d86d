/** Four validators of which one dies with its CometBFT, and whose network falls apart: one chain, nothing lost that was taken. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { cometbft } from "@xinglin/crypto/pure";
import type { Ledger } from "@xinglin/ledger";
import { anchor, signed } from "@xinglin/ledger/testing/chain";
import { type Bytes, type Fault, fromHex } from "@xinglin/primitives";
import type { LocalNetwork, LocalNode } from "../../src/testing/local-network.ts";
import { engineTest, network, quietHeight, receiptOf, submit, TEST_TIMES, untilHeight } from "../support/network.ts";
import { checkOneChain } from "../support/one-chain.ts";
import { optionsToText } from "../support/options-text.ts";

const child = fileURLToPath(new URL("../driver/crash-child.ts", import.meta.url));
const ledgersOf = ({ nodes }: LocalNetwork): Ledger[] => nodes.map(({ ledger }) => ledger);
const accepted = async (ledger: Ledger, id: Bytes): Promise<number> => {
  const { height, results } = await receiptOf(ledger, id, "provable");
  assert.equal(results[0]?.outcome, "accepted");
  return height;
};
/** All nodes have what node 0 has, and it is one chain. */
async function untilOne(net: LocalNetwork): Promise<void> {
  const ledgers = ledgersOf(net);
  const height = await accepted(ledgers[0]!, await submit(ledgers[0]!));
  await Promise.all(ledgers.map((ledger) => untilHeight(ledger, height + 1)));
  checkOneChain(ledgers);
}

engineTest("four validators: a node killed with its CometBFT, and a network that falls apart", async (context, binary) => {
  const net = await network(
    context,
    binary,
    4,
    {},
    { canPart: true, optionsOf: () => ({ times: TEST_TIMES, verifyWorkers: 1 }) },
  );
  await context.test("one of four killed, both processes: the others go on, it comes back and has the same chain", (inner) =>
    killed(inner, net),
  );
  await context.test("two parted from two: neither makes a block, and what both took is committed once they are one again", () =>
    halves(net),
  );
  await context.test("one parted from three: they go on; it catches up, and what it took is committed or told to be over", () =>
    minority(net),
  );
});

async function killed(context: TestContext, net: LocalNetwork): Promise<void> {
  const node = net.nodes[3] as LocalNode;
  const other = net.nodes[0]!.ledger;
  await node.stop();
  const running = spawn(process.execPath, [child, optionsToText(node.options), "parted"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => running.kill("SIGKILL"));
  const committed: [string, number][] = [];
  let engine = 0;
  await new Promise<void>((resolve, reject) => {
    running.once("exit", (code, signal) => reject(new Error(`the node ended: ${code ?? signal}`)));
    createInterface({ input: running.stdout }).on("line", (line) => {
      const [what, first = "", second = ""] = line.split(" ");
      if (what === "engine") engine = Number(first);
      if (what === "committed" && first.length === 64) committed.push([first, Number(second)]);
      if (committed.length >= 60) resolve();
    });
  });
  const ended = once(running, "exit");
  process.kill(engine, "SIGKILL");
  running.kill("SIGKILL");
  await ended;
  const without = await accepted(other, await submit(other));
  const back = await node.start();
  await untilHeight(back, without);
  for (const [id, height] of committed) {
    const [here, there] = await Promise.all([back, other].map((ledger) => ledger.receipt(fromHex(id), "committed")));
    assert.deepEqual([here?.height, there?.height], [height, height]);
  }
  await untilOne(net);
}

async function halves(net: LocalNetwork): Promise<void> {
  const ledgers = ledgersOf(net);
  net.part([2, 3]);
  const before = await Promise.all(ledgers.map(quietHeight));
  const taken = await Promise.all(ledgers.map((ledger) => submit(ledger)));
  const after = await Promise.all(ledgers.map(quietHeight));
  assert.deepEqual(after, before, "a half made a block");
  // Two that had decided the last block before the line broke may be one ahead of the others; never two, and never apart.
  checkOneChain(ledgers);
  net.heal();
  await Promise.all(taken.map((id, i) => accepted(ledgers[i]!, id)));
  await untilOne(net);
}

async function minority(net: LocalNetwork): Promise<void> {
  const [first, , , alone] = ledgersOf(net) as [Ledger, Ledger, Ledger, Ledger];
  net.part([3]);
  const halted = await quietHeight(alone);
  const kept = await submit(alone);
  // Over before the line is whole again: its block never comes, and who waits for it is told so.
  const over = Math.floor(Date.now() / 1000) + 4;
  const brief = signed({
    chain: alone.chainId,
    key: "hospital-a",
    operations: [anchor("brief")],
    notAfter: { time: over, height: 90_000 },
  });
  const { id } = await alone.submit(brief);
  const told = receiptOf(alone, id, "committed").then(
    () => "committed",
    (fault: Fault) => fault.code,
  );
  let height = 0;
  for (let time = 0; time <= over; time = newestTime(first)) height = await accepted(first, await submit(first));
  assert.equal(alone.height(), halted, "one of four made a block");
  net.heal();
  await untilHeight(alone, height);
  assert.equal(await told, "expired");
  await assert.rejects(first.receipt(id, "committed"), { code: "transaction_unknown" });
  await accepted(alone, kept);
  await untilOne(net);
}

const newestTime = (ledger: Ledger): number => cometbft.decodeLightBlock(ledger.newestLightBlock()).header.time.seconds;
