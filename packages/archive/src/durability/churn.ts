/**
 * A year of thousands of objects on tens of stores: disks die, stores go and come back, buildings burn, pieces spoil in silence, and repair
 * follows with delay and bounded bandwidth. Counts how many objects are lost and how long they are unreadable, so that the calculus can be
 * held against it. Where a real rate would give no loss in any run, run it with rates raised (the calculus holds for any rate), or
 * see `rareLoss`.
 * Source: requirement D2 (correlated failures simulated).
 */
import { columnsOf } from "../layout.ts";
import { placeObject } from "../placement.ts";
import type { ChurnOutcome, ChurnSettings, ChurnStore } from "./churn-settings.ts";
import { ColumnLists } from "./column-lists.ts";
import { type Event, EventQueue, exponential, randomFrom } from "./event-queue.ts";
import { DOMAIN_KINDS, type DomainKind, domainOf } from "./holders.ts";
import { DAYS_A_YEAR } from "./yearly-loss.ts";

const [STORE_LOST, STORE_OUT, STORE_BACK, DOMAIN_LOST, DOMAIN_OUT, DOMAIN_BACK, SPOILED, NOTICED, REPAIRED] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8,
];

/** Simulates `days`. The same settings give the same outcome. Some million events a second. */
export const simulateChurn = (settings: ChurnSettings): ChurnOutcome => new Churn(settings).run();

class Churn {
  readonly #settings: ChurnSettings;
  readonly #columns: number;
  readonly #random: () => number;
  readonly #queue = new EventQueue();
  readonly #domains: readonly { readonly kind: DomainKind; readonly stores: readonly number[] }[];
  // Of a column (object × columns + column): its store, since when it is gone (-1 if it is not), and how often it came back.
  readonly #storeOf: Int32Array;
  readonly #lists: ColumnLists;
  readonly #goneSince: Float64Array;
  readonly #life: Int32Array;
  /** Of a store: for how many reasons it is out. */
  readonly #out: Int32Array;
  /** Of an object: columns gone, and columns that are there on stores that are out. */
  readonly #gone: Uint8Array;
  readonly #unanswered: Uint8Array;
  #now = 0;
  #unreadable = 0;
  #unreadableDays = 0;
  #repairFreeAt = 0;
  #lost = 0;
  #columnsLost = 0;
  #repairs = 0;
  #repairDays = 0;
  #events = 0;

