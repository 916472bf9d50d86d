/**
 * From one hospital to a region: a solo node's folder goes on as a chain on CometBFT, with the same chain id, the same state, log and blocks. The one
 * validator signs on at first; others are admitted by vote then.
 * Source: requirement F13; docs/guides/run-a-consortium.md, "From one hospital to several".
 */
import { existsSync } from "node:fs";
import { COMETBFT, type Continuation } from "@xinglin/cometbft";
import { readValidatorKey } from "@xinglin/gateway";
import { handOver } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";
import type { ChainConfig, NodeConfig } from "./config/node-config.ts";
import { continuationFile, readContinuation, writeContinuation } from "./continuation.ts";
import { ledgerFolder, readGenesis } from "./open-chain.ts";

/** How the node is reached by others from now on. */
export type NetworkSide = Omit<Extract<ChainConfig, { readonly driver: "cometbft" }>, "driver" | "validatorKey" | "peers">;

const MILLISECOND = 1_000_000;
const SECOND = 1_000_000_000;

/**
 * Hands the ledger of a stopped solo node over, and gives the configuration to start with from now on; the file `genesis.cbor.continuation` has
 * to go to all who join, beside the genesis. What was interrupted goes on. Rejects with `not_solo`, `ledger_locked` while the node runs, and as `openLedger`.
 */
export async function continueAsNetwork(
  config: NodeConfig,
  side: NetworkSide,
): Promise<{ readonly config: NodeConfig; readonly continuation: Continuation }> {
  const { chain, data, genesis: path } = config;
  if (chain.driver !== "solo") throw new Fault("not_solo", { driver: chain.driver });
  const genesis = readGenesis(config);
  const validator = readValidatorKey(chain.validatorKey);
  try {
    await handOver({ directory: ledgerFolder(data), genesis, validator }, COMETBFT, ({ height, time, appHash }) => {
      const nanos = time.nanos + MILLISECOND;
      const genesisTime = { seconds: time.seconds + Math.floor(nanos / SECOND), nanos: nanos % SECOND };
      writeContinuation(path, { initialHeight: height + 1, appHash, genesisTime });
    });
  } catch (error) {
    const isHandedOver = error instanceof Fault && error.code === "wrong_driver_folder" && existsSync(continuationFile(path));
    if (!isHandedOver) throw error;
  }
  const continuation = readContinuation(path);
  if (continuation === undefined) throw new Fault("continuation_unreadable", { path: continuationFile(path) });
  const next: ChainConfig = { driver: "cometbft", validatorKey: chain.validatorKey, peers: [], ...side };
  return { config: { ...config, chain: next }, continuation };
}
