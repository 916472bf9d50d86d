/** Who may connect: the answers by themselves, and with real nodes a stranger that is kept out and a member that joins. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { keys, type Operation } from "@xinglin/contracts";
import { freePort } from "@xinglin/engines/testing";
import { signed } from "@xinglin/ledger/testing/chain";
import { type Bytes, cbor, Fault, fromHex } from "@xinglin/primitives";
import type { NodeNotice } from "../../src/driver/node-options.ts";
import { PeerFilter } from "../../src/driver/peer-filter.ts";
import { nodeIdOf } from "../../src/home/keys.ts";
import { type CometbftLedger, openCometbftLedger } from "../../src/open.ts";
import { emptyFolder, engineTest, network, submit, untilHeight } from "../support/network.ts";

const id = (digit: string): string => digit.repeat(40);
const named = (member: string, node: string): [string, Bytes][] => [[keys.node(node), cbor.encode({ member })]];
const member = (name: string, more: object = {}): [string, Bytes][] => [[keys.member(name as never), cbor.encode(more)]];

function filterOver(entries: readonly [string, Bytes][], configured: readonly string[] = []) {
  const refused: string[] = [];
  const state = new Map(entries);
  const filter = new PeerFilter({ configured, state: () => state, onRefused: (node) => refused.push(node) });
  return { refused, lets: (node: string): boolean => filter.answer(`/p2p/filter/id/${node}`), filter };
}

test("lets in what a member names or the operator does, and nobody else", () => {
  const { lets, refused } = filterOver(
    [
      ...named("a", id("1")),
      ...named("gone", id("2")),
      ...named("suspended", id("3")),
      ...member("a"),
      ...member("gone", { status: "suspended", removedAt: 9 }),
      ...member("suspended", { status: "suspended" }),
    ],
    [id("2"), id("4")],
  );
  assert.deepEqual([lets(id("1")), lets(id("3")), lets(id("4"))], [true, true, true]);
  // Taken out by vote, though the operator names it; a stranger, twice.
  assert.deepEqual([lets(id("2")), lets(id("5")), lets(id("5"))], [false, false, false]);
  assert.deepEqual(refused, [id("2"), id("5")], "each is told of once");
});

test("what is asked otherwise, or can't be answered, is a no", () => {
  const { filter } = filterOver([], [id("4")]);
  for (const path of [
    "",
    "/",
    "/store",
    "/p2p/filter/",
    "/p2p/filter/id/",
    `/p2p/filter/id/${id("4")}0`,
    `/p2p/filter/id/${id("Z")}`,
  ])
    assert.equal(filter.answer(path), false, path);
  assert.equal(filter.answer(`/p2p/filter/id/${id("4")}`), true);
  assert.equal(filter.answer("/p2p/filter/addr/203.0.113.9:40000"), true, "an address says nothing of who it is");
  const damaged = new PeerFilter({
    configured: [id("4")],
    state: () => ({
      get: () => {
        throw new Fault("state_corrupt");
      },
    }),
    onRefused: () => {},
  });
  assert.deepEqual([damaged.answer(`/p2p/filter/id/${id("4")}`), damaged.answer(`/p2p/filter/id/${id("1")}`)], [true, false]);
});

engineTest("a stranger is kept out, a node that a member names on the chain is let in and follows", async (context, binary) => {
  const seed = new Uint8Array(randomBytes(32));
  const joining = nodeIdOf(seed);
  const refused = Promise.withResolvers<string>();
  const onNotice = (notice: NodeNotice): void => {
    if (notice.event === "peer_refused") refused.resolve(notice.nodeId);
  };
  const net = await network(context, binary, 1, { maxBlockGapSeconds: 2 }, { optionsOf: () => ({ onNotice }) });
  const [{ ledger, options }] = net.nodes as [(typeof net.nodes)[0]];
  const stop = new AbortController();
  const opened: Promise<unknown>[] = [];
  let joined: CometbftLedger | undefined;
  const directory = await emptyFolder(context, async () => {
    stop.abort();
    await Promise.allSettled(opened);
    await joined?.close();
  });
  const opening = openCometbftLedger({
    binary,
    directory,
    genesis: ledger.genesis,
    nodeSeed: seed,
    p2p: {
      listen: `127.0.0.1:${await freePort()}`,
      peers: [{ id: ledger.engine.nodeId, address: options.p2p.listen }],
      loopback: true,
    },
    signal: stop.signal,
  });
  opened.push(opening);
  // It dials, proves its key, and is dropped.
  assert.equal(await refused.promise, joining);
  await ledger.receipt(await submit(ledger), "provable");
  assert.ok(!(await ledger.engine.peers()).includes(joining));
  const operations: Operation[] = [{ op: "setNodes", nodes: [fromHex(joining)] }];
  const { id: named } = await ledger.submit(signed({ chain: ledger.chainId, key: "hospital-a", operations }));
  const { height, results } = await ledger.receipt(named, "provable");
  assert.equal(results[0]?.outcome, "accepted");
  // It dials again by itself.
  joined = await opening;
  await untilHeight(joined, height);
  assert.deepEqual(joined.get(keys.node(joining)), ledger.get(keys.node(joining)));
  assert.ok((await ledger.engine.peers()).includes(joining));
});
