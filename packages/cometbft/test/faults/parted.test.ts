/** Four validators of which one is slow, one dies with its CometBFT, and whose network falls apart: one chain, nothing lost that was taken. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
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

/** The node that runs in a process of its own. */
const APART = 3;
/** A slow node goes on for one turn of so many, and stands still for the others. */
const TURNS = 5;
const TURN_MS = 100;

engineTest(
  "four validators: a slow node, a node killed with its CometBFT, and a network that falls apart",
  async (context, binary) => {
    const net = await network(
      context,
      binary,
      4,
      {},
      { canPart: true, optionsOf: () => ({ times: TEST_TIMES, verifyWorkers: 1 }) },
    );
    await context.test(
      "one of four stands still four fifths of the time: the others go on, nothing is lost, it catches up",
      (inner) => slow(inner, net),
    );
    await context.test("one of four killed, both processes: the others go on, it comes back and has the same chain", (inner) =>
      killed(inner, net),
    );
    await context.test(
      "two parted from two: neither makes a block, and what both took is committed once they are one again",
      () => halves(net),
    );
    await context.test("one parted from three: they go on; it catches up, and what it took is committed or told to be over", () =>
      minority(net),
    );
  },
);

/** A node in a process of its own, under load. */
interface Apart {
  /** Id and height of each transaction that it acknowledged. */
  readonly committed: readonly (readonly [string, number])[];
  /** Resolves when it acknowledged one for which this holds. */
  until(holds: (height: number) => boolean): Promise<void>;
  /** To both of its processes. */
  signal(signal: NodeJS.Signals): void;
  /** Kills both. */
  kill(): Promise<void>;
}

async function runApart(context: TestContext, node: LocalNode): Promise<Apart> {
  await node.stop();
  const running = spawn(process.execPath, [child, optionsToText(node.options), "parted"], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  context.after(() => running.kill("SIGKILL"));
  const ended = once(running, "exit");
  const committed: [string, number][] = [];
  const heard = new EventEmitter<{ committed: [number] }>();
  let engine = 0;
  createInterface({ input: running.stdout }).on("line", (line) => {
    const [what, first = "", second = ""] = line.split(" ");
    if (what === "engine") engine = Number(first);
    if (what !== "committed" || first.length !== 64) return;
    committed.push([first, Number(second)]);
    heard.emit("committed", Number(second));
  });
  const until = (holds: (height: number) => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      running.once("exit", (code, signal) => reject(new Error(`the node ended: ${code ?? signal}`)));
      heard.on("committed", (height) => holds(height) && resolve());
    });
  const signal = (name: NodeJS.Signals): void => {
    process.kill(engine, name);
    running.kill(name);
  };
  await until(() => true);
  return {
    committed,
    until,
    signal,
    kill: async () => {
      signal("SIGKILL");
      await ended;
    },
  };
}

/** What it acknowledged is at its own node and at another, at the same height. */
async function checkKept(net: LocalNetwork, { committed }: Apart): Promise<void> {
  for (const [id, height] of committed) {
    const receipts = await Promise.all([APART, 0].map((i) => net.nodes[i]!.ledger.receipt(fromHex(id), "committed")));
    assert.deepEqual(
      receipts.map((receipt) => receipt.height),
      [height, height],
    );
  }
}

async function slow(context: TestContext, net: LocalNetwork): Promise<void> {
  const others = ledgersOf(net).filter((_, i) => i !== APART);
  const node = net.nodes[APART] as LocalNode;
  const apart = await runApart(context, node);
  let turns = 0;
  const turn = setInterval(() => apart.signal(turns++ % TURNS === 0 ? "SIGCONT" : "SIGSTOP"), TURN_MS);
  try {
    for (let round = 0; round < 5; round++) {
      const sent = others.flatMap((ledger) => Array.from({ length: 4 }, async () => accepted(ledger, await submit(ledger))));
      await Promise.all(sent);
    }
    assert.ok(turns > TURNS, "it never stood still");
  } finally {
    clearInterval(turn);
    apart.signal("SIGCONT");
  }
  // What it acknowledges from here on stands above what the others have: it has caught up.
  const top = others[0]!.height();
  await apart.until((height) => height > top + 2);
  await apart.kill();
  await node.start();
  await checkKept(net, apart);
  await untilOne(net);
}

async function killed(context: TestContext, net: LocalNetwork): Promise<void> {
  const node = net.nodes[APART] as LocalNode;
  const other = net.nodes[0]!.ledger;
  const apart = await runApart(context, node);
  await apart.until(() => apart.committed.length >= 60);
  await apart.kill();
  const without = await accepted(other, await submit(other));
  const back = await node.start();
  await untilHeight(back, without);
  await checkKept(net, apart);
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
