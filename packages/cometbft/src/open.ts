/**
 * The ledger of one node of a consortium: the same interface as the solo ledger, over CometBFT.
 * Source: design.md, "Ledger" (Drivers).
 */
import { type Ledger, type LedgerOptions, openDriverLedger } from "@xinglin/ledger";
import { CometbftDriver, type NodeEngine } from "./driver/cometbft-driver.ts";
import type { NodeOptions } from "./driver/node-options.ts";

/** The kind of driver that folders of such a ledger name. */
export const COMETBFT = "cometbft";

/** What `openCometbftLedger` needs. */
export interface CometbftLedgerOptions extends Omit<LedgerOptions, "validator" | "gatherMs">, NodeOptions {
  /** Breaks off an opening that waits for the others; what is open is closed by `close`. */
  readonly signal?: AbortSignal;
}

/** A ledger on CometBFT, and its engine for who looks after it. */
export interface CometbftLedger extends Ledger {
  readonly engine: NodeEngine;
}

/**
 * Opens a node's data folder, starts its CometBFT and goes on with the chain. Resolves when the first state is provable: on a new chain that
 * takes two thirds of the validators' power. Rejects with `Fault` as `openDriverLedger` does, and: `validator_key_in_use`, `validator_key_unreadable`,
 * `not_the_validator`, `signing_state_missing`, `port_in_use`, `wrong_engine_folder`, `wrong_genesis_folder`, `engine_failed`, the codes of its socket, and the reason of
 * `signal`.
 */
export async function openCometbftLedger(options: CometbftLedgerOptions): Promise<CometbftLedger> {
  const { signal } = options;
  signal?.throwIfAborted();
  let newest: CometbftDriver | undefined;
  const stop = (): void => void newest?.stop();
  signal?.addEventListener("abort", stop, { once: true });
  const ledger = await openDriverLedger({
    ...options,
    kind: COMETBFT,
    driver: (site) => {
      newest = new CometbftDriver(site, options);
      return newest;
    },
  }).finally(() => signal?.removeEventListener("abort", stop));
  if (signal?.aborted === true) {
    await ledger.close();
    throw signal.reason;
  }
  return Object.defineProperty(ledger, "engine", { get: () => newest?.engine, enumerable: true }) as CometbftLedger;
}
