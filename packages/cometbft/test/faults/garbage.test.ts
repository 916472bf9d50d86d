/** 100,000 transactions and requests that are wrong in every way, at a node that runs: none of them in a block, no crash, no growth. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { decodeBlock, type Ledger } from "@xinglin/ledger";
import { anchor, signed } from "@xinglin/ledger/testing/chain";
import { type Bytes, Fault } from "@xinglin/primitives";
import { RpcClient } from "../../src/rpc/rpc-client.ts";
import { numbers } from "../support/hostile-frames.ts";
import { engineTest, network, submit, TEST_TIMES, untilHeight } from "../support/network.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;
const MEGABYTE = 1_000_000;
/** What caches of a bounded size may fill up meanwhile. */
const GROWTH_MEGABYTES = 150;

/** A wrong transaction, another one each time. `right` is one that would be right in another copy of the chain. */
function wrong(next: (below: number) => number, right: Bytes, chain: string): Bytes {
  const ways: (() => Bytes)[] = [
    () => new Uint8Array(randomBytes(next(400))),
    () => right.subarray(0, next(right.length)),
    () => {
      const flipped = right.slice();
      flipped[next(flipped.length)]! ^= 1 << next(8);
      return flipped;
    },
    () => new Uint8Array(next(3) === 0 ? 1_100_000 : 2_000).fill(0x81),
    () => new Uint8Array(1 + next(2_000)).fill(0xa1),
    () => signed({ chain: `${chain}x`, key: "hospital-a", operations: [anchor("other chain")] }),
    () => signed({ chain, key: "hospital-a", operations: [anchor("over")], notAfter: { time: 1, height: 1 } }),
    () => signed({ chain, key: "stranger", operations: [anchor("stranger")] }),
  ];
  // Signing costs more than being turned away: those that need it are rarer, as are the oversize.
  const way = next(100);
  return ways[way < 97 ? [0, 1, 2, 4][way % 4]! : [3, 5, 6, 7][next(4)]!]!();
}

engineTest("100,000 wrong transactions and requests: no crash, no growth, none in a block", async (context, binary) => {
  const next = numbers(20_261);
  let toGossip = 0;
  let chain = "";
  let right: Bytes = new Uint8Array(0);
  const net = await network(
    context,
    binary,
    2,
    {},
    {
      optionsOf: (index) => ({
        times: TEST_TIMES,
        verifyWorkers: 1,
        // The second hands on what it should not: through CometBFT, to the first.
        ...(index === 1
          ? {
              handOn: (all) => {
                if (toGossip <= 0) return all;
                const some = Array.from({ length: 200 }, () => wrong(next, right, chain)).filter(({ length }) => length < 4_000);
                toGossip -= some.length;
                return [...all, ...some];
              },
            }
          : {}),
      }),
    },
  );
  const [node, other] = net.nodes;
  const ledger: Ledger = node!.ledger;
  chain = ledger.chainId;
  right = signed({ chain, key: "hospital-a", operations: [anchor("never sent as it is")] });
  const pid = node!.ledger.engine.pid;
  const round = async (count: number): Promise<void> => {
    let refused = 0;
    for (let i = 0; i < count; i += 100)
      await Promise.all(
        Array.from({ length: 100 }, () =>
          ledger.submit(wrong(next, right, chain)).catch((error: unknown) => {
            assert.ok(error instanceof Fault, String(error));
            refused++;
          }),
        ),
      );
    assert.equal(refused, count, "a wrong transaction was taken");
  };
  const rpc = new RpcClient({ socketPath: join(node!.directory, "run", "rpc.sock") });
  context.after(() => rpc.close());
  const byRpc = async (count: number): Promise<void> => {
    for (let i = 0; i < count; i += 20)
      await Promise.all(
        Array.from({ length: 20 }, () => {
          const tx = `0x${Buffer.from(wrong(next, right, chain).subarray(0, 2_000)).toString("hex")}`;
          return rpc.call("broadcast_tx_sync", { tx }).catch(() => undefined);
        }),
      );
  };
  const noise = async (count: number): Promise<void> => {
    const [, port = ""] = node!.options.p2p.listen.split(":");
    const paths = [{ path: join(node!.directory, "run", "abci.sock") }, { host: "127.0.0.1", port: Number(port) }];
    for (let i = 0; i < count; i++) {
      const socket = connect(paths[i % 2]!);
      socket.on("error", () => {});
      // 0xff for ever is no length of a frame; what follows is never read.
      const bytes = Buffer.concat([new Uint8Array(i % 4 < 2 ? 11 : 0).fill(0xff), randomBytes(1 + next(2_000))]);
      socket.write(bytes, () => socket.destroy());
      await new Promise((resolve) => socket.on("close", resolve));
    }
  };

  // What is taken once, such as caches and code, is taken now.
  await round(10_000);
  collect();
  const before = { us: process.memoryUsage.rss(), engine: await rssOf(pid) };
  const height = ledger.height();
  toGossip = 22_500;
  await Promise.all([round(65_000), byRpc(1_500), noise(1_000)]);
  while (toGossip > 0) await untilHeight(ledger, ledger.height() + 1);
  const id = await submit(ledger);
  assert.equal((await ledger.receipt(id, "provable")).results[0]?.outcome, "accepted");
  assert.ok(ledger.height() > height);
  assert.equal(node!.ledger.engine.pid, pid, "CometBFT was started anew");
  collect();
  const grown = (process.memoryUsage.rss() - before.us) / MEGABYTE;
  assert.ok(grown < GROWTH_MEGABYTES, `${Math.round(grown)} MB more than before`);
  const engineGrown = ((await rssOf(pid)) - before.engine) / MEGABYTE;
  assert.ok(engineGrown < GROWTH_MEGABYTES, `CometBFT has ${Math.round(engineGrown)} MB more than before`);
  for (const { ledger: one } of [node!, other!])
    for (let at = 1; at <= one.height(); at++) {
      const { txs } = decodeBlock(one.block(at) as Bytes);
      assert.ok(txs.length <= 1, `${txs.length} transactions at ${at}`);
    }
  assert.equal(ledger.entryCount(), 1);
});

/** Resident bytes of a process, where processes can be looked at; else 0. */
async function rssOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(text)?.[1] ?? 0) * 1_024;
}
