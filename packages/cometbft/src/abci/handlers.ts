/**
 * What CometBFT asks the application, in this project's own types: one method for each of ABCI's, and nothing of its protobuf. Heights,
 * counts and powers are safe integers (a request that holds a larger one is malformed and never arrives here), byte strings are plain
 * `Uint8Array`s that nobody writes to again. All byte strings of one request are views of one buffer: who keeps a few transactions of a
 * block for longer copies them.
 *
 * A handler that rejects with a `Fault` could not answer now: `checkTx`, `insertTx`, `query`, `verifyVoteExtension` and the two methods
 * that serve snapshots to peers then answer no, in their own way (`refusal` in `answers.ts`); every other one is answered with an exception,
 * upon which CometBFT stops and its owner may start it again. A handler that rejects with anything else has a bug: the whole server stops.
 * Source: CometBFT v0.40, proto `tendermint.abci` and spec "ABCI 2.0".
 */
import type { BlockInput, CommitVote, Misbehaviour, Time, ValidatorUpdate } from "@xinglin/ledger";
import type { Bytes } from "@xinglin/primitives";

/** A span of time. */
export interface Duration {
  readonly seconds: number;
  readonly nanos: number;
}

/** CometBFT's consensus parameters; in an answer, a group that is left out stays as it is. Source: proto `tendermint.types.ConsensusParams`. */
export interface ConsensusParams {
  /** Bytes of a block (-1: as many as CometBFT can), gas of its transactions (-1: any). */
  readonly block?: { readonly maxBytes: number; readonly maxGas: number };
  /** How old evidence may be, in blocks and in time, and how many bytes of it a block may bring. */
  readonly evidence?: { readonly maxAgeBlocks: number; readonly maxAge: Duration; readonly maxBytes: number };
  /** Types of key a validator may have: `ed25519`, `ml_dsa_65`. */
  readonly validator?: { readonly keyTypes: readonly string[] };
  readonly version?: { readonly app: number };
  /** First height at which votes carry extensions; 0: never. */
  readonly abci?: { readonly voteExtensionsEnableHeight: number };
}

/** `Info`: asked at every start, before anything else; CometBFT replays the blocks above `lastBlockHeight`. */
export interface InfoRequest {
  /** Of CometBFT. */
  readonly version: string;
  readonly blockVersion: number;
  readonly p2pVersion: number;
  readonly abciVersion: string;
}
export interface InfoResponse {
  /** Free text. */
  readonly data?: string;
  /** Of this software. */
  readonly version: string;
  /** Of the application's protocol; stands in every header. */
  readonly appVersion: number;
  /** 0 before the first block. */
  readonly lastBlockHeight: number;
  readonly lastBlockAppHash: Bytes;
}

/** `InitChain`: once in a chain's life, before its first block; never after state sync. */
export interface InitChainRequest {
  readonly time: Time;
  readonly chainId: string;
  readonly consensusParams: ConsensusParams;
  readonly validators: readonly ValidatorUpdate[];
  /** `app_state` of CometBFT's genesis file, JSON as it stands there. */
  readonly appState: Bytes;
  readonly initialHeight: number;
}
export interface InitChainResponse {
  readonly consensusParams?: ConsensusParams;
  /** Empty: those of the request. */
  readonly validators: readonly ValidatorUpdate[];
  readonly appHash: Bytes;
}

/** `Query`: somebody asked CometBFT's RPC `abci_query`; also its filter of peers (`path` begins with `/p2p/filter/`). */
export interface QueryRequest {
  readonly data: Bytes;
  readonly path: string;
  /** 0: the newest. */
  readonly height: number;
  readonly prove: boolean;
}
export interface QueryResponse {
  /** 0 is success. */
  readonly code: number;
  readonly codespace?: string;
  readonly log?: string;
  readonly key?: Bytes;
  readonly value?: Bytes;
  readonly proofOps?: readonly { readonly type: string; readonly key: Bytes; readonly data: Bytes }[];
  readonly height?: number;
}

/** `CheckTx`: `broadcast_tx_*` of CometBFT's RPC. With a mempool of type `app` nothing follows from the answer but the answer. */
export interface CheckTxRequest {
  readonly transaction: Bytes;
  readonly recheck: boolean;
}
export interface CheckTxResponse {
  /** 0 is success; from `RETRY_CODE` on the same transaction may be sent again soon. */
  readonly code: number;
  readonly codespace?: string;
  readonly data?: Bytes;
  readonly log?: string;
}

/**
 * From this code on, an answer to `InsertTx` or `CheckTx` means "not now": CometBFT forgets within seconds that it has seen the transaction.
 * Any other code but 0 keeps it out until it is forgotten in the order of the cache. Source: CometBFT v0.40, `mempool/app_mempool.go`.
 */
export const RETRY_CODE = 32_000;

/** `InsertTx`: a peer handed this transaction on. */
export interface InsertTxRequest {
  readonly transaction: Bytes;
}
export interface InsertTxResponse {
  /** 0 is success; see `RETRY_CODE`. */
  readonly code: number;
}

/** `ReapTxs`: every `reap_interval`; the transactions of the answer go to the peers, once. A bound of 0 is none. */
export interface ReapTxsRequest {
  readonly maxBytes: number;
  readonly maxGas: number;
}
export interface ReapTxsResponse {
  readonly transactions: readonly Bytes[];
}

/** `Commit`: make the finalized block durable. */
export interface CommitResponse {
  /** CometBFT may forget the blocks below; 0: none. */
  readonly retainHeight: number;
}

