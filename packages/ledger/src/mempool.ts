/**
 * Transactions that wait for a block: bounded in bytes and number, shared fairly between the members whose quota they use (`shared-room.ts`), so
 * that no gateway can starve another, and nothing that was accepted is ever thrown out for another's sake. Only what is rightly signed comes here.
 *
 * A block begins with the member that was served longest ago, and then takes from the one it has taken least work from, in order of arrival within a
 * member. Work is operations and units of verification alike: one of either costs a node about the same. Source: design.md, "Ledger".
 */
import type { Bytes, MemberId } from "@xinglin/primitives";
import { type RoomLimits, SharedRoom } from "./shared-room.ts";

/** Bounds of the pool. */
export type MempoolLimits = RoomLimits;

/** What waits. `idKey` is the id as a map key. */
export interface Waiting {
  readonly id: Bytes;
  readonly idKey: string;
  /** SHA-256 of `bytes` as a map key. */
  readonly hashKey: string;
  readonly bytes: Bytes;
  readonly sponsor: MemberId;
  readonly operations: number;
  /** What its signatures cost to verify (`verificationUnits`). */
  readonly verification: number;
  readonly notAfter: { readonly time: number; readonly height: number };
  /** Which state of members, actors and parameters it was admitted in, see `Application`. */
  readonly standing: number;
}

/**
 * What one block may hold. `quota` bounds the operations of one member, `maxOperations` those of the block, except that a transaction with
 * more comes alone; `maxVerification` the units of its signatures.
 */
export interface BlockLimits {
  readonly maxBytes: number;
  readonly maxOperations: number;
  readonly maxVerification: number;
  readonly quota: number;
  readonly time: number;
  readonly height: number;
  /** Validity that ends later than this is too far ahead of the block: what waits with such a one waits on, and holds nothing back. */
  readonly latest: Waiting["notAfter"];
}

interface Queue {
  items: Waiting[];
  /** Items before `head` have left. */
  head: number;
  /** How many are still here. */
  count: number;
}

/** A transaction in a block takes a few bytes beside its own: field number and length. */
const FRAME_BYTES = 6;
const isOver = ({ notAfter }: Waiting, time: number, height: number): boolean => notAfter.time < time || notAfter.height < height;
const isEarly = ({ notAfter }: Waiting, { latest }: BlockLimits): boolean =>
  notAfter.time > latest.time || notAfter.height > latest.height;

export class Mempool {
  readonly #room: SharedRoom;
  readonly #queues = new Map<MemberId, Queue>();
  readonly #waiting = new Map<string, Waiting>();
  /** The same by the hash of their whole bytes. */
  readonly #byHash = new Map<string, Waiting>();
  /** How many transactions had left when one of this member last did. Kept when its queue is empty: else who sends one by one would always be first. */
  readonly #served = new Map<MemberId, number>();
  #left = 0;

  constructor(limits: MempoolLimits) {
    this.#room = new SharedRoom(limits);
  }

  /** Transactions that wait. */
  get size(): number {
    return this.#waiting.size;
  }

  has(idKey: string): boolean {
    return this.#waiting.has(idKey);
  }

  /** What waits with exactly these bytes, by their hash. */
  byHash(hashKey: string): Waiting | undefined {
    return this.#byHash.get(hashKey);
  }

  /** Whether this very entry still waits. */
  readonly isHere = (waiting: Waiting): boolean => this.#waiting.get(waiting.idKey) === waiting;

  /** Throws `Fault` (retry later): `mempool_full`, or `mempool_quota` where the member's own share is used up. */
  checkRoom(sponsor: MemberId, sizeBytes: number): void {
    this.#room.check(sponsor, sizeBytes);
  }

  /** Puts a transaction into the pool. Throws as `checkRoom` does. */
  add(waiting: Waiting): void {
    this.#room.take(waiting.sponsor, waiting.bytes.length);
    this.#waiting.set(waiting.idKey, waiting);
    this.#byHash.set(waiting.hashKey, waiting);
    const queue = this.#queueOf(waiting.sponsor);
    queue.items.push(waiting);
    queue.count++;
  }

  /**
   * The transactions for the next block, which stay until `remove`. Those whose validity is over by then are returned apart: they leave
   * the pool at once. Cost: linear in what is taken, times the members that wait.
   */
  take(limits: BlockLimits): { transactions: Waiting[]; expired: Waiting[] } {
    const transactions: Waiting[] = [];
    const expired: Waiting[] = [];
    // Who was served longest ago begins: a transaction that fits only into an empty block has its turn, however busy the others are.
    const turns = [...this.#queues]
      .map(([sponsor, queue]) => ({ queue, at: queue.head, operations: 0, work: 0, served: this.#served.get(sponsor) ?? 0 }))
      .sort((a, b) => a.served - b.served);
    let bytes = limits.maxBytes;
    let operations = limits.maxOperations;
    let verification = limits.maxVerification;
    while (turns.length > 0) {
      let turn = 0;
      for (let i = 1; i < turns.length; i++) if (turns[i]!.work < turns[turn]!.work) turn = i;
      const member = turns[turn]!;
      const next = member.queue.items[member.at];
      const over = next !== undefined && isOver(next, limits.time, limits.height);
      if (next !== undefined && (over || !this.isHere(next) || isEarly(next, limits))) {
        if (over && this.isHere(next)) expired.push(next);
        member.at++;
        continue;
      }
      const fits =
        next !== undefined &&
        next.bytes.length + FRAME_BYTES <= bytes &&
        (next.operations <= operations || transactions.length === 0) &&
        next.verification <= verification &&
        member.operations + next.operations <= limits.quota;
      if (!fits) {
        // The order within a member is kept: what does not fit holds back what came after it.
        turns.splice(turn, 1);
        continue;
      }
      transactions.push(next);
      member.at++;
      member.operations += next.operations;
      member.work += next.operations + next.verification;
      bytes -= next.bytes.length + FRAME_BYTES;
      operations -= next.operations;
      verification -= next.verification;
    }
    for (const waiting of expired) this.remove(waiting.idKey);
    return { transactions, expired };
  }

  /** Takes a transaction out, because a block holds it or its validity is over. Unknown ids are ignored. */
  remove(idKey: string): void {
    const waiting = this.#waiting.get(idKey);
    if (waiting === undefined) return;
    this.#waiting.delete(idKey);
    this.#byHash.delete(waiting.hashKey);
    this.#served.set(waiting.sponsor, ++this.#left);
    this.#room.give(waiting.sponsor, waiting.bytes.length);
    const queue = this.#queueOf(waiting.sponsor);
    queue.count--;
    if (queue.count === 0) this.#queues.delete(waiting.sponsor);
    while (queue.head < queue.items.length && !this.isHere(queue.items[queue.head]!)) queue.head++;
    if (queue.head > 1024 && queue.head * 2 > queue.items.length) {
      queue.items = queue.items.slice(queue.head);
      queue.head = 0;
    }
  }

  /** Takes out and returns everything whose validity is over at the block time and height that come next. */
  expire(time: number, height: number): Waiting[] {
    const expired = [...this.#waiting.values()].filter((waiting) => isOver(waiting, time, height));
    for (const waiting of expired) this.remove(waiting.idKey);
    return expired;
  }

  /** Everything that waits, for a shutdown. */
  all(): Waiting[] {
    return [...this.#waiting.values()];
  }

  #queueOf(sponsor: MemberId): Queue {
    const known = this.#queues.get(sponsor);
    if (known !== undefined) return known;
    const queue: Queue = { items: [], head: 0, count: 0 };
    this.#queues.set(sponsor, queue);
    return queue;
  }
}
