/**
 * The ledger of a node, on the driver that its configuration names.
 * Source: design.md, "Drivers"; the CometBFT side is docs/internals/cometbft.md.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { type BuildNotice, EVIDENCE_AGE, ensureEngine, type NodeNotice, openCometbftLedger } from "@xinglin/cometbft";
import { chainIdOf } from "@xinglin/contracts";
import { readKeySeed, readValidatorKey } from "@xinglin/gateway";
import { type Ledger, type LedgerOptions, openLedger } from "@xinglin/ledger";
import { type Bytes, Fault, fromHex } from "@xinglin/primitives";
import type { ChainConfig, NodeConfig } from "./config/node-config.ts";
import { readContinuation } from "./continuation.ts";
import { listeningAddress } from "./listening.ts";

/** What happens while a node runs, for its operator. */
export type ChainNotice = BuildNotice | NodeNotice;

/** What of a node's ledger its configuration does not say. */
export interface ChainOptions {
  readonly onNotice?: (notice: ChainNotice) => void;
  /** Breaks off a start that waits for the others. */
  readonly signal?: AbortSignal;
  /** Height of the oldest block that the read model has still to read. */
  readonly neededFrom?: () => number;
}

type CometbftChain = Extract<ChainConfig, { readonly driver: "cometbft" }>;

/** How long a header stays trusted while a node joins by a snapshot: validators could have left since. Shorter than evidence counts. */
export const SNAPSHOT_TRUST_SECONDS = 604_800;

/** Folder of the ledger in a node's data folder. */
export const ledgerFolder = (data: string): string => join(data, "ledger");

/**
 * The genesis of a configuration. Throws `file_missing`, `genesis_unreadable`, or `genesis_of_another_chain` when the configuration names another
 * chain id.
 */
export function readGenesis({ genesis: path, chainId }: Pick<NodeConfig, "genesis" | "chainId">): Bytes {
  let bytes: Bytes;
  try {
    bytes = new Uint8Array(readFileSync(path));
  } catch (cause) {
    throw new Fault("file_missing", { path }, { cause });
  }
  const found = idOf(bytes, path);
  if (chainId !== undefined && chainId !== found) throw new Fault("genesis_of_another_chain", { path, found, wanted: chainId });
  return bytes;
}

function idOf(bytes: Bytes, path: string): string {
  try {
    return chainIdOf(bytes);
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "genesis_invalid") throw cause;
    throw new Fault("genesis_unreadable", { path }, { cause });
  }
}

/** Opens the ledger. Rejects as `readGenesis`, `readValidatorKey`, `ensureEngine`, `openLedger` and `openCometbftLedger` do. */
export async function openChain(config: NodeConfig, options: ChainOptions = {}): Promise<Ledger> {
  const { chain, data } = config;
  const genesis = readGenesis(config);
  const directory = ledgerFolder(data);
  if (chain.driver === "solo") {
    const validator = readValidatorKey(chain.validatorKey);
    return openLedger({ directory, genesis, validator });
  }
  const validator = chain.validatorKey === undefined ? undefined : readValidatorKey(chain.validatorKey);
  const seeds = {
    ...(validator === undefined ? {} : { validatorSeed: validator.seed, validatorKeyType: validator.type }),
    nodeSeed: readKeySeed(chain.nodeKey),
  };
  const continuation = readContinuation(config.genesis);
  const { onNotice, signal } = options;
  const binary = await ensureEngine(onNotice === undefined ? {} : { say: onNotice });
  return openCometbftLedger({
    binary,
    directory,
    genesis,
    ...seeds,
    ...(continuation === undefined ? {} : { continuation }),
    moniker: config.member,
    p2p: {
      listen: chain.listen,
      ...(chain.announce === undefined ? {} : { external: chain.announce }),
      peers: chain.peers,
      ...(chain.admit === undefined ? {} : { admit: chain.admit }),
      loopback: chain.loopback === true,
    },
    ...(chain.rpc === undefined ? {} : { rpc: listeningAddress(chain.rpc) }),
    ...stateSyncOf(chain),
    ...retentionOf(chain, options),
    ...(onNotice === undefined ? {} : { onNotice }),
    ...(signal === undefined ? {} : { signal }),
  });
}

function stateSyncOf({ stateSync }: CometbftChain) {
  if (stateSync === undefined) return {};
  const { servers, height, hash } = stateSync;
  fromHex(hash);
  return { stateSync: { rpcServers: servers, trustHeight: height, trustHash: hash, trustPeriodSeconds: SNAPSHOT_TRUST_SECONDS } };
}

function retentionOf({ keepBlocks, snapshotBlocks }: CometbftChain, { neededFrom }: ChainOptions): Partial<LedgerOptions> {
  return {
    ...(snapshotBlocks === undefined ? {} : { snapshotBlocks }),
    ...(keepBlocks === undefined
      ? {}
      : { retention: { keepBlocks, evidence: EVIDENCE_AGE, ...(neededFrom === undefined ? {} : { neededFrom }) } }),
  };
}
