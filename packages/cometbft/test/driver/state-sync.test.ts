/** A node joins a chain that has let its first blocks go: by a snapshot, whose app hash CometBFT's light client verified. */

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { keys, type Operation } from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import { freePort } from "@xinglin/engines/testing";
import type { Ledger } from "@xinglin/ledger";
import { signed } from "@xinglin/ledger/testing/chain";
import { Fault, fromHex, toHex } from "@xinglin/primitives";
import { nodeIdOf } from "../../src/home/keys.ts";
import { type CometbftLedger, openCometbftLedger } from "../../src/open.ts";
import { emptyFolder, engineTest, network, submit, untilHeight } from "../support/network.ts";

const RETENTION = { keepBlocks: 3, evidence: { maxAgeBlocks: 1, maxAgeSeconds: 0 } };

/** Submits until the chain is at least so high. */
async function growTo(ledger: Ledger, height: number): Promise<void> {
  while (ledger.height() < height) {
    const id = await submit(ledger).catch((error: unknown) => {
      // A machine with much else to do may stall for a while.
      if (error instanceof Fault && error.retry) return undefined;
      throw error;
    });
    if (id === undefined) await untilHeight(ledger, ledger.height() + 1);
    else await ledger.receipt(id, "provable");
  }
}

engineTest("a node joins by a snapshot, checks it, and goes on with the chain", async (context, binary) => {
  const port = await freePort();
  const options = { rpc: { host: "127.0.0.1", port }, snapshotBlocks: 5, retention: RETENTION };
  const net = await network(context, binary, 1, { maxBlockGapSeconds: 2 }, { optionsOf: () => options });
  const nodeSeed = new Uint8Array(randomBytes(32));
  const [node] = net.nodes as [(typeof net.nodes)[0]];
  const { ledger } = node;
  const operations: Operation[] = [{ op: "setNodes", nodes: [fromHex(nodeIdOf(nodeSeed))] }];
  await ledger.submit(signed({ chain: ledger.chainId, key: "hospital-a", operations }));
  // The light client begins at a header that stays: others are let go as the chain grows.
  await growTo(ledger, 12);
  assert.ok((await readdir(join(node.directory, "snapshots"))).length > 0, "a snapshot was taken");
  const trustHeight = ledger.height() - 1;
  const { commit } = cometbft.decodeLightBlock(ledger.lightBlock(trustHeight)!);
  let joined: CometbftLedger | undefined;
  const directory = await emptyFolder(context, () => joined?.close());
  const server = `http://127.0.0.1:${port}`;
  joined = await openCometbftLedger({
    binary,
    directory,
    genesis: ledger.genesis,
    nodeSeed,
    p2p: {
      listen: `127.0.0.1:${await freePort()}`,
      peers: [{ id: ledger.engine.nodeId, address: node.options.p2p.listen }],
      loopback: true,
    },
    stateSync: {
      rpcServers: [server, server],
      trustHeight,
      trustHash: toHex(commit.blockId.hash),
      trustPeriodSeconds: 3_600,
    },
  });
  assert.ok(joined.firstEntry() > 0, "what came before the snapshot is not here");
  await growTo(ledger, ledger.height() + 4);
  const wanted = ledger.height();
  await untilHeight(joined, wanted);
  assert.equal(joined.entryCount(), ledger.entryCount());
  // The other goes on meanwhile.
  const height = joined.provableHeight();
  assert.deepEqual(joined.prove(keys.log, height), ledger.prove(keys.log, height));
  const first = joined.firstEntry();
  assert.ok(first < joined.entryCount());
  assert.deepEqual(joined.proveEntry(first).entry, ledger.proveEntry(first).entry);
});
