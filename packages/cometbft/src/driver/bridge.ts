/**
 * From CometBFT's questions to the application: which transactions, which order, what they come to. Knows nothing of processes or sockets.
 * Source: CometBFT v0.40 spec "ABCI 2.0"; design.md, "Execution", "Drivers".
 */
import { randomInt } from "node:crypto";
import { chainIdOf } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Application, damageIn, type Finalized, idKeyOf } from "@xinglin/ledger";
import { type Bytes, equal, Fault, invariant, toHex } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import {
  type AbciBlock,
  type AbciHandlers,
  type CheckTxRequest,
  type CheckTxResponse,
  type CommitResponse,
  type FinalizeBlockResponse,
  type InfoResponse,
  type InitChainRequest,
  type InitChainResponse,
  type InsertTxRequest,
  type InsertTxResponse,
  type PrepareProposalRequest,
  type QueryRequest,
  RETRY_CODE,
  type ReapTxsRequest,
  type ReapTxsResponse,
  type TxResult,
} from "../abci/handlers.ts";
import { APP_PROTOCOL, genesisInAppState } from "../home/genesis-file.ts";
import { answerCode, REFUSED_CODE } from "./answer-code.ts";
import { Arrivals } from "./arrivals.ts";
import type { BlockSize } from "./block-size.ts";
import { bundle, unbundle } from "./bundle.ts";
import type { Pace } from "./pace.ts";
import type { PeerFilter } from "./peer-filter.ts";
import type { ReapWait } from "./reap-wait.ts";
import type { SnapshotMethods } from "./snapshots.ts";

/** A result under the header's `last_results_hash`; the same values as in the ledger's `resultsHash`. */
const DECIDED: TxResult = { code: 0 };
const TURNED_AWAY: TxResult = { code: 1 };
/** Bytes handed to peers at a time, where CometBFT names no bound. */
const DEFAULT_REAP_BYTES = 131_072;

/** What the bridge asks of the driver that it works for. */
export interface BridgeOptions {
  readonly application: Application;
  readonly genesis: Bytes;
  readonly initialHeight: number;
  readonly pace: Pace;
  readonly reapWait: ReapWait;
  readonly blockSize: BlockSize;
  readonly peers: PeerFilter;
  /** Throws `Fault("disk_full")` when there is no room for a block. */
  readonly checkRoom: () => void;
  /** Hand on what came from peers, too: some peer is not connected to all. */
  readonly relay: () => boolean;
  /** A proposal may not be decided: the proposer or this node is wrong. */
  readonly onRefused: (block: AbciBlock, fault: Fault) => void;
  /** A decided block is being executed: its light block can be fetched meanwhile. */
  readonly onDecided: (block: AbciBlock) => void;
  /** Rows that become durable with the block, for instance its light block. */
  readonly rowsFor: (height: number) => Promise<readonly BatchOperation[]>;
  readonly onCommitted: (block: AbciBlock, finalized: Finalized) => void;
  /** A block could not be made durable, or the state is damaged: what the database holds is not to be trusted before it is opened again. */
  readonly onFailed: (error: unknown) => void;
  /** Blocks from this height on are still needed by the driver, here and in CometBFT. */
  readonly neededFrom: () => number;
  readonly snapshots: SnapshotMethods;
  /** For tests: which transactions a proposer that leaves some out puts into its block. */
  readonly choose?: (transactions: readonly Bytes[]) => readonly Bytes[];
  /** For tests: what is handed on to peers instead. */
  readonly handOn?: (transactions: readonly Bytes[]) => readonly Bytes[];
}

export class Bridge implements AbciHandlers {
  readonly #options: BridgeOptions;
  /** The proposal that was looked at last: the decided block is nearly always this one, decoded already. */
  #seen: { readonly hash: Bytes; readonly transactions: readonly Bytes[] } | undefined;
  #finalized: { readonly block: AbciBlock; readonly finalized: Finalized } | undefined;
  #needsProof = true;
  readonly #arrivals: Arrivals;
  /** Number of the newest bundle; begins anywhere, so that a node that was started again does not repeat itself. */
  #bundles = randomInt(2 ** 32);

