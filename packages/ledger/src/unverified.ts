/**
 * Transactions whose signatures are being checked. Anybody can write a member's name on one, so they take none of that member's room in the
 * mempool. They have a little room of their own, what peers handed on apart from what this node was asked itself: a flood of wrong ones
 * from a peer costs that peer's like a later try, and this node's own callers nothing but a share of the verifying threads.
 * Source: design.md, "Suites"; docs/internals/ledger.md, "A transaction's way".
 */
import { Fault, type MemberId } from "@xinglin/primitives";
import type { Origin } from "./gossip.ts";
import { type RoomLimits, SharedRoom } from "./shared-room.ts";

/** Of each origin: a quarter of a second for one thread that verifies Ed25519, so nobody waits longer behind a flood. */
export const MOST_UNVERIFIED: RoomLimits = { maxBytes: 16 * 1024 * 1024, maxCount: 4_096 };

export class Unverified {
  readonly #rooms: { readonly [O in Origin]: SharedRoom };
  readonly #hashes = new Set<string>();

  constructor(limits = MOST_UNVERIFIED) {
    this.#rooms = { own: new SharedRoom(limits), peer: new SharedRoom(limits) };
  }

  /** Whether one of so many bytes would be taken in, before anything of it is looked at. Throws `Fault` as `SharedRoom.check`. */
  checkRoom(origin: Origin, claimed: MemberId, sizeBytes: number): void {
    this.#rooms[origin].check(claimed, sizeBytes);
  }

  /**
   * Takes in one, told apart by the hash of its whole bytes and not by its id: a copy with a wrong signature must not keep the right one out.
   * Returns how it leaves, to be called once. Throws `Fault`: `already_known`, and as `SharedRoom.check`.
   */
  enter(hashKey: string, origin: Origin, claimed: MemberId, sizeBytes: number): () => void {
    if (this.#hashes.has(hashKey)) throw new Fault("already_known");
    this.#rooms[origin].take(claimed, sizeBytes);
    this.#hashes.add(hashKey);
    return () => {
      this.#hashes.delete(hashKey);
      this.#rooms[origin].give(claimed, sizeBytes);
    };
  }
}