/** A snapshot of the state as peers tell each other of it. Source: proto `tendermint.abci.Snapshot`. */
export interface Snapshot {
  readonly height: number;
  readonly format: number;
  readonly chunks: number;
  readonly hash: Bytes;
  readonly metadata: Bytes;
}
/** `OfferSnapshot`: a peer has this snapshot; `appHash` was verified by the light client for the snapshot's height. */
export interface OfferSnapshotRequest {
  readonly snapshot: Snapshot;
  readonly appHash: Bytes;
}
export type OfferSnapshotResult = "accept" | "abort" | "reject" | "reject_format" | "reject_sender";

/** `LoadSnapshotChunk`: a peer wants this chunk. An empty answer: it is not here (any more). */
export interface LoadSnapshotChunkRequest {
  readonly height: number;
  readonly format: number;
  /** From 0. */
  readonly chunk: number;
}

/** `ApplySnapshotChunk`: a chunk of the snapshot that was accepted, from the peer `sender`. */
export interface ApplySnapshotChunkRequest {
  /** From 0. */
  readonly index: number;
  readonly chunk: Bytes;
  readonly sender: string;
}
export interface ApplySnapshotChunkResponse {
  readonly result: "accept" | "abort" | "retry" | "retry_snapshot" | "reject_snapshot";
  /** Chunks to fetch and apply again. */
  readonly refetchChunks?: readonly number[];
  /** Peers to take no more chunks from. */
  readonly rejectSenders?: readonly string[];
}

/** A vote of the last height with its extension, as only a proposer sees it. */
export interface ExtendedCommitVote extends CommitVote {
  readonly extension: Bytes;
}

/** `PrepareProposal`: this node proposes the block; `transactions` are CometBFT's, none with a mempool of type `app`. */
export interface PrepareProposalRequest {
  /** Bytes of all transactions together, each with its protobuf framing; an answer beyond makes CometBFT panic. */
  readonly maxTxBytes: number;
  readonly transactions: readonly Bytes[];
  readonly localLastCommit: readonly ExtendedCommitVote[];
  readonly misbehaviour: readonly Misbehaviour[];
  readonly height: number;
  readonly time: Time;
  readonly nextValidatorsHash: Bytes;
  readonly proposerAddress: Bytes;
}

/** A block as CometBFT hands it over: everything the application decides by, and what names it. */
export interface AbciBlock extends Required<BlockInput> {
  readonly hash: Bytes;
  readonly nextValidatorsHash: Bytes;
  readonly proposerAddress: Bytes;
}

/** `VerifyVoteExtension`: the extension of another validator's precommit. */
export interface VerifyVoteExtensionRequest {
  /** Of the block voted for. */
  readonly hash: Bytes;
  readonly validatorAddress: Bytes;
  readonly height: number;
  readonly extension: Bytes;
}

/** How one transaction of a block came out. CometBFT hashes these four into the next header's `last_results_hash`. */
export interface TxResult {
  /** 0 is success. */
  readonly code: number;
  readonly data?: Bytes;
  readonly gasWanted?: number;
  readonly gasUsed?: number;
}
/** `FinalizeBlock`: what the decided block came to. */
export interface FinalizeBlockResponse {
  /** One for each transaction, in order. */
  readonly results: readonly TxResult[];
  readonly validatorUpdates: readonly ValidatorUpdate[];
  readonly consensusParams?: ConsensusParams;
  readonly appHash: Bytes;
}

/**
 * The application as CometBFT sees it. CometBFT asks over four connections at once: consensus (`initChain`, `prepareProposal`,
 * `processProposal`, `extendVote`, `verifyVoteExtension`, `finalizeBlock`, `commit`), mempool (`checkTx`, `insertTx`, `reapTxs`), query
 * (`info`, `query`) and snapshot. What is under way on one connection never waits for another, so `checkTx` may come between
 * `finalizeBlock` and `commit`. On one connection `checkTx`, `insertTx`, `query` and `info` may overlap; everything else is called one after
 * another, in order.
 *
 * When CometBFT is stopped in the middle of a call and started again, `info` and everything of consensus waits until that call has come
 * back. A block that was finalized and not committed then comes again: `finalizeBlock` may be called twice for one height.
 */
export interface AbciHandlers {
  info(request: InfoRequest): Promise<InfoResponse>;
  query(request: QueryRequest): Promise<QueryResponse>;
  checkTx(request: CheckTxRequest): Promise<CheckTxResponse>;
  insertTx(request: InsertTxRequest): Promise<InsertTxResponse>;
  reapTxs(request: ReapTxsRequest): Promise<ReapTxsResponse>;
  initChain(request: InitChainRequest): Promise<InitChainResponse>;
  prepareProposal(request: PrepareProposalRequest): Promise<{ readonly transactions: readonly Bytes[] }>;
  processProposal(request: AbciBlock): Promise<{ readonly accept: boolean }>;
  extendVote(request: AbciBlock): Promise<{ readonly extension: Bytes }>;
  verifyVoteExtension(request: VerifyVoteExtensionRequest): Promise<{ readonly accept: boolean }>;
  finalizeBlock(request: AbciBlock): Promise<FinalizeBlockResponse>;
  commit(): Promise<CommitResponse>;
  listSnapshots(): Promise<{ readonly snapshots: readonly Snapshot[] }>;
  offerSnapshot(request: OfferSnapshotRequest): Promise<{ readonly result: OfferSnapshotResult }>;
  loadSnapshotChunk(request: LoadSnapshotChunkRequest): Promise<{ readonly chunk: Bytes }>;
  applySnapshotChunk(request: ApplySnapshotChunkRequest): Promise<ApplySnapshotChunkResponse>;
}