  constructor(options: BridgeOptions) {
    this.#options = options;
    this.#arrivals = new Arrivals(options.application, () => options.pace.notify());
  }

  async info(): Promise<InfoResponse> {
    const { application, initialHeight } = this.#options;
    // CometBFT was started (again): what it had decided and we had not committed, it hands over once more.
    application.abandon();
    this.#finalized = undefined;
    const { height, appHash } = application;
    // A chain that CometBFT continues begins for it, too: it must ask InitChain.
    const lastBlockHeight = height < initialHeight ? 0 : height;
    return { version: "1", appVersion: APP_PROTOCOL, lastBlockHeight, lastBlockAppHash: appHash };
  }

  async initChain(request: InitChainRequest): Promise<InitChainResponse> {
    const { application, genesis, initialHeight } = this.#options;
    const { chainId, appState, validators } = request;
    if (chainId !== chainIdOf(genesis)) throw new Fault("wrong_chain_folder", { found: chainId, wanted: chainIdOf(genesis) });
    const carried = genesisInAppState(appState);
    const found = carried === undefined ? "-" : toHex(nodeSha256(carried));
    const wanted = toHex(nodeSha256(genesis));
    const isSame =
      found === wanted && request.initialHeight === initialHeight && sameValidators(validators, application.genesis.validators);
    if (!isSame) throw new Fault("wrong_genesis_folder", { found, wanted });
    return { validators: [], appHash: application.appHash };
  }

