/**
 * What a node on CometBFT is told: its engine, its keys, its peers, its times.
 * Source: docs/internals/cometbft.md.
 */
import { join } from "node:path";
import { getValidators } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import type { cometbft } from "@xinglin/crypto/pure";
import type { DriverSite } from "@xinglin/ledger";
import { type Bytes, type Fault, toHex } from "@xinglin/primitives";
import type { ConfigOptions, ConsensusTimes, Peer, StateSync } from "../home/config-file.ts";
import type { Continuation, EvidenceAge } from "../home/genesis-file.ts";
import type { HomeOptions } from "../home/home.ts";
import type { EngineExit } from "../process/engine-process.ts";
import type { RpcAddress } from "../rpc/rpc-client.ts";

/** What happens to the engine, for the log. */
export type NodeNotice =
  | ({ readonly event: "engine_exited" } & EngineExit)
  | {
      readonly event: "proposal_refused";
      readonly height: number;
      /** Address of the validator that proposed it, hex. */
      readonly proposer: string;
      /** Why, as a `Fault`'s code and facts. */
      readonly code: string;
      readonly facts: Fault["facts"];
    }
  /** The node found its own state damaged and stopped: `code` and `facts` are those of the `Fault` that its ledger answers with from then on. */
  | { readonly event: "damaged"; readonly code: string; readonly facts: Fault["facts"] }
  /** A node that no member names, nor this node's configuration, was not let in. Told once of each. */
  | { readonly event: "peer_refused"; readonly nodeId: string }
  /** This machine's clock is so many seconds ahead of the chain's (negative: behind); 0 once it is right again. */
  | { readonly event: "clock_differs"; readonly seconds: number };

export interface NodeOptions {
  /** Absolute path of CometBFT, see `ensureEngine`. */
  readonly binary: string;
  /** Canonical bytes of the genesis document. */
  readonly genesis: Bytes;
  /** Seed of the validator's key; none for a node that only follows. */
  readonly validatorSeed?: Bytes;
  /** What key is made of that seed; Ed25519 if absent. */
  readonly validatorKeyType?: cometbft.KeyType;
  /** Seed of the key by which peers know this node; made once and kept if not given. */
  readonly nodeSeed?: Bytes;
  /** The node's name for people; by default the chain's. */
  readonly moniker?: string;
  readonly p2p: ConfigOptions["p2p"];
  /** Where CometBFT's RPC listens; by default a socket file that only this account can reach. */
  readonly rpc?: RpcAddress;
  readonly times?: ConsensusTimes;
  readonly reapIntervalMs?: number;
  readonly stateSync?: StateSync;
  readonly logLevel?: string;
  /** Where CometBFT continues a chain that began without it. */
  readonly continuation?: Continuation;
  /** How long a proposer's first transaction waits for company. */
  readonly gatherMs?: number;
  readonly maxBlockOperations?: number;
  /** For tests: for how long evidence of misbehaviour counts, the same on all nodes. */
  readonly evidenceAge?: EvidenceAge;
  readonly onNotice?: (notice: NodeNotice) => void;
  /** For tests: a proposer that leaves transactions out. */
  readonly choose?: (transactions: readonly Bytes[]) => readonly Bytes[];
  /** For tests: what a node hands on to its peers instead of the transactions that wait. */
  readonly handOn?: (transactions: readonly Bytes[]) => readonly Bytes[];
  /** For tests: the name of another machine that this node is meant to be on, which knows nothing of the keys in use on this one. */
  readonly machine?: string;
}

export type { Peer };

/** The lock that a process holds while it signs with this key, on this machine or on one that a test pretends. */
export const validatorLockName = (publicKey: Bytes, machine = ""): string =>
  `validator-${machine}${toHex(nodeSha256(publicKey)).slice(0, 40)}`;

/** The folder of CometBFT in a data folder. */
export const engineFolder = (directory: string): string => join(directory, "engine");

/** What the home folder is written from. */
export function homeOptions(
  { directory, application }: DriverSite,
  options: NodeOptions,
  { proxyApp, rpc }: { readonly proxyApp: string; readonly rpc: RpcAddress },
): HomeOptions {
  const { genesis, validatorSeed, validatorKeyType, nodeSeed, p2p, continuation, times, reapIntervalMs, stateSync, logLevel } =
    options;
  const { evidenceAge } = options;
  const { parameters, name } = application.genesis;
  return {
    folder: engineFolder(directory),
    genesis,
    ...(continuation === undefined ? {} : { continuation }),
    ...(evidenceAge === undefined ? {} : { evidenceAge }),
    ...(validatorSeed === undefined ? {} : { validatorSeed }),
    ...(validatorKeyType === undefined ? {} : { validatorKeyType }),
    ...(nodeSeed === undefined ? {} : { nodeSeed }),
    config: {
      moniker: options.moniker ?? name,
      proxyApp,
      rpc: "socketPath" in rpc ? `unix://${rpc.socketPath}` : `tcp://${rpc.host}:${rpc.port}`,
      p2p,
      maxTransactionBytes: parameters.maxTransactionBytes,
      alone: getValidators(application.committed).length === 1,
      ...(times === undefined ? {} : { times }),
      ...(reapIntervalMs === undefined ? {} : { reapIntervalMs }),
      ...(stateSync === undefined ? {} : { stateSync }),
      ...(logLevel === undefined ? {} : { logLevel }),
    },
  };
}
