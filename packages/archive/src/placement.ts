/**
 * Which stores hold an object, and what the loss of an institution, a building, a power supply or a city would mean.
 * Source: design.md, "Archive" (pieces on different members and failure domains); requirement D2.
 */
import { Fault } from "@xinglin/primitives";
import { type ColumnHolder, columnsByDomain, DOMAIN_KINDS, type DomainKind, domainOf } from "./durability/holders.ts";
import { ranks, type StoreFacts, weightOf } from "./durability/placement-rank.ts";
import { type CodeParameters, columnsOf } from "./layout.ts";
import type { Store } from "./store/store.ts";

/** What placement looks at of a store. */
export type Placeable = Pick<Store, "id" | "member" | "site">;

/**
 * Chooses one store for each of the k + m columns, in slot order. First, no member, building, power supply or city holds more columns than m,
 * or as few more as can be; then members give in turn, and inside a member its buildings; among equals the object's id decides, each store as
 * often as its free room, price and availability say (`weightOf`). Always the same for the same stores, facts and id. `facts` are by store id;
 * a store that has no room is taken only if there are not enough others. Where domains nest (a building in one city) no other choice has
 * fewer columns too many; where they cross, none that differs by one store. Faults: `stores_too_few`. Cost: stores × columns.
 */
export function placeObject<S extends Placeable>(
  stores: readonly S[],
  code: CodeParameters,
  objectId: Uint8Array,
  facts: Readonly<Record<string, StoreFacts>> = {},
): S[] {
  const needed = columnsOf({ code });
  if (stores.length < needed) throw new Fault("stores_too_few", { needed, stores: stores.length });
  const weighed = stores.map((store) => ({ store, weight: weightOf(facts[store.id] ?? {}) }));
  const withRoom = weighed.filter(({ weight }) => weight > 0);
  const taken = withRoom.length < needed ? weighed : withRoom;
  const candidates = taken.map(({ store }) => store);
  const weights = taken.map(({ weight }) => weight);
  const ids = candidates.map(({ id }) => id);
  return new Selection(candidates, ranks(ids, weights, objectId, needed), code).take(needed).map((i) => candidates[i]!);
}

/**
 * Chooses stores for `count` further columns of an object whose other columns are on `kept`, by the rules of `placeObject`; fewer if there are not
 * enough. A store in `kept` or without room is never chosen.
 */
export function placeColumns<S extends Placeable>(
  stores: readonly S[],
  kept: readonly S[],
  count: number,
  { code, objectId, facts = {} }: { code: CodeParameters; objectId: Uint8Array; facts?: Readonly<Record<string, StoreFacts>> },
): S[] {
  const isKept = new Set(kept.map(({ id }) => id));
  const free = stores.filter(({ id }) => !isKept.has(id) && weightOf(facts[id] ?? {}) > 0);
  const all = [...kept, ...free];
  const weights = all.map(({ id }, i) => (i < kept.length ? 0 : weightOf(facts[id] ?? {})));
  const ids = all.map(({ id }) => id);
  const selection = new Selection(all, ranks(ids, weights, objectId, count), code);
  for (const i of kept.keys()) selection.keep(i);
  return selection
    .take(kept.length + Math.min(count, free.length))
    .map((i) => all[i]!)
    .filter(({ id }) => !isKept.has(id));
}

/** A column too many outweighs all else, for up to 96 columns. */
const TOO_MANY = 2 ** 30;
/** What another column in the same domain costs, by kind as in `DOMAIN_KINDS`: members give in turn, then buildings; else the weights of stores decide. */
const COST_OF_ANOTHER = [2 ** 15, 1, 0, 0];

/** Stores being chosen one by one, each time one that costs least. Costs rise with what is taken, so that the greedy choice is best where domains nest. */
class Selection {
  readonly #ranks: Float64Array;
  readonly #m: number;
  /** For each kind of domain: which one each store is in, and how many columns that has. */
  readonly #kinds: readonly { readonly of: Int32Array; readonly used: Int32Array }[];
  readonly #chosen = new Set<number>();
  readonly #kept = new Set<number>();
  /** Columns that domains hold above m, over all of them. */
  #excess = 0;
  /** The same as `#chosen`, as marks: looked at for every store again and again. */
  readonly #isChosen: Uint8Array;

