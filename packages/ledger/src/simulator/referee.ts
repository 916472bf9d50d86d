/**
 * Watches every node and knows nothing of how they work: what one of them answered at a height, all must; what was committed stays; what is decided is
 * provable; what honest nodes propose is taken, and what none of them would propose is not. A breach is a `Violation`.
 * Source: style.md, "Tests" (simulation); CometBFT spec, ABCI++ application requirements.
 */
import { type AuditEntry, decodeTransaction } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, type Fault, toHex } from "@xinglin/primitives";
import type { Finalized } from "../block.ts";
import { idKeyOf } from "../candidate.ts";
import { AccessCheck } from "./access-check.ts";
import type { Block, ChainFacts } from "./block.ts";
import type { SimulatedNode } from "./node.ts";
import type { Profile } from "./profile.ts";
import { proveEntry } from "./proof-check.ts";
import type { Random } from "./random.ts";
import { checkComplete } from "./selection-check.ts";
import { mustHold } from "./violation.ts";
import type { StoredBlock, Witness } from "./witness.ts";

/** What a decided height came to, as the first node that executed it had it. */
interface Decided {
  readonly outcome: string;
  readonly appHash: string;
  readonly entries: Finalized["entries"];
  readonly ids: readonly string[];
  /** Log entries and included transactions up to and with this block. */
  readonly logLength: number;
  readonly included: number;
}

/** Ids of this many blocks are looked for after each commit. */
const REMEMBERED_BLOCKS = 3;
/** Entries at the end of the log that are read again after a start. */
const REREAD_ENTRIES = 40;
const REREAD_VALUES = 30;

export class Referee implements Omit<Witness, "committed"> {
  readonly #facts: ChainFacts;
  readonly #profile: Profile;
  readonly #random: Random;
  readonly #blocks = new Map<number, string>();
  readonly #decided = new Map<number, Decided>();
  /** Heights whose state one node has shown after its commit. */
  #seen = 0;
  readonly #includedAt = new Map<string, number>();
  readonly #includedBytes: Bytes[] = [];
  readonly #mustRefuse = new Map<string, string>();
  readonly #entries: { readonly sequence: number; readonly bytes: Bytes; readonly entry: AuditEntry }[] = [];
  readonly #refusals: number[] = [];
  /** What each node took since it started and neither included nor dropped: hex of the id by its map key. */
  readonly #owed = new Map<number, Map<string, string>>();
  readonly access = new AccessCheck();
  /** How transactions and operations came out, proposals were judged, entries were proved. */
  readonly counts = {
    blocks: 0,
    transactions: 0,
    turnedAway: 0,
    accepted: 0,
    refused: 0,
    proposalsTaken: 0,
    proposalsRefused: 0,
    proofs: 0,
    validatorUpdates: 0,
  };

  constructor(facts: ChainFacts, profile: Profile, random: Random) {
    this.#facts = facts;
    this.#profile = profile;
    this.#random = random;
  }

  /** Newest height that some node executed. */
  get height(): number {
    return this.#decided.size;
  }
  /** Transactions that blocks below `height` included. */
  includedBelow(height: number): readonly Bytes[] {
    return this.#includedBytes.slice(0, this.#decided.get(height - 1)?.included ?? 0);
  }
  heightOf(id: Bytes): number | undefined {
    return this.#includedAt.get(toHex(id));
  }

  /** A node took this transaction from a client. */
  taken(node: number, transaction: Bytes): void {
    const { id } = decodeTransaction(transaction);
    const owed = this.#owed.get(node) ?? new Map<string, string>();
    this.#owed.set(node, owed.set(idKeyOf(id), toHex(id)));
  }

  /** A proposal that every node must refuse, and why. */
  mustRefuse(block: Block, trick: string): void {
    this.#mustRefuse.set(block.key, trick);
  }

  /** An honest node proposed this. */
  prepared(node: SimulatedNode, block: Block): void {
    const { memberQuota: quota, maxValiditySeconds } = node.application.parameters();
    checkComplete(node.application.waitingTransactions(), block.txs, {
      quota,
      latestSeconds: block.header.time.seconds + maxValiditySeconds,
      maxBytes: this.#facts.maxBlockBytes,
      maxOperations: this.#profile.blockOperations,
    });
  }