  constructor(settings: ChurnSettings) {
    const { objects, stores, code, seed } = settings;
    this.#settings = settings;
    this.#columns = columnsOf({ code });
    this.#random = randomFrom(seed);
    const slots = objects * this.#columns;
    this.#storeOf = new Int32Array(slots);
    this.#goneSince = new Float64Array(slots).fill(-1);
    this.#life = new Int32Array(slots);
    this.#lists = new ColumnLists(this.#storeOf, stores.length);
    this.#out = new Int32Array(stores.length);
    this.#gone = new Uint8Array(objects);
    this.#unanswered = new Uint8Array(objects);
    this.#domains = DOMAIN_KINDS.flatMap((kind) =>
      [...Map.groupBy(stores.keys(), (store) => domainOf(stores[store]!, kind)).values()].map((within) => ({
        kind,
        stores: within,
      })),
    );
    this.#place();
  }

  #place(): void {
    const { objects, stores, code, seed } = this.#settings;
    const numbers = new Map(stores.map(({ id }, i) => [id, i]));
    const id = new Uint8Array(8);
    const view = new DataView(id.buffer);
    view.setUint32(4, seed);
    for (let object = 0; object < objects; object++) {
      view.setUint32(0, object);
      for (const [column, store] of placeObject(stores, code, id).entries()) {
        const slot = object * this.#columns + column;
        this.#storeOf[slot] = numbers.get(store.id)!;
        this.#lists.add(slot);
      }
    }
  }

  run(): ChurnOutcome {
    this.#start();
    const event: Event = { at: 0, kind: 0, subject: 0, life: 0 };
    while (this.#queue.pop(event) && event.at <= this.#settings.days) {
      this.#advance(event.at);
      this.#events++;
      this.#happen(event);
    }
    this.#advance(this.#settings.days);
    const { objects, days } = this.#settings;
    return {
      objectYears: (objects * days) / DAYS_A_YEAR,
      lost: this.#lost,
      unreadableShare: this.#unreadableDays / (objects * days),
      columnsLost: this.#columnsLost,
      repairs: this.#repairs,
      meanRepairDays: this.#repairs === 0 ? 0 : this.#repairDays / this.#repairs,
      events: this.#events,
    };
  }

  #advance(at: number): void {
    this.#unreadableDays += this.#unreadable * (at - this.#now);
    this.#now = at;
  }

  #start(): void {
    const { stores, domainLossesPerYear = {}, domainOutages = {}, spoiling } = this.#settings;
    for (const [store, { lossesPerYear, outages }] of stores.entries()) {
      this.#later(STORE_LOST, store, lossesPerYear);
      this.#later(STORE_OUT, store, outages?.perYear ?? 0);
    }
    for (const [domain, { kind }] of this.#domains.entries()) {
      this.#later(DOMAIN_LOST, domain, domainLossesPerYear[kind] ?? 0);
      this.#later(DOMAIN_OUT, domain, domainOutages[kind]?.perYear ?? 0);
    }
    this.#later(SPOILED, 0, (spoiling?.perYear ?? 0) * this.#storeOf.length);
  }

  /** The next event of a kind that happens at random so many times a year. */
  #later(kind: number, subject: number, perYear: number): void {
    if (perYear > 0) this.#queue.push(this.#now + exponential(this.#random, DAYS_A_YEAR / perYear), kind, subject);
  }

  #happen({ kind, subject, life }: Event): void {
    const { stores, domainLossesPerYear, domainOutages, spoiling } = this.#settings;
    if (kind === STORE_LOST) {
      this.#loseStore(subject);
      this.#later(STORE_LOST, subject, stores[subject]!.lossesPerYear);
    } else if (kind === STORE_OUT) {
      this.#takeOut(subject);
      this.#later(STORE_BACK, subject, DAYS_A_YEAR / stores[subject]!.outages!.meanDays);
    } else if (kind === STORE_BACK) {
      this.#takeBack(subject);
      this.#later(STORE_OUT, subject, stores[subject]!.outages!.perYear);
    } else if (kind === SPOILED) {
      const { perYear, auditEveryDays, odds } = spoiling!;
      const slot = Math.floor(this.#random() * this.#storeOf.length);
      if (this.#goneSince[slot]! < 0) {
        let audits = this.#random();
        while (this.#random() >= odds) audits++;
        this.#lose(slot, audits * auditEveryDays);
      }
      this.#later(SPOILED, 0, perYear * this.#storeOf.length);
    } else if (kind === NOTICED) {
      if (this.#life[subject] === life) this.#queue.push(this.#repairEnd(), REPAIRED, subject, life);
    } else if (kind === REPAIRED) {
      if (this.#life[subject] === life) this.#repair(subject);
    } else {
      const { kind: domain, stores: within } = this.#domains[subject]!;
      if (kind === DOMAIN_LOST) {
        for (const store of within) this.#loseStore(store);
        this.#later(DOMAIN_LOST, subject, domainLossesPerYear![domain]!);
      } else if (kind === DOMAIN_OUT) {
        for (const store of within) this.#takeOut(store);
        this.#later(DOMAIN_BACK, subject, DAYS_A_YEAR / domainOutages![domain]!.meanDays);
      } else {
        for (const store of within) this.#takeBack(store);
        this.#later(DOMAIN_OUT, subject, domainOutages![domain]!.perYear);
      }
    }
  }

  #loseStore(store: number): void {
    // Copied first: columns of an object that this loses come back at once, on the store that takes this one's place.
    for (const slot of [...this.#lists.of(store)]) this.#lose(slot, this.#settings.noticeDays);
  }

  #lose(slot: number, noticeDays: number): void {
    const object = Math.floor(slot / this.#columns);
    this.#lists.remove(slot);
    this.#goneSince[slot] = this.#now;
    this.#columnsLost++;
    this.#count(object, 1, this.#out[this.#storeOf[slot]!]! > 0 ? -1 : 0);
    if (this.#gone[object]! > this.#settings.code.m) this.#replace(object);
    else this.#queue.push(this.#now + noticeDays, NOTICED, slot, this.#life[slot]);
  }

  /** A lost object: counted, and a fresh one in its place. */
  #replace(object: number): void {
    this.#lost++;
    for (let slot = object * this.#columns; slot < (object + 1) * this.#columns; slot++)
      if (this.#goneSince[slot]! >= 0) this.#bringBack(slot);
  }

  #repairEnd(): number {
    const { repair } = this.#settings;
    if ("meanDays" in repair) return this.#now + exponential(this.#random, repair.meanDays);
    this.#repairFreeAt = Math.max(this.#repairFreeAt, this.#now) + 1 / repair.columnsPerDay;
    return this.#repairFreeAt;
  }

  #repair(slot: number): void {
    this.#repairs++;
    this.#repairDays += this.#now - this.#goneSince[slot]!;
    if (this.#settings.target === "elsewhere") this.#storeOf[slot] = this.#elsewhere(slot);
    this.#bringBack(slot);
  }

  #bringBack(slot: number): void {
    this.#goneSince[slot] = -1;
    this.#life[slot]!++;
    this.#lists.add(slot);
    this.#count(Math.floor(slot / this.#columns), -1, this.#out[this.#storeOf[slot]!]! > 0 ? 1 : 0);
  }

  /** A store at random whose places hold no column of the object, or else no more than the old one's; the old one if none is found in some tries. */
  #elsewhere(slot: number): number {
    const { stores } = this.#settings;
    const start = slot - (slot % this.#columns);
    const old = this.#storeOf[slot]!;
    const slots = Array.from({ length: this.#columns }, (_, column) => start + column);
    const others = slots.filter((other) => other !== slot).map((other) => stores[this.#storeOf[other]!]!);
    const crowd = (store: ChurnStore): number =>
      DOMAIN_KINDS.reduce(
        (sum, kind) => sum + others.filter((other) => domainOf(other, kind) === domainOf(store, kind)).length,
        0,
      );
    const least = crowd(stores[old]!);
    for (let tries = 0; tries < 20; tries++) {
      const store = Math.floor(this.#random() * stores.length);
      if (this.#out[store] === 0 && !others.includes(stores[store]!) && crowd(stores[store]!) <= least) return store;
    }
    return old;
  }

  #takeOut(store: number): void {
    if (this.#out[store]!++ > 0) return;
    for (const slot of this.#lists.of(store)) this.#count(Math.floor(slot / this.#columns), 0, 1);
  }

  #takeBack(store: number): void {
    if (--this.#out[store]! > 0) return;
    for (const slot of this.#lists.of(store)) this.#count(Math.floor(slot / this.#columns), 0, -1);
  }

  #count(object: number, gone: number, unanswered: number): void {
    const { m } = this.#settings.code;
    const before = this.#gone[object]! + this.#unanswered[object]! > m;
    this.#gone[object]! += gone;
    this.#unanswered[object]! += unanswered;
    this.#unreadable += Number(this.#gone[object]! + this.#unanswered[object]! > m) - Number(before);
  }
}
