/**
 * The deterministic application between a driver and the rules, in the shape of ABCI 2.0: a driver decides which transactions come in
 * which order and at what time, this decides what they come to. Equal blocks give equal app hashes on every node.
 * Source: design.md, "Ledger" (Execution, Drivers); CometBFT spec, ABCI++ application requirements.
 */
import {
  type BlockContext,
  chainIdOf,
  decodeGenesis,
  type Genesis,
  genesisChanges,
  getParameters,
  keys,
  MAX_BLOCK_VERIFICATION,
  type Parameters,
  type StateReader,
  verificationUnits,
} from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, Fault, invariant, Recent } from "@xinglin/primitives";
import type { BatchOperation, Prepared, State } from "@xinglin/state";
import { type Admitted, admitCandidate } from "./admission.ts";
import { type Appended, AuditLog, type LogPlace, type ReadStored } from "./audit-log.ts";
import type { BlockInput, Finalized } from "./block.ts";
import { type BlockResults, decodeResults, encodeResults, ResultIndex, type TransactionResult } from "./block-results.ts";
import type { Time } from "./block-time.ts";
import { type Candidate, candidateOf, decodeOrFault, idKeyOf } from "./candidate.ts";
import { CommittedReader } from "./committed-reader.ts";
import { execute } from "./execution.ts";
import { Gossip, type Origin, type Reaping } from "./gossip.ts";
import { Mempool, type MempoolLimits, type Waiting } from "./mempool.ts";
import { checkOneSeat } from "./one-seat.ts";
import { Overlay } from "./overlay.ts";
import { checkProposal, overBudget } from "./proposal.ts";
import { ReplayWindow, type WindowStep } from "./replay-window.ts";
import { type Retained, type RetentionPolicy, retain, retainedFrom } from "./retention.ts";
import { SignatureChecks } from "./signature-checks.ts";
import { storageKeys } from "./storage-keys.ts";
import { claimedSponsor } from "./transaction-walk.ts";
import { Unverified } from "./unverified.ts";

export interface ApplicationOptions {
  readonly genesis: Bytes;
  readonly state: State;
  /** Reads what earlier commits stored beside the state. */
  readonly read: ReadStored;
  /** When the next block will be, as far as one can tell: transactions are checked against this time. */
  readonly expectedTime: () => Time;
  readonly mempool: MempoolLimits;
  readonly verifyWorkers?: number;
  /** Hears of transactions that left the mempool without a block. */
  readonly onDropped: (idKey: string, fault: Fault) => void;
  /** What of old blocks may go; without, nothing. */
  readonly retention?: RetentionPolicy;
  /** The snapshots that are taken; without, none. */
  readonly snapshots?: { committed(height: number): void; readonly oldestHeight: number | undefined };
}

/** What a driver hears of a commit. */
export interface Committed {
  /** Blocks below this height may be forgotten; 0 or 1: none. */
  readonly retainHeight: number;
}

/** Blocks of which receipts are being asked for just now. */
const KEPT_INDEXES = 32;

/** Whether admission depends on this key. */
const isOfStanding = (key: string): boolean => key.startsWith("actor/") || key.startsWith("member/") || key === keys.parameters;

interface Pending {
  readonly input: BlockInput;
  readonly prepared: Prepared;
  readonly appended: Appended;
  readonly step: WindowStep;
  readonly finalized: Finalized;
  readonly changedKeys: readonly string[];
}

export class Application {
  readonly chainId: string;
  readonly genesis: Genesis;
  readonly #options: ApplicationOptions;
  readonly #state: State;
  #committed: CommittedReader;
  readonly #beginning: StateReader;
  #log: AuditLog;
  #window: ReplayWindow;
  readonly #signatures: SignatureChecks;
  readonly #mempool: Mempool;
  readonly #gossip: Gossip;
  readonly #unverified = new Unverified();
  #indexes = new Recent<number, ResultIndex>(KEPT_INDEXES);
  #pending: Pending | undefined;
  #expiredAt = 0;
  /** Counts the blocks that changed who may ask: what was admitted before one of these is asked about again. */
  #standing = 0;
  #keepsOneSeat = false;

