/**
 * One round of a member's node over the archive: a look at every object that it looks after, on every store; then repairs, the most endangered first. Everything it finds
 * goes into the journal before the next step.
 * Source: requirements D2, D3; docs/internals/archive.md, "The archive looks after itself".
 */
import { setTimeout } from "node:timers/promises";
import { type ArchiveReport, MAX_REPORTED_OBJECTS } from "@xinglin/api";
import type { Store } from "@xinglin/archive";
import {
  type AnchoredObject,
  type ArchiveView,
  type AuditDraw,
  type AuditStatement,
  decodeStatement,
  drawSeed,
  HealthTally,
  isRight,
  lookAtObject,
  repairAnchored,
  StatementDraft,
  type StoreLook,
  type StoreSet,
} from "@xinglin/gateway";
import { type MemberId, toHex } from "@xinglin/primitives";
import type { RoundJournal } from "./round-journal.ts";
import type { KeepingSettings } from "./settings.ts";
import { StoreSums } from "./store-sums.ts";

/** What an operator should know of a look: counts, no names. */
export interface EndangeredNotice {
  readonly event: "archive_endangered";
  /** Objects with fewer spare columns than wanted, and of these the unreadable ones. */
  readonly objects: number;
  readonly unreadable: number;
  /** Stores that are there and lost pieces. */
  readonly stores: number;
}

/** What a round works with. */
export interface RoundOptions {
  readonly chainId: string;
  readonly member: MemberId;
  readonly scope: ArchiveReport["scope"];
  readonly view: ArchiveView;
  readonly settings: Pick<KeepingSettings, "sample" | "repairSpare" | "alarmSpare" | "percent" | "goneMs">;
  readonly journal: RoundJournal;
  /** Made for this round, if none is under way. */
  readonly chooseDraw: () => AuditDraw;
  /** Whether to look at an object, and whether to repair it. */
  readonly isLookedAt: (object: AnchoredObject) => boolean;
  readonly isRepaired: (object: AnchoredObject) => boolean;
  /** For how long a store has been away, told whether it is there. */
  readonly awayMs: (store: string, isPresent: boolean) => number;
  readonly onNotice?: (notice: EndangeredNotice) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** An object that is not whole. */
interface Damaged {
  readonly anchored: AnchoredObject;
  readonly stores: readonly StoreLook[];
}

/** Does the round, or what is left of one that was cut off; its statements wait in the journal then. Rejects with `aborted`, or faults of the view. */
export async function runRound(options: RoundOptions): Promise<ArchiveReport> {
  const round = new Round(options, await options.view.stores());
  await round.begin();
  await round.look();
  round.warn();
  await round.repair();
  return round.finish();
}

class Round {
  readonly #of: RoundOptions;
  readonly #stores: StoreSet;
  readonly #draw: AuditDraw;
  readonly #tally = new HealthTally();
  readonly #sums: StoreSums;
  readonly #damaged = new Map<string, Damaged>();
  /** Of a round that was cut off: objects that it looked at, and those that it repaired. */
  readonly #looked = new Map<
    string,
    { readonly missing: number; readonly storedBytes: number; readonly stores: readonly StoreLook[] }
  >();
  readonly #mended = new Set<string>();
  readonly #before: readonly AuditStatement[];
  readonly #from: number;
  #repaired = { objects: 0, pieces: 0 };
  #draft: StatementDraft;

  constructor(options: RoundOptions, stores: StoreSet) {
    this.#of = options;
    this.#stores = stores;
    this.#draw = options.journal.begin(options.chooseDraw);
    this.#sums = new StoreSums(options.settings.goneMs);
    this.#draft = this.#newDraft();
    this.#before = options.journal.statements().map(decodeStatement);
    this.#from = this.#before[0]?.from ?? Math.floor(options.now() / 1000);
  }