  constructor(stores: readonly Placeable[], rank: Float64Array, { m }: CodeParameters) {
    this.#ranks = rank;
    this.#m = m;
    this.#isChosen = new Uint8Array(stores.length);
    this.#kinds = DOMAIN_KINDS.map((kind) => {
      const { of, count } = numbered(stores, kind);
      return { of, used: new Int32Array(count) };
    });
  }

  /** Counts a store that has a column already and stays. */
  keep(store: number): void {
    this.#put(store);
    this.#kept.add(store);
  }

  take(count: number): readonly number[] {
    while (this.#chosen.size < count) this.#put(this.#cheapest());
    while (this.#excess > 0 && this.#improve());
    return [...this.#chosen];
  }

  #cheapest(): number {
    let best = -1;
    let bestCost = Number.POSITIVE_INFINITY;
    for (let store = 0; store < this.#ranks.length; store++) {
      if (this.#isChosen[store] === 1) continue;
      const cost = this.#costOf(store);
      if (cost < bestCost || (cost === bestCost && this.#ranks[store]! < this.#ranks[best]!)) [best, bestCost] = [store, cost];
    }
    return best;
  }

  #costOf(store: number): number {
    let cost = 0;
    for (let kind = 0; kind < this.#kinds.length; kind++) {
      const { of, used } = this.#kinds[kind]!;
      const there = used[of[store]!]!;
      cost += there * COST_OF_ANOTHER[kind]! + (there >= this.#m ? TOO_MANY : 0);
    }
    return cost;
  }

  #put(store: number): void {
    this.#chosen.add(store);
    this.#isChosen[store] = 1;
    for (const { of, used } of this.#kinds) if (++used[of[store]!]! > this.#m) this.#excess++;
  }

  #drop(store: number): void {
    this.#chosen.delete(store);
    this.#isChosen[store] = 0;
    for (const { of, used } of this.#kinds) if (--used[of[store]!]! >= this.#m) this.#excess--;
  }

  /** Exchanges one store for another if that leaves fewer columns too many; false if none does. */
  #improve(): boolean {
    const before = this.#excess;
    for (const store of [...this.#chosen]) {
      if (this.#kept.has(store)) continue;
      this.#drop(store);
      const other = this.#cheapest();
      this.#put(other);
      if (this.#excess < before) return true;
      this.#drop(other);
      this.#put(store);
    }
    return false;
  }
}

/** The domain of one kind that each store is in, as a number from 0, and how many there are. */
function numbered(stores: readonly Placeable[], kind: DomainKind): { readonly of: Int32Array; readonly count: number } {
  const numbers = new Map<string, number>();
  const of = new Int32Array(stores.length);
  for (let i = 0; i < of.length; i++) {
    const name = domainOf(stores[i]!, kind);
    const known = numbers.get(name) ?? numbers.size;
    if (known === numbers.size) numbers.set(name, known);
    of[i] = known;
  }
  return { of, count: numbers.size };
}

/** What the loss of one domain would mean for an object. */
export interface DomainLoss {
  readonly kind: DomainKind;
  readonly name: string;
  readonly piecesGone: number;
  readonly readable: boolean;
  /** How many more pieces of a stripe could go before it is unreadable; negative if it already is. */
  readonly spare: number;
}

/** What losing each member, building, power supply and city would mean for an object on these stores (one a column), the worst of each kind first. */
export const describeDomains = (holders: readonly ColumnHolder[], { m }: CodeParameters): DomainLoss[] =>
  DOMAIN_KINDS.flatMap((kind) =>
    [...columnsByDomain(holders, kind)]
      .map(([name, { length }]) => ({ kind, name, piecesGone: length, readable: length <= m, spare: m - length }))
      .sort((a, b) => b.piecesGone - a.piecesGone),
  );

/**
 * Domains that hold more columns than m of some of these objects (for each, who holds its columns), each with the worst of them. A building, a power
 * supply or a city that is no more than one of the members named is left out.
 */
export function exposedDomains(objects: readonly (readonly ColumnHolder[])[], code: CodeParameters): DomainLoss[] {
  const worst = new Map<string, DomainLoss>();
  for (const holders of objects)
    for (const loss of describeDomains(holders, code)) {
      const name = `${loss.kind} ${loss.name}`;
      if (!loss.readable && loss.piecesGone > (worst.get(name)?.piecesGone ?? 0)) worst.set(name, loss);
    }
  const named = [...worst.values()];
  return named.filter(
    ({ kind, name, piecesGone }) =>
      kind === "member" ||
      !named.some((other) => other.kind === "member" && other.name === name && other.piecesGone >= piecesGone),
  );
}

/** What the loss of one member would mean, for the caller's words. */
export interface MemberLoss {
  readonly member: string;
  /** Stores it brings. */
  readonly stores: number;
  /** Most pieces of any stripe that would be gone. */
  readonly piecesGone: number;
  readonly readable: boolean;
  /** How many more pieces of a stripe could go before it is unreadable; negative if it already is. */
  readonly spare: number;
}

/** What the loss of members would mean for objects placed on these stores. */
export interface LossReport {
  readonly code: CodeParameters;
  readonly stores: number;
  /** In order of first store. */
  readonly members: readonly MemberLoss[];
  /** So many members can be lost, whichever they are, and everything is still readable. */
  readonly anyMembers: number;
  /** Members without which, one alone, something is unreadable. */
  readonly indispensable: readonly string[];
}

/** Works out what losing each member would mean for an object over `stores`, one piece of each stripe a store. */
export function describeLoss(stores: readonly Pick<Store, "id" | "member">[], code: CodeParameters): LossReport {
  const counts = new Map<string, number>();
  for (const { member } of stores) counts.set(member, (counts.get(member) ?? 0) + 1);
  const columns = columnsOf({ code });
  const members = [...counts].map(([member, count]): MemberLoss => {
    const piecesGone = Math.min(count, columns);
    return { member, stores: count, piecesGone, readable: piecesGone <= code.m, spare: code.m - piecesGone };
  });
  let anyMembers = 0;
  let gone = 0;
  for (const { piecesGone } of members.toSorted((a, b) => b.piecesGone - a.piecesGone)) {
    gone += piecesGone;
    if (gone > code.m) break;
    anyMembers++;
  }
  return {
    code,
    stores: stores.length,
    members,
    anyMembers,
    indispensable: members.filter((m) => !m.readable).map((m) => m.member),
  };
}
