/**
 * Where an import goes and under which code: the least overhead that keeps 99.9999 % over the stores that take something, by what is known of
 * them; or what comes nearest, and what would help.
 * Source: requirement D2; docs/internals/durability.md, "What is known of stores".
 */
import {
  ARCHIVE_USAGE,
  type CodeNeeds,
  type CodeOdds,
  type CodeParameters,
  chooseCode,
  DEFAULT_GOAL,
  rateOfAfr,
  type Store,
  type StoreFacts,
  type StoreOdds,
} from "@xinglin/archive";
import type { Identity } from "@xinglin/client";
import { Fault, invariant } from "@xinglin/primitives";
import type { Gateway } from "./keep-record.ts";
import { type ChainFacts, chainFacts, type KnownStore, knownStores } from "./store-facts.ts";

/** How long what the chain said of nodes and stores is good. */
const GOOD_MS = 5 * 60_000;
/** A store that is lost is noticed, and its columns are rebuilt, within a week. */
const HAZARDS = [{ perYear: rateOfAfr(ARCHIVE_USAGE.storeLossesPerYear), repairDays: 7 }];
/** Two stores can keep two copies and nothing in between: that much is spent rather than to keep one. */
const FEW_STORES = 3;
const COPY_OVERHEAD = 2;

/** What an object stored now can be told to keep. */
export interface StoragePromise extends CodeOdds {
  /** Stores that take something, and how many epochs of observations there are of the node of each, on average. */
  readonly stores: number;
  readonly epochs: number;
  /** Whether it keeps the goal: 99.9999 % of the time readable, one in 10⁹ lost a year. If not, what would help. */
  readonly isKept: boolean;
  readonly needs: CodeNeeds;
}

/** What an import is told: its stores, its code, what placement weighs, and what to tell whoever imports. */
export interface Placing {
  readonly stores: readonly Store[];
  readonly code: CodeParameters;
  readonly facts: Readonly<Record<string, StoreFacts>>;
  readonly promise: StoragePromise;
}

interface Remembered {
  readonly until: number;
  readonly facts: Promise<ChainFacts>;
  /** By the stores that took something. */
  readonly promises: Map<string, StoragePromise>;
}
const remembered = new WeakMap<Gateway, Remembered>();

/**
 * Where something new goes now. Each store is asked for its room; what the chain says is asked for every five minutes. The same stores and the same
 * epochs always give the same code. Faults: `stores_too_few` if no store takes anything, those of `chainFacts`.
 */
export async function placingFor(gateway: Gateway, by: Identity): Promise<Placing> {
  const { known, chain } = await knownWritable(gateway, by);
  const takers = known.filter(({ freeBytes }) => freeBytes > 0);
  if (takers.length === 0) throw new Fault("stores_too_few", { needed: 1, stores: 0 });
  const key = takers.map(({ store }) => store.id).join(" ");
  const promise = chain.promises.get(key) ?? promiseOver(takers);
  chain.promises.set(key, promise);
  return { stores: known.map(({ store }) => store), code: promise.code, facts: factsOf(known), promise };
}

/** What placement weighs when pieces move: of stores that take nothing new, that they have no room. */
export async function movingFacts(gateway: Gateway, by: Identity): Promise<Readonly<Record<string, StoreFacts>>> {
  const { readable } = await gateway.stores(by);
  const { known } = await knownWritable(gateway, by);
  return { ...Object.fromEntries(readable.map(({ id }) => [id, { freeBytes: 0 }])), ...factsOf(known) };
}

async function knownWritable(gateway: Gateway, by: Identity): Promise<{ known: readonly KnownStore[]; chain: Remembered }> {
  const { writable } = await gateway.stores(by);
  let chain = remembered.get(gateway);
  const offered =
    chain === undefined || chain.until < performance.now() ? undefined : (await chain.facts.catch(() => undefined))?.offered;
  // A store that was lent since is worth asking for at once.
  const isFresh =
    offered !== undefined && writable.every(({ id, description }) => description.kind !== "node" || offered.has(id));
  if (chain === undefined || !isFresh) {
    chain = { until: performance.now() + GOOD_MS, facts: chainFacts(gateway, by), promises: new Map() };
    remembered.set(gateway, chain);
  }
  return { known: await knownStores(writable, await chain.facts), chain };
}

const shareOf = ({ availability, node = 1 }: KnownStore): number => availability * node;
const factsOf = (known: readonly KnownStore[]): Record<string, StoreFacts> =>
  Object.fromEntries(known.map((one) => [one.store.id, { availability: shareOf(one) }]));

/** What the calculus is told of stores. Their room is left out: it changes by the hour, and the code should not. */
export const oddsOver = (known: readonly KnownStore[]): StoreOdds => ({
  stores: known.map(({ store: { id, member, site }, availability }) => ({ id, member, site, availability, hazards: HAZARDS })),
  outage: {
    member: Object.fromEntries(known.flatMap(({ store, node }) => (node === undefined ? [] : [[store.member, 1 - node]]))),
  },
});

/** The nearest code where two copies may be kept. */
function copiesOver(odds: StoreOdds): CodeOdds | undefined {
  const choice = chooseCode(odds, { ...DEFAULT_GOAL, maxOverhead: COPY_OVERHEAD });
  return choice.isReached ? choice.chosen : choice.nearest;
}

/** The code for an object over these stores, at least one, and what it promises. */
export function promiseOver(known: readonly KnownStore[]): StoragePromise {
  const odds = oddsOver(known);
  const choice = chooseCode(odds);
  const chosen = choice.isReached ? choice.chosen : known.length < FEW_STORES ? copiesOver(odds) : choice.nearest;
  invariant(chosen !== undefined, "there is a code over one store");
  return {
    ...chosen,
    stores: known.length,
    epochs: Math.floor(known.reduce((sum, { epochs }) => sum + epochs, 0) / known.length),
    isKept: choice.isReached,
    needs: choice.isReached ? {} : choice.needs,
  };
}