  async query({ path }: QueryRequest): Promise<{ code: number; codespace: string }> {
    // Reading goes through our own interface, with proofs: CometBFT itself asks who may connect.
    return { code: this.#options.peers.answer(path) ? 0 : REFUSED_CODE, codespace: "xinglin" };
  }

  async checkTx({ transaction }: CheckTxRequest): Promise<CheckTxResponse> {
    const { application, pace } = this.#options;
    try {
      await application.checkTx(transaction);
      pace.notify();
      return { code: 0 };
    } catch (error) {
      return { code: answerCode(error), codespace: "xinglin", log: (error as Fault).code };
    }
  }

  async insertTx({ transaction }: InsertTxRequest): Promise<InsertTxResponse> {
    this.#options.reapWait.notify();
    try {
      return { code: this.#arrivals.add(unbundle(transaction)) ? 0 : RETRY_CODE };
    } catch (error) {
      return { code: answerCode(error) };
    }
  }

  async reapTxs({ maxBytes }: ReapTxsRequest): Promise<ReapTxsResponse> {
    const { application, reapWait, relay, handOn = (all) => all } = this.#options;
    await reapWait.untilWork();
    const transactions = handOn(application.reapTxs({ maxBytes: maxBytes || DEFAULT_REAP_BYTES, relay: relay() }));
    if (transactions.length === 0) return { transactions };
    this.#bundles = (this.#bundles + 1) >>> 0;
    return { transactions: [bundle(transactions, this.#bundles)] };
  }

  prepareProposal(request: PrepareProposalRequest): Promise<{ transactions: readonly Bytes[] }> {
    return this.#undamaged(() => this.#prepareProposal(request));
  }

  processProposal(request: AbciBlock): Promise<{ accept: boolean }> {
    return this.#undamaged(() => this.#processProposal(request));
  }

  finalizeBlock(request: AbciBlock): Promise<FinalizeBlockResponse> {
    return this.#undamaged(() => this.#finalizeBlock(request));
  }

  /** Who finds the state damaged while it decides on a block can't be right about any block. */
  async #undamaged<T>(decide: () => Promise<T>): Promise<T> {
    try {
      return await decide();
    } catch (error) {
      const damage = damageIn(error);
      if (damage === undefined) throw error;
      this.#options.onFailed(damage);
      throw damage;
    }
  }

  async #prepareProposal(request: PrepareProposalRequest): Promise<{ transactions: readonly Bytes[] }> {
    const { application, pace, blockSize, choose } = this.#options;
    await pace.untilWork(this.#needsProof);
    const { height, time, maxTxBytes: maxBytes } = request;
    const transactions = application.prepareProposal({ height, time, maxBytes, maxOperations: blockSize.operations });
    return { transactions: choose === undefined ? transactions : choose(transactions) };
  }

  async #processProposal(request: AbciBlock): Promise<{ accept: boolean }> {
    const { application, onRefused } = this.#options;
    const transactions = request.transactions.map((bytes) => application.known(bytes));
    this.#seen = { hash: request.hash, transactions };
    const fault = await application.processProposal({ ...request, transactions });
    if (fault !== undefined) onRefused(request, fault);
    return { accept: fault === undefined };
  }

  async extendVote(): Promise<{ extension: Bytes }> {
    return { extension: new Uint8Array(0) };
  }
  async verifyVoteExtension({ extension }: { readonly extension: Bytes }): Promise<{ accept: boolean }> {
    return { accept: extension.length === 0 };
  }

  async #finalizeBlock(request: AbciBlock): Promise<FinalizeBlockResponse> {
    const { application, blockSize, onDecided, checkRoom, reapWait } = this.#options;
    reapWait.hold();
    checkRoom();
    const block = { ...request, transactions: this.#decoded(request) };
    onDecided(block);
    const before = application.appHash;
    const started = performance.now();
    const finalized = await application.finalizeBlock(block);
    blockSize.observe(finalized.entries.length, performance.now() - started);
    this.#finalized = { block, finalized };
    this.#needsProof = !equal(before, finalized.appHash);
    const results = finalized.results.map((result) => ("code" in result ? TURNED_AWAY : DECIDED));
    return { results, validatorUpdates: finalized.validatorUpdates, appHash: finalized.appHash };
  }

  async commit(): Promise<CommitResponse> {
    const { application, rowsFor, onCommitted, onFailed, neededFrom, reapWait } = this.#options;
    reapWait.resume();
    const done = this.#finalized;
    invariant(done !== undefined, "bridge: nothing to commit");
    this.#finalized = undefined;
    this.#seen = undefined;
    const rows = await rowsFor(done.block.height);
    const committed = await application.commit(rows, neededFrom()).catch((error: unknown) => {
      onFailed(error);
      throw error;
    });
    onCommitted(done.block, done.finalized);
    return { retainHeight: committed.retainHeight };
  }

  listSnapshots: AbciHandlers["listSnapshots"] = () => this.#options.snapshots.listSnapshots();
  offerSnapshot: AbciHandlers["offerSnapshot"] = (request) => this.#options.snapshots.offerSnapshot(request);
  loadSnapshotChunk: AbciHandlers["loadSnapshotChunk"] = (request) => this.#options.snapshots.loadSnapshotChunk(request);
  applySnapshotChunk: AbciHandlers["applySnapshotChunk"] = (request) => this.#options.snapshots.applySnapshotChunk(request);

  #decoded({ hash, transactions }: AbciBlock): readonly Bytes[] {
    if (this.#seen !== undefined && equal(this.#seen.hash, hash)) return this.#seen.transactions;
    return transactions.map((bytes) => this.#options.application.known(bytes));
  }
}

function sameValidators(
  asked: readonly { readonly publicKey: Bytes; readonly power: number }[],
  ours: readonly { readonly publicKey: Bytes; readonly power: number }[],
): boolean {
  const told = (all: typeof asked): string[] => all.map(({ publicKey, power }) => `${idKeyOf(publicKey)} ${power}`).toSorted();
  return told(asked).join() === told(ours).join();
}
