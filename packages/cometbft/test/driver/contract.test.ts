import type { TestContext } from "node:test";
import { test } from "node:test";
import type { Ledger } from "@xinglin/ledger";
import { driverContract } from "@xinglin/ledger/testing/driver-contract";
import { Fault } from "@xinglin/primitives";
import { ensureEngine } from "../../src/engine/engine.ts";
import { publicKeyOf } from "../../src/home/keys.ts";
import type { LocalNode } from "../../src/testing/local-network.ts";
import { consortiumOf } from "../support/consortium.ts";
import { network } from "../support/network.ts";

const binary = await ensureEngine().catch((error: unknown) => {
  if (error instanceof Fault && error.code === "go_missing") return error;
  throw error;
});

const consortium = consortiumOf(1, { maxBlockGapSeconds: 1 });
const nodes = new Map<Ledger, LocalNode>();

async function open(context: TestContext): Promise<Ledger> {
  const [node] = (await network(context, binary as string, 1, {}, consortium)).nodes;
  nodes.set(node!.ledger, node!);
  return node!.ledger;
}

async function reopen(ledger: Ledger): Promise<Ledger> {
  const node = nodes.get(ledger)!;
  await node.stop();
  const opened = await node.start();
  nodes.set(opened, node);
  return opened;
}

if (typeof binary === "string")
  driverContract("cometbft", {
    open,
    reopen,
    // The genesis asks for a block a second: a proposer that waits for work makes it.
    idle: () => {},
    validatorKey: publicKeyOf(consortium.seeds[0]!),
  });
else test("cometbft: the suite of every driver", (context) => context.skip(`CometBFT is not built: ${binary.message}`));