  /** A block became final for a node. */
  agreed(node: number, { block }: StoredBlock): void {
    const { height } = block.header;
    const known = this.#blocks.get(height) ?? block.key;
    mustHold(known === block.key, `node ${node} has another block at ${height}`);
    this.#blocks.set(height, known);
    mustHold(!this.#mustRefuse.has(block.key), () => `a proposal was decided that is ${this.#mustRefuse.get(block.key)}`);
  }

  verdict(node: number, block: Block, isRight: boolean, fault: Fault | undefined): void {
    if (isRight) this.counts.proposalsTaken++;
    else this.counts.proposalsRefused++;
    const trick = this.#mustRefuse.get(block.key);
    if (trick === undefined)
      mustHold(
        isRight,
        () => `node ${node} refused a proposal that an honest node may make: ${fault?.code ?? "without a reason"}`,
      );
    else mustHold(!isRight, `node ${node} accepted a proposal that is ${trick}`);
  }

  finalized(node: number, block: Block, finalized: Finalized): void {
    const { height } = block.header;
    const outcome = outcomeOf(finalized);
    const known = this.#decided.get(height);
    if (known !== undefined) {
      mustHold(known.outcome === outcome, `node ${node} came to another outcome at ${height}: ${known.outcome} and ${outcome}`);
      return;
    }
    const { entries, validatorUpdates, results } = finalized;
    const ids = finalized.ids.map(toHex);
    for (const id of ids) {
      mustHold(!this.#includedAt.has(id), () => `a transaction of ${this.#includedAt.get(id)} was included again at ${height}`);
      this.#includedAt.set(id, height);
    }
    for (const [i, result] of results.entries()) if (!("code" in result)) this.#includedBytes.push(block.txs[i] as Bytes);
    const logLength = (this.#decided.get(height - 1)?.logLength ?? 0) + entries.length;
    const included = this.#includedBytes.length;
    this.#decided.set(height, { outcome, appHash: toHex(finalized.appHash), entries, ids, logLength, included });
    this.#facts.schedule.decided(height, validatorUpdates);
    this.#count(finalized);
  }

  committed(node: SimulatedNode, block: Block): void {
    const { height } = block.header;
    this.#checkState(node, height);
    const { application } = node;
    if (height > this.#seen) {
      mustHold(height === this.#seen + 1, "blocks are committed in order");
      this.#seen = height;
      const { entries } = this.#decided.get(height) as Decided;
      this.access.block(
        entries.map(({ entry }) => entry),
        application.committed,
      );
      for (const { sequence, bytes, entry } of entries) {
        if (entry.outcome === "refused") this.#refusals.push(this.#entries.length);
        this.#entries.push({ sequence, bytes, entry });
      }
    }
    for (let at = Math.max(1, height - REMEMBERED_BLOCKS); at <= height; at++)
      this.#checkRemembered(node, at, block.header.time.seconds);
    this.#checkOwed(node);
    this.#proveOne(node);
  }

  async restarted(node: SimulatedNode, acknowledged: number): Promise<void> {
    const { height, log } = node.application;
    // What only waited is gone with the process.
    this.#owed.delete(node.index);
    mustHold(height >= acknowledged, `node ${node.index} committed ${acknowledged} and is back with ${height}`);
    mustHold(height <= node.storeHeight, `node ${node.index} is back with ${height}, above the blocks`);
    if (height === 0) return;
    this.#checkState(node, height);
    mustHold(node.application.results(height) !== undefined, `node ${node.index} lost the results of ${height}`);
    for (
      let sequence = Math.max(0, log.length - REREAD_ENTRIES);
      sequence < Math.min(log.length, this.#entries.length);
      sequence++
    ) {
      const bytes = log.entry(sequence);
      const isSame = bytes !== undefined && Buffer.compare(bytes, (this.#entries[sequence] as { bytes: Bytes }).bytes) === 0;
      mustHold(isSame, `node ${node.index} lost entry ${sequence} of the log`);
    }
    if (node.state === undefined) return;
    // Every key is there, and values of some; what is read is checked against the root on its way.
    const present = await node.state.keys("");
    mustHold(present.length === node.state.statistics().keys, `node ${node.index} lost a key of its state`);
    const from = this.#random.below(present.length);
    for (const key of present.slice(from, from + REREAD_VALUES))
      mustHold(node.state.get(key) !== undefined, `node ${node.index} lost ${key}`);
  }

  dropped(node: number, idKey: string, fault: Fault): void {
    this.#owed.get(node)?.delete(idKey);
    mustHold(fault.code !== "malformed" && fault.code !== "signature_wrong", `node ${node} had taken what is ${fault.code}`);
  }

  /** Looked at after every step, at the node that did something. */
  afterStep({ application }: SimulatedNode): void {
    const { maxBytes, maxCount } = this.#profile.mempool;
    const waiting = application.waitingTransactions();
    const bytes = waiting.reduce((sum, one) => sum + one.length, 0);
    mustHold(waiting.length <= maxCount && bytes <= maxBytes, `a mempool holds ${waiting.length} transactions, ${bytes} bytes`);
  }

  #checkState(node: SimulatedNode, height: number): void {
    const known = this.#decided.get(height);
    mustHold(known !== undefined, `node ${node.index} committed ${height}, which nobody executed`);
    const { application } = node;
    const appHash = toHex(application.appHash);
    mustHold(appHash === known.appHash, `node ${node.index} has another app hash at ${height}`);
    mustHold(
      application.log.length === known.logLength,
      `node ${node.index} has a log of ${application.log.length} entries at ${height}`,
    );
  }

  /** What a node took waits there until it is in a block or the node says why not. */
  #checkOwed({ index, application }: SimulatedNode): void {
    for (const [idKey, id] of this.#owed.get(index) ?? []) {
      if (application.isWaiting(idKey)) continue;
      mustHold(this.#includedAt.has(id), `node ${index} lost a transaction that waited`);
      this.#owed.get(index)?.delete(idKey);
    }
  }

  /** What was included is remembered for as long as it could be valid. */
  #checkRemembered({ index, application }: SimulatedNode, height: number, time: number): void {
    const { ids } = this.#decided.get(height) as Decided;
    if (ids.length === 0) return;
    const id = this.#random.pick(ids);
    const found = application.find(Buffer.from(id, "hex"));
    if (found === undefined) {
      const { body } = decodeTransaction(this.#includedBytes.find((bytes) => toHex(decodeTransaction(bytes).id) === id) as Bytes);
      const isOver = body.notAfter.time < time || body.notAfter.height < application.height;
      mustHold(isOver, `node ${index} forgot a transaction of ${height}`);
      return;
    }
    mustHold(found.height === height, `node ${index} has a transaction of ${height} at ${found.height}`);
  }

  /** Refusals above all: they stand in the log and nowhere else. */
  #proveOne(node: SimulatedNode): void {
    if (this.#entries.length === 0 || !this.#random.chance(150)) return;
    const at =
      this.#refusals.length > 0 && this.#random.chance(700)
        ? this.#random.pick(this.#refusals)
        : this.#random.below(this.#entries.length);
    const { sequence, bytes } = this.#entries[at] as { sequence: number; bytes: Bytes };
    if (sequence < node.application.log.length && proveEntry(node, this.#facts, sequence, bytes)) this.counts.proofs++;
  }

  #count({ results, entries, validatorUpdates }: Finalized): void {
    const { counts } = this;
    counts.blocks++;
    counts.validatorUpdates += validatorUpdates.length;
    for (const result of results) "code" in result ? counts.turnedAway++ : counts.transactions++;
    for (const { entry } of entries) entry.outcome === "accepted" ? counts.accepted++ : counts.refused++;
  }
}

/** Everything that a block came to, in one word. */
function outcomeOf({ appHash, results, entries, ids, validatorUpdates }: Finalized): string {
  const told = [
    results.map((result) => ("code" in result ? result.code : result.operations)),
    entries.map(({ bytes, sequence, place }) => [toHex(nodeSha256(bytes)), sequence, place]),
    ids.map(toHex),
    validatorUpdates.map(({ publicKey, power }) => [toHex(publicKey), power]),
  ];
  return `${toHex(appHash).slice(0, 16)}/${toHex(nodeSha256(Buffer.from(JSON.stringify(told)))).slice(0, 16)}`;
}
