/** Packs that guests are writing into a lent store, between one request and the next. Source: docs/internals/archive.md, "At another member's". */
import { randomBytes } from "node:crypto";
import { Fault } from "@xinglin/primitives";
import type { StagedPack } from "../store/store.ts";

/** A stage that nobody touched for so long is discarded. */
const IDLE_MS = 3_600_000;
const MAX_STAGES_A_MEMBER = 256;

/** A pack under way. */
export interface GuestStage {
  /** The lent store that it is written to: of the fourteen stores of one object several may be this member's. */
  readonly store: string;
  readonly member: string;
  /** Whose object it will be: another member's, if it is a repair. */
  readonly loanTo: string;
  readonly object: string;
  readonly isRepair: boolean;
  readonly pack: StagedPack;
  bytes: number;
  published: boolean;
  touchedAt: number;
}

export class GuestStages {
  readonly #stages = new Map<string, GuestStage>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Throws `store_busy` for a member that has too many. */
  requireRoom(member: string): void {
    let count = 0;
    for (const stage of this.#stages.values()) if (stage.member === member) count++;
    if (count >= MAX_STAGES_A_MEMBER) throw new Fault("store_busy", {}, { retry: true });
  }

  add(stage: Omit<GuestStage, "bytes" | "published" | "touchedAt">): string {
    const token = randomBytes(16).toString("hex");
    this.#stages.set(token, { ...stage, bytes: 0, published: false, touchedAt: this.#now() });
    return token;
  }

  /** A member's own stage at a store. Throws `store_stage_lost`: after a restart of the store's node none is left. */
  find(token: string, member: string, store: string): GuestStage {
    const stage = this.#stages.get(token);
    if (stage?.member !== member || stage.store !== store) throw new Fault("store_stage_lost", {}, { retry: true });
    stage.touchedAt = this.#now();
    return stage;
  }

  end(token: string): void {
    this.#stages.delete(token);
  }

  /** Bytes that are staged at a store and will be a member's. */
  usedBy(member: string, store: string): number {
    let sum = 0;
    for (const stage of this.#stages.values())
      if (stage.loanTo === member && stage.store === store && !stage.published) sum += stage.bytes;
    return sum;
  }

  /** Takes away what is staged of an object at a store, so that its files can be removed; what other stores are being given of it goes on. */
  async drop(object: string, store: string): Promise<void> {
    for (const [token, stage] of this.#stages)
      if (stage.object === object && stage.store === store) {
        this.#stages.delete(token);
        if (!stage.published) await stage.pack.discard().catch(() => undefined);
      }
  }

  /** Discards what nobody writes any more. */
  async expire(): Promise<void> {
    for (const [token, stage] of this.#stages)
      if (this.#now() - stage.touchedAt > IDLE_MS) {
        this.#stages.delete(token);
        if (!stage.published) await stage.pack.discard().catch(() => undefined);
      }
  }

  async close(): Promise<void> {
    for (const stage of this.#stages.values()) if (!stage.published) await stage.pack.discard().catch(() => undefined);
    this.#stages.clear();
  }
}
