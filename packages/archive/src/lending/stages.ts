/** Packs that guests are writing into a lent store, between one request and the next. Source: docs/internals/archive.md, "At another member's". */
import { randomBytes } from "node:crypto";
import { Fault } from "@xinglin/primitives";
import type { StagedPack } from "../store/store.ts";

/** A stage that nobody touched for so long is discarded. */
const IDLE_MS = 3_600_000;
const MAX_STAGES_A_MEMBER = 256;

/** A pack under way. */
export interface GuestStage {
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

  /** A member's own stage. Throws `store_stage_lost`: after a restart of the store's node none is left. */
  find(token: string, member: string): GuestStage {
    const stage = this.#stages.get(token);
    if (stage?.member !== member) throw new Fault("store_stage_lost", {}, { retry: true });
    stage.touchedAt = this.#now();
    return stage;
  }

  end(token: string): void {
    this.#stages.delete(token);
  }

  /** Bytes that are staged and will be a member's. */
  usedBy(member: string): number {
    let sum = 0;
    for (const stage of this.#stages.values()) if (stage.loanTo === member && !stage.published) sum += stage.bytes;
    return sum;
  }

  /** Takes away what is staged of an object, so that its files can be removed. */
  async drop(object: string): Promise<void> {
    for (const [token, stage] of this.#stages)
      if (stage.object === object) {
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