  /** Continues from what `state` holds. Throws `Fault("malformed" | "genesis_invalid")` for a genesis that is none. */
  constructor(options: ApplicationOptions) {
    this.#options = options;
    this.genesis = decodeGenesis(options.genesis);
    this.chainId = chainIdOf(options.genesis);
    this.#state = options.state;
    this.#committed = new CommittedReader(options.state);
    const beginning = new Overlay(options.state);
    beginning.write(genesisChanges(this.genesis));
    this.#beginning = beginning;
    this.#log = new AuditLog(this.#committed, options.read);
    this.#window = ReplayWindow.load(this.#committed);
    this.#signatures = new SignatureChecks(this.genesis.parameters.webauthn, options.verifyWorkers);
    this.#mempool = new Mempool(options.mempool);
    this.#gossip = new Gossip(this.#mempool.isHere);
  }

  /** Height of the last committed block; 0 before the first. */
  get height(): number {
    return this.#state.height;
  }
  /** Root of the state after it. */
  get appHash(): Bytes {
    return this.#state.root;
  }
  /** The last committed state; before the first block, what the genesis will make it. */
  get committed(): StateReader {
    return this.#reader();
  }
  get log(): AuditLog {
    return this.#log;
  }
  /** Sequence number of the oldest entry that is here together with its block. */
  get firstEntry(): number {
    const height = retainedFrom(this.#options.read);
    return height <= 1 ? 0 : (this.results(height)?.first ?? this.#log.length);
  }
  get waiting(): number {
    return this.#mempool.size;
  }
  /** What governance may change, as of the last block; of the genesis before the first. */
  parameters(): Parameters {
    return getParameters(this.#reader()) ?? this.genesis.parameters;
  }

  /**
   * Takes a transaction into the mempool. Nothing of one that is turned away stays anywhere. Throws `Fault`: `malformed`,
   * `oversize`, `already_known`, `over_quota`, `verification_over_budget`, `signature_wrong`, `mempool_full`, `mempool_quota`, and the codes of admission.
   */
  async checkTx(bytes: Bytes): Promise<Candidate> {
    const { candidate, verified } = this.#receive(bytes, "own");
    await verified;
    return candidate;
  }

  /**
   * Takes a transaction that another node handed on: the same admission and the same shares as for this node's own. Throws what can be said at
   * once, as `checkTx` does; the promise settles when the signatures are checked, and rejects as `checkTx` does.
   */
  insertTx(bytes: Bytes): { readonly verified: Promise<void> } {
    return { verified: this.#receive(bytes, "peer").verified };
  }

  /** Waiting transactions that are to be handed on to other nodes now. Each is given once; own ones that wait on, again some blocks later. */
  reapTxs(reaping: Omit<Reaping, "height">): Bytes[] {
    return this.#gossip.reap({ ...reaping, height: this.height });
  }

  /** The array of the mempool with the same bytes, so that a transaction that comes again in a block is not decoded again; else `bytes`. */
  known(bytes: Bytes): Bytes {
    return this.#mempool.size === 0 ? bytes : (this.#mempool.byHash(idKeyOf(nodeSha256(bytes)))?.bytes ?? bytes);
  }

  /** Everything that can be said without waiting; then the signatures are verified. */
  #receive(bytes: Bytes, origin: Origin): { candidate: Candidate; verified: Promise<void> } {
    const parameters = this.parameters();
    const standing = this.#standing;
    // A crowd beyond a member's share is turned away before anything is decoded: under overload the thread is needed for blocks.
    const claimed = claimedSponsor(bytes);
    if (claimed !== undefined) {
      this.#mempool.checkRoom(claimed, bytes.length);
      this.#unverified.checkRoom(origin, claimed, bytes.length);
    }
    const candidate = candidateOf(bytes, parameters);
    const { transaction, hash } = candidate;
    const { sponsor, operations } = transaction.body;
    this.#checkNew(candidate);
    const admitted = admitCandidate(this.#reader(), candidate, this.#expectedBlock());
    if (admitted instanceof Fault) throw admitted;
    if (operations.length > parameters.memberQuota) throw new Fault("over_quota", { member: sponsor });
    const units = verificationUnits(admitted.jobs);
    if (units > MAX_BLOCK_VERIFICATION) throw overBudget(units);
    if (this.#keepsOneSeat) checkOneSeat(transaction);
    const leave = this.#unverified.enter(idKeyOf(hash), origin, sponsor, bytes.length);
    return { candidate, verified: this.#verify(candidate, admitted, standing, origin).finally(leave) };
  }

  async #verify(candidate: Candidate, { jobs }: Admitted, standing: number, origin: Origin): Promise<void> {
    const { bytes, hash, idKey, transaction } = candidate;
    const { sponsor, operations, notAfter } = transaction.body;
    const right = await this.#signatures.check({ hash, jobs }, origin);
    if (!right) throw new Fault("signature_wrong");
    // Another node's block, or the same body under another right signature, may have come meanwhile.
    this.#checkNew(candidate);
    // The signer's standing may have changed while the signature was checked: what is noted is the one from before.
    const waiting: Waiting = {
      id: transaction.id,
      idKey,
      hashKey: idKeyOf(hash),
      bytes,
      sponsor,
      operations: operations.length,
      verification: verificationUnits(jobs),
      notAfter,
      standing,
    };
    this.#mempool.add(waiting);
    this.#gossip.add(waiting, origin, this.#mempool.size);
  }

  /** Transactions for the next block, at most `maxBytes` of them, each of which `processProposal` would accept. */
  prepareProposal(block: {
    readonly height: number;
    readonly time: Time;
    readonly maxBytes: number;
    readonly maxOperations: number;
  }): Bytes[] {
    const parameters = this.parameters();
    const { maxBytes, maxOperations, height } = block;
    const time = block.time.seconds;
    // Among several validators a block's time is that of the votes before it, behind the clock that a transaction was taken in by: one whose
    // validity ends as late as may be is too far ahead of the next block, and a proposal with it would be refused by everyone, in every round.
    const latest = { time: time + parameters.maxValiditySeconds, height: height + parameters.maxValidityBlocks };
    const maxVerification = MAX_BLOCK_VERIFICATION;
    const limits = { maxBytes, maxOperations, maxVerification, quota: parameters.memberQuota, time, height, latest };
    const { transactions, expired } = this.#mempool.take(limits);
    for (const { idKey } of expired) this.#options.onDropped(idKey, new Fault("expired"));
    let left = maxVerification;
    return transactions.flatMap((waiting) => {
      const units = this.#unitsOf(waiting, this.#context(block), parameters);
      // A device may have got a dearer key since: then the last ones wait for the next block.
      if (units === undefined || units > left) return [];
      left -= units;
      return [waiting.bytes];
    });
  }

  /** Why a proposed block may not be decided, or undefined if it may. Asks nothing of this node's mempool. */
  processProposal(block: BlockInput): Promise<Fault | undefined> {
    return checkProposal(block, {
      state: this.#reader(),
      context: this.#context(block),
      parameters: this.parameters(),
      isReplay: (id) => this.#window.has(id),
      signatures: this.#signatures,
    });
  }

  /** Executes a decided block. Nothing is visible before `commit`. */
  async finalizeBlock(input: BlockInput): Promise<Finalized> {
    invariant(this.#pending === undefined, "application: the block before is not committed");
    invariant(input.height === this.height + 1, "application: a height is missing");
    const parameters = this.parameters();
    const candidates = input.transactions.map((bytes) => decodeOrFault(bytes, parameters));
    const block = this.#context(input);
    const executed = await execute({
      state: this.#committed,
      parameters,
      block,
      candidates,
      isReplay: (id) => this.#window.has(id),
      signatures: this.#signatures,
      conduct: { lastCommit: input.lastCommit ?? [], misbehaviour: input.misbehaviour ?? [] },
      ...(input.height === 1 ? { first: genesisChanges(this.genesis) } : {}),
    });
    const appended = this.#log.append(
      executed.decided.map(({ bytes }) => bytes),
      parameters.logEpochEntries,
    );
    const step = this.#window.step(this.#committed, block, executed.included);
    const changes = [...executed.changes, ...appended.changes, ...step.changes];
    const prepared = this.#state.prepare(input.height, changes);
    const first = this.#log.length;
    const entries = executed.decided.map((decided, i) => ({
      ...decided,
      sequence: first + i,
      place: appended.places[i] as LogPlace,
    }));
    const ids = executed.included.map(({ id }) => id);
    const { transactions: results, validatorUpdates } = executed;
    const finalized = { results, appHash: prepared.root, entries, ids, validatorUpdates };
    this.#pending = { input, prepared, appended, step, finalized, changedKeys: changes.map(({ key }) => key) };
    return finalized;
  }

  /**
   * Makes the finalized block durable and visible, with the driver's own writes in the same synced batch, and lets go of old blocks, though not from
   * `neededFrom` on, which the driver has still to tell of. Rejects as `State.commit` does.
   */
  async commit(extra: readonly BatchOperation[] = [], neededFrom?: number): Promise<Committed> {
    const pending = this.#pending;
    invariant(pending !== undefined, "application: nothing to commit");
    const { input, prepared, appended, step, finalized } = pending;
    const results: BlockResults = { time: input.time, first: this.#log.length, transactions: finalized.results };
    const stored: BatchOperation = { type: "put", key: storageKeys.results(input.height), value: encodeResults(results) };
    const retained = this.#retain(input, neededFrom);
    try {
      await this.#state.commit(prepared, [...extra, stored, ...appended.stored, ...retained.operations]);
    } finally {
      this.#pending = undefined;
    }
    this.#committed.forget(pending.changedKeys);
    if (pending.changedKeys.some(isOfStanding)) this.#standing++;
    this.#log.adopt(appended);
    this.#window.adopt(step);
    for (const [i, bytes] of input.transactions.entries()) {
      const candidate = decodeOrFault(bytes, this.parameters());
      if (!(candidate instanceof Fault)) this.#leave(candidate, finalized.results[i]);
    }
    this.#expire(input.time.seconds, input.height + 1);
    this.#options.snapshots?.committed(input.height);
    return retained;
  }

  /** A block held this transaction. Who waits for one that was turned away there hears why. */
  #leave({ idKey, hash }: Candidate, result: TransactionResult | undefined): void {
    if (result === undefined || !("code" in result)) {
      this.#mempool.remove(idKey);
      return;
    }
    // A copy with other bytes says nothing of the one that waits here.
    if (this.#mempool.byHash(idKeyOf(hash)) === undefined) return;
    this.#mempool.remove(idKey);
    this.#options.onDropped(idKey, new Fault(result.code));
  }

  #retain({ height, time }: BlockInput, oldestUntold: number | undefined): Retained {
    const { retention, snapshots, read } = this.#options;
    if (retention === undefined) return { retainHeight: 0, operations: [] };
    const oldestReceipt = this.#window.oldestValid({ height, time: time.seconds });
    return retain(retention, read, { height, time }, { oldestReceipt, oldestSnapshot: snapshots?.oldestHeight, oldestUntold });
  }

  /** Goes on from what the database holds now: a snapshot was taken in, or is being taken in. */
  async reload(): Promise<void> {
    invariant(this.#pending === undefined, "application: a block is under way");
    await this.#state.reload();
    this.#committed = new CommittedReader(this.#state);
    this.#log = new AuditLog(this.#committed, this.#options.read);
    this.#window = ReplayWindow.load(this.#committed);
    this.#indexes = new Recent(KEPT_INDEXES);
    this.#standing++;
  }

  /** Turns away from now on what would give the chain more validators: asked by a driver that is one. */
  keepOneSeat(): void {
    this.#keepsOneSeat = true;
  }

  /** Drops a finalized block that could not be committed. */
  abandon(): void {
    if (this.#pending !== undefined) this.#state.abandon(this.#pending.prepared);
    this.#pending = undefined;
  }

  /** The bytes of everything that waits, for a ledger that has to be opened again. */
  waitingTransactions(): Bytes[] {
    return this.#mempool.all().map(({ bytes }) => bytes);
  }

  /** Whether a transaction waits for a block. */
  isWaiting(idKey: string): boolean {
    return this.#mempool.has(idKey);
  }

  /**
   * Where a transaction of the replay window stands: its block, its index there, and its entries in the log. Undefined if it is not there, or
   * if its block was before this node joined, or long enough ago to be let go.
   */
  find(id: Bytes): { height: number; index: number; time: Time; first: number; operations: number } | undefined {
    const place = this.#window.find(id);
    if (place === undefined) return undefined;
    const index = this.#resultIndex(place.height);
    if (index === undefined) return undefined;
    return { height: place.height, time: index.results.time, ...index.included(place.index) };
  }

  /** How the transactions of a committed block came out. */
  results(height: number): BlockResults | undefined {
    const bytes = this.#options.read(storageKeys.results(height));
    return bytes === undefined ? undefined : decodeResults(bytes);
  }

  /** Starts what would otherwise start with the first transaction, and delay a proposal that others wait for. */
  warmUp(): Promise<void> {
    return this.#signatures.start();
  }

  close(): Promise<void> {
    return this.#signatures.close();
  }

  /** Drops what waits and can no longer be included; looks once a second, since it looks at everything. */
  #expire(time: number, height: number): void {
    if (time === this.#expiredAt) return;
    this.#expiredAt = time;
    for (const { idKey } of this.#mempool.expire(time, height)) this.#options.onDropped(idKey, new Fault("expired"));
  }

  #resultIndex(height: number): ResultIndex | undefined {
    const known = this.#indexes.get(height);
    if (known !== undefined) return known;
    const results = this.results(height);
    if (results === undefined) {
      invariant(height < retainedFrom(this.#options.read), "application: the results of a block are missing");
      return undefined;
    }
    const index = new ResultIndex(results);
    this.#indexes.set(height, index);
    return index;
  }

  #checkNew({ transaction, idKey }: Candidate): void {
    const included = this.#window.find(transaction.id);
    if (included !== undefined) throw new Fault("already_known", { height: included.height });
    if (this.isWaiting(idKey)) throw new Fault("already_known");
  }

  /** What the signatures of a waiting transaction cost now; undefined, and it leaves, if it is not admitted any more. */
  #unitsOf(
    { id, idKey, bytes, standing, verification }: Waiting,
    block: BlockContext,
    parameters: Parameters,
  ): number | undefined {
    // Validity was looked at when it was taken for the block.
    if (standing === this.#standing) return verification;
    // A snapshot may have brought blocks that hold it.
    const why = this.#window.has(id)
      ? new Fault("already_known")
      : admitCandidate(this.#reader(), candidateOf(bytes, parameters), block);
    if (!(why instanceof Fault)) return verificationUnits(why.jobs);
    this.#mempool.remove(idKey);
    this.#options.onDropped(idKey, why);
    return undefined;
  }

  #reader(): StateReader {
    return this.height === 0 ? this.#beginning : this.#committed;
  }

  #expectedBlock(): BlockContext {
    return this.#context({ height: this.height + 1, time: this.#options.expectedTime() });
  }

  #context({ height, time }: { height: number; time: Time }): BlockContext {
    return { chain: this.chainId, height, time: time.seconds } as BlockContext;
  }
}
