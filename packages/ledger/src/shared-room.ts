/**
 * Room that members share: each may take as much as is still free (used < free), so one member alone gets half, two get a third each, and there
 * is always some for a member that takes its first.
 * Source: design.md, "Ledger"; Choudhury and Hahne, "Dynamic queue length thresholds" (1998).
 */
import { Fault, type MemberId } from "@xinglin/primitives";

/** Bounds of the room. */
export interface RoomLimits {
  readonly maxBytes: number;
  readonly maxCount: number;
}

interface Share {
  bytes: number;
  count: number;
}

export class SharedRoom {
  readonly #limits: RoomLimits;
  readonly #shares = new Map<MemberId, Share>();
  #bytes = 0;
  #count = 0;

  constructor(limits: RoomLimits) {
    this.#limits = limits;
  }

  /** Throws `Fault` (retry later): `mempool_full`, or `mempool_quota` where the member's own share is used up. */
  check(member: MemberId, sizeBytes: number): void {
    const freeBytes = this.#limits.maxBytes - this.#bytes;
    const freeCount = this.#limits.maxCount - this.#count;
    if (freeBytes < sizeBytes || freeCount < 1) throw new Fault("mempool_full", { waiting: this.#count }, { retry: true });
    const share = this.#shares.get(member);
    if (share !== undefined && (share.bytes + sizeBytes > freeBytes || share.count + 1 > freeCount))
      throw new Fault("mempool_quota", { member, waiting: share.count }, { retry: true });
  }

  /** Takes room for one of so many bytes. Throws as `check` does. */
  take(member: MemberId, sizeBytes: number): void {
    this.check(member, sizeBytes);
    this.#account(member, sizeBytes, 1);
  }

  /** Gives back what was taken for one of so many bytes. */
  give(member: MemberId, sizeBytes: number): void {
    this.#account(member, -sizeBytes, -1);
  }

  #account(member: MemberId, bytes: number, count: number): void {
    const share = this.#shares.get(member) ?? { bytes: 0, count: 0 };
    share.bytes += bytes;
    share.count += count;
    this.#bytes += bytes;
    this.#count += count;
    if (share.count === 0) this.#shares.delete(member);
    else this.#shares.set(member, share);
  }
}
