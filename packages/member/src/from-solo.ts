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
  const { chain, data, genesis } = config;
  if (chain.driver !== "solo") throw new Fault("not_solo", { driver: chain.driver });
  readGenesis(config);
  const continuation = await handOverOnce({ data, genesis, validator: readValidatorKey(chain.validatorKey) });
  const next: ChainConfig = { driver: "cometbft", validatorKey: chain.validatorKey, peers: [], ...side };
  return { config: { ...config, chain: next }, continuation };
}

/** A folder with a solo ledger in it, the genesis file, and the key that made its blocks. */
export interface SoloFolder {
  readonly data: string;
  /** Path of the genesis; the file of the continuation is written beside it. */
  readonly genesis: string;
  readonly validator: ReturnType<typeof readValidatorKey>;
}

/** Hands the ledger over, or says how it was handed over before. Rejects with `ledger_locked`, and as `openLedger`. */
export async function handOverOnce({ data, genesis: path, validator }: SoloFolder): Promise<Continuation> {
  const genesis = readGenesis({ genesis: path });
  const known = readContinuation(path);
  // Moved on already: opening what is not there would begin the chain again.
  if (known !== undefined && !existsSync(ledgerFolder(data))) return known;
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
  return continuation;
}
