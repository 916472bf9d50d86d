/**
 * CometBFT's `config.toml`: the settings that this project decides; every other is CometBFT's own default.
 * Source: CometBFT v0.40 `config/config.go`, `config/toml.go`; docs/internals/cometbft.md gives the reasons.
 */

/** A peer that a node keeps a connection to. */
export interface Peer {
  /** `nodeIdOf` its key. */
  readonly id: string;
  /** Host and port. */
  readonly address: string;
}

/** Where a joining node gets its first state from, instead of executing every block. */
export interface StateSync {
  /** Two or more addresses of RPC servers of other nodes, `http://host:port`. */
  readonly rpcServers: readonly string[];
  readonly trustHeight: number;
  /** Hash of the header at that height, hex. */
  readonly trustHash: string;
  readonly trustPeriodSeconds: number;
}

/** How long consensus waits for what, milliseconds. */
export interface ConsensusTimes {
  /** For a proposal, before the round goes on without one. */
  readonly proposeMs: number;
  /** For votes that are still on their way once two thirds are there. */
  readonly voteMs: number;
  /** For the votes of the slowest, after a block is decided; no longer than until all are there. */
  readonly commitMs: number;
  /** How often each peer is looked at for what it lacks: a step of consensus takes about half of it longer, and an idle node more the shorter it is. */
  readonly gossipMs: number;
}

/** Times for nodes in one country; measured in docs/internals/cometbft.md. */
export const CONSENSUS_TIMES: ConsensusTimes = { proposeMs: 3_000, voteMs: 500, commitMs: 100, gossipMs: 20 };

/**
 * How long a validator that makes all blocks alone rests after each. CometBFT hands a peer that lags no votes while a proposal is being made, and this
 * one makes proposals, and waits for work in them, all the time: without a rest, who has fallen two blocks behind would never be level again.
 */
const ALONE_REST_MS = 200;

export interface ConfigOptions {
  /** The node's name for people. */
  readonly moniker: string;
  /** Address of our ABCI server: `unix://…` or `tcp://host:port`. */
  readonly proxyApp: string;
  /** Address CometBFT's RPC listens on, in the same form. */
  readonly rpc: string;
  readonly p2p: {
    /** Host and port to listen on. */
    readonly listen: string;
    /** Host and port that peers are told, where it differs. */
    readonly external?: string;
    readonly peers: readonly Peer[];
    /** Ids of further nodes that are let in, though no member names them on the chain. */
    readonly admit?: readonly string[];
    /** Lets everybody in: for an application that can't say who may connect, and for measuring. */
    readonly open?: boolean;
    /** All nodes are on this machine: addresses may repeat and need not be routable. */
    readonly loopback?: boolean;
  };
  readonly maxTransactionBytes: number;
  readonly reapIntervalMs?: number;
  readonly times?: ConsensusTimes;
  /** One validator makes all blocks. */
  readonly alone?: boolean;
  readonly stateSync?: StateSync;
  /** CometBFT's own form, such as `error` or `consensus:info,*:error`. */
  readonly logLevel?: string;
}

/** How often CometBFT asks for transactions to hand on. */
const REAP_INTERVAL_MS = 25;
/** Bytes handed on at a time, so that votes are not stuck behind them: a peer takes them one by one on the thread that takes its votes. */
const REAP_BYTES = 131_072;
/** Hashes of transactions that CometBFT remembers to have seen. */
const SEEN_TRANSACTIONS = 100_000;
/** How far a block's time, the median of the validators' clocks, may be ahead of this node's: clocks may be minutes off. */
const BLOCK_TIME_TOLERANCE = "15m";
/** Bytes a second to and from a peer. CometBFT's default of 5 MB/s is less than a burst of full blocks takes. */
const PEER_RATE = 52_428_800;

/** The text of `config.toml`. */
export function configFile(options: ConfigOptions): string {
  const { p2p, times = CONSENSUS_TIMES, alone = false, stateSync } = options;
  const peers = p2p.peers.map(({ id, address }) => `${id}@${address}`);
  const sections: [string, Record<string, string | number | boolean>][] = [
    [
      "",
      {
        proxy_app: options.proxyApp,
        moniker: options.moniker,
        db_backend: "goleveldb",
        log_level: options.logLevel ?? "error",
        log_format: "plain",
        // Each connection is asked about (`driver/peer-filter.ts`).
        filter_peers: p2p.open !== true,
      },
    ],
    ["rpc", { laddr: options.rpc, max_open_connections: 64, pprof_laddr: "" }],
    [
      "p2p",
      {
        laddr: `tcp://${p2p.listen}`,
        external_address: p2p.external ?? "",
        persistent_peers: peers.join(","),
        unconditional_peer_ids: p2p.peers.map(({ id }) => id).join(","),
        persistent_peers_max_dial_period: "2s",
        addr_book_strict: p2p.loopback !== true,
        allow_duplicate_ip: p2p.loopback === true,
        pex: p2p.loopback !== true,
        flush_throttle_timeout: "10ms",
        send_rate: PEER_RATE,
        recv_rate: PEER_RATE,
      },
    ],
    [
      "mempool",
      {
        type: "app",
        broadcast: true,
        recheck: false,
        // What is handed on is a bundle of transactions.
        max_tx_bytes: options.maxTransactionBytes + REAP_BYTES,
        seen_cache_size: SEEN_TRANSACTIONS,
        reap_interval: `${options.reapIntervalMs ?? REAP_INTERVAL_MS}ms`,
        reap_max_bytes: REAP_BYTES,
      },
    ],
    [
      "consensus",
      {
        timeout_propose: `${times.proposeMs}ms`,
        timeout_propose_delta: "500ms",
        timeout_prevote: `${times.voteMs}ms`,
        timeout_prevote_delta: "500ms",
        timeout_precommit: `${times.voteMs}ms`,
        timeout_precommit_delta: "500ms",
        timeout_commit: `${alone ? ALONE_REST_MS : times.commitMs}ms`,
        skip_timeout_commit: !alone,
        create_empty_blocks: true,
        create_empty_blocks_interval: "0s",
        peer_gossip_sleep_duration: `${times.gossipMs}ms`,
        block_time_tolerance: BLOCK_TIME_TOLERANCE,
      },
    ],
    ["storage", { discard_abci_responses: true }],
    ["tx_index", { indexer: "null" }],
    ["instrumentation", { prometheus: false }],
  ];
  if (stateSync !== undefined) {
    const { rpcServers, trustHeight, trustHash, trustPeriodSeconds } = stateSync;
    sections.push([
      "statesync",
      {
        enable: true,
        rpc_servers: rpcServers.join(","),
        trust_height: trustHeight,
        trust_hash: trustHash,
        trust_period: `${trustPeriodSeconds}s`,
        discovery_time: "5s",
      },
    ]);
  }
  return sections.map(([name, settings]) => section(name, settings)).join("\n");
}

function section(name: string, settings: Record<string, string | number | boolean>): string {
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}\n`);
  return `${name === "" ? "" : `[${name}]\n`}${lines.join("")}`;
}