  /** Which stores are there, for how long the others have been away, and what was said of them before the round was cut off. */
  async begin(): Promise<void> {
    const isPresent = await Promise.all(this.#stores.readable.map((store: Store) => store.isPresent().catch(() => false)));
    for (const [i, { id }] of this.#stores.readable.entries())
      this.#sums.found(id, isPresent[i] === true, this.#of.awayMs(id, isPresent[i] === true));
    for (const statement of this.#before) this.#remember(statement);
  }

  async look(): Promise<void> {
    const { view, settings, signal, isLookedAt } = this.#of;
    const { readable } = this.#stores;
    for await (const anchored of view.objects()) {
      signal.throwIfAborted();
      if (!isLookedAt(anchored)) continue;
      const known = this.#looked.get(anchored.object.id);
      if (known !== undefined) {
        const { k, m } = anchored.object.code;
        this.#note(anchored, { ...known, missing: Math.min(known.missing, k + m) });
        continue;
      }
      const started = performance.now();
      const seed = drawSeed(this.#draw, Buffer.from(anchored.object.id, "hex"));
      const look = await lookAtObject(readable, anchored, { sample: settings.sample, seed, signal });
      if (look.missing === 0 || !(await view.hasEnded(anchored))) {
        this.#draft.looked(anchored, look);
        this.#note(anchored, look);
        for (const one of look.stores) this.#sums.looked(one);
        if (this.#draft.isFull) this.#flush();
      }
      await this.#rest(started);
    }
    this.#flush();
  }

  /** Tells the operator, before repairs that may take long. */
  warn(): void {
    const { endangered, unreadable } = this.#danger();
    const stores = this.#sums.thatLost;
    if (endangered > 0 || stores > 0)
      this.#of.onNotice?.({ event: "archive_endangered", objects: endangered, unreadable, stores });
  }

  async repair(): Promise<void> {
    const { settings, signal, isRepaired } = this.#of;
    for (const { object, spare } of this.#tally.health().queue) {
      const damaged = this.#damaged.get(object);
      if (damaged === undefined || spare > settings.repairSpare || this.#mended.has(object)) continue;
      const { anchored, stores } = damaged;
      const relocate = stores.some((look) => !isRight(look) && this.#sums.isGone(look.store));
      const canBeMended = relocate || stores.some((look) => !isRight(look) && this.#sums.isThere(look.store));
      if (!canBeMended || !isRepaired(anchored)) continue;
      signal.throwIfAborted();
      const started = performance.now();
      const done = await repairAnchored(this.#stores, anchored, { relocate, signal });
      this.#draft.repaired(anchored, done);
      this.#flush();
      this.#afterRepair(object, done);
      await this.#rest(started);
    }
  }

  finish(): ArchiveReport {
    const { journal, member, scope, now } = this.#of;
    journal.finish();
    const { byMissing, queue, ...health } = this.#tally.health();
    return {
      member,
      scope,
      from: this.#from,
      until: Math.floor(now() / 1000),
      ...health,
      byMissing: Object.fromEntries(byMissing),
      queue: queue.slice(0, MAX_REPORTED_OBJECTS),
      waiting: queue.length,
      ...this.#danger(),
      ...this.#sums.report(),
      repaired: this.#repaired,
    };
  }

  #danger(): { readonly endangered: number; readonly unreadable: number } {
    const { queue } = this.#tally.health();
    const { alarmSpare } = this.#of.settings;
    return {
      endangered: queue.filter(({ spare }) => spare < alarmSpare).length,
      unreadable: queue.filter(({ spare }) => spare < 0).length,
    };
  }

  #note(anchored: AnchoredObject, look: { missing: number; storedBytes: number; stores: readonly StoreLook[] }): void {
    this.#tally.note(anchored, look);
    if (look.missing > 0) this.#damaged.set(anchored.object.id, { anchored, stores: look.stores });
  }

  /** Takes over what a round that was cut off had said. */
  #remember({ objects, found, failed, repairs, stores }: AuditStatement): void {
    for (const one of stores) this.#sums.looked(one);
    for (const { store, documents } of found) this.#sums.looked({ store, drawn: 0, held: 0, documents });
    for (const { id, bytes } of objects) {
      const object = toHex(id);
      const wrong = found.filter((one) => toHex(one.object) === object);
      const isFailed = failed.some((one) => toHex(one.object) === object);
      this.#looked.set(object, {
        // Of an object that could not be looked at, everything.
        missing: isFailed ? Number.MAX_SAFE_INTEGER : wrong.length,
        storedBytes: bytes,
        stores: wrong,
      });
    }
    for (const repair of repairs) {
      const { object, after, stores: written, left } = repair;
      this.#sums.left(left);
      this.#mended.add(toHex(object));
      const known = this.#looked.get(toHex(object));
      if (known !== undefined) this.#looked.set(toHex(object), { ...known, missing: after });
      const pieces = written.reduce((sum, one) => sum + one.pieces, 0);
      this.#repaired = { objects: this.#repaired.objects + (after === 0 ? 1 : 0), pieces: this.#repaired.pieces + pieces };
    }
  }

  #afterRepair(object: string, { after, pieces, left }: Awaited<ReturnType<typeof repairAnchored>>): void {
    this.#tally.repaired(object, after);
    this.#repaired = { objects: this.#repaired.objects + (after === 0 ? 1 : 0), pieces: this.#repaired.pieces + pieces };
    this.#sums.left(left);
  }

  #flush(): void {
    if (this.#draft.isEmpty) return;
    this.#of.journal.append(this.#draft.encode());
    this.#draft = this.#newDraft();
  }

  #newDraft(): StatementDraft {
    const { chainId, member, settings, now } = this.#of;
    return new StatementDraft({ chain: chainId, member, sample: settings.sample, draw: this.#draw }, now);
  }

  /** Leaves the stores to readers for as long as the settings want. */
  async #rest(started: number): Promise<void> {
    const { settings, signal } = this.#of;
    await setTimeout((performance.now() - started) * (100 / settings.percent - 1), undefined, { signal });
  }
}
