/**
 * What is known of each store that takes something: its room, by its own answer, and how much of the time its member's node answers, by what
 * peers saw of it and the chain keeps. Whatever the chain says here is proven: a server that could make it up would say where pieces go.
 * Source: requirement D2 (k, m computed from measured availability); docs/internals/durability.md, "What is known of stores".
 */
import type { Store } from "@xinglin/archive";
import { type Identity, TrustedChain } from "@xinglin/client";
import {
  type Election,
  type EpochRecord,
  election,
  epochRecord,
  keys,
  type LentStoreEntry,
  lentStore,
  lentStoreId,
  MAX_LENT_STORES,
  member,
} from "@xinglin/contracts";
import { cbor, Fault, type Height, type MemberId, type Schema, schema } from "@xinglin/primitives";
import type { Gateway } from "./keep-record.ts";
import { listLentStores } from "./stores.ts";

/** A folder of this machine, or whatever nobody has looked at, is taken to be out one hour of a hundred. */
export const ASSUMED_STORE = 0.99;
/** The node of a member that nobody has observed is taken to be out one hour of fifty. */
export const ASSUMED_NODE = 0.98;
/** Observations count against this assumption as if it had been seen in so many epochs: one good day is no proof of a good year. */
export const ASSUMED_EPOCHS = 8;
/** A store behind a node that answers: its own disk or bucket is out a thousandth of the time. */
export const STORE_BEHIND_NODE = 0.999;
/** The newest closed epochs that are looked at, each a proof. */
export const EPOCHS_SEEN = 24;
/** Proofs asked for at once. */
const AT_ONCE = 16;
const MAX_ENTRY_BYTES = 1_048_576;
const lentStoreIds = schema.list(lentStoreId, MAX_LENT_STORES);

/** A store that takes something, with what is known of it. */
export interface KnownStore {
  readonly store: Store;
  /** What it can still take, by its own answer; 0 if it gave none. */
  readonly freeBytes: number;
  /** The share of the time in which it answers itself. */
  readonly availability: number;
  /** The share in which the node that it is reached through answers, and so all other stores of its member; undefined if it has none. */
  readonly node?: number;
  /** Epochs in which peers saw that node; 0: what is said of it is an assumption. */
  readonly epochs: number;
}

/** What the chain says of lenders and their stores, as of one height. */
export interface ChainFacts {
  /** By member, of the epochs in which enough of its peers looked: the mean of what the median peer saw, as a share; and how many epochs. */
  readonly nodes: ReadonlyMap<string, { readonly answered: number; readonly epochs: number }>;
  /** Stores that are offered by members in force, by id. */
  readonly offered: ReadonlyMap<string, LentStoreEntry>;
}

/**
 * Reads the election's epochs and the lent stores, all proven. Faults: `proof_wrong`, also if the server keeps a store to itself; those of
 * the API. Cost: a request for each lent store, each lender and each of the newest 24 epochs.
 */
export async function chainFacts({ client }: Pick<Gateway, "client">, by: Identity): Promise<ChainFacts> {
  const chain = await TrustedChain.of(client);
  const newest = await chain.prove(by, keys.election);
  const { height } = newest;
  const entries = new Entries(chain, by, height);
  const now = newest.value === undefined ? undefined : election.parse(cbor.decode(newest.value, MAX_ENTRY_BYTES));
  const [epochs, offered] = await Promise.all([epochsOf(entries, now), offeredStores(entries, await listLentStores(client))]);
  return { nodes: nodesOf(epochs), offered };
}

/** Proven entries of the state at one height. */
class Entries {
  readonly #chain: TrustedChain;
  readonly #by: Identity;
  readonly #height: Height;

  constructor(chain: TrustedChain, by: Identity, height: Height) {
    this.#chain = chain;
    this.#by = by;
    this.#height = height;
  }

  async get<T>(key: string, shape: Schema<T>): Promise<T | undefined> {
    const { value } = await this.#chain.prove(this.#by, key, this.#height);
    return value === undefined ? undefined : shape.parse(cbor.decode(value, MAX_ENTRY_BYTES));
  }

  /** Several of one kind, a few at a time. */
  async all<T>(names: readonly string[], keyOf: (name: string) => string, shape: Schema<T>): Promise<Map<string, T>> {
    const found = new Map<string, T>();
    for (let at = 0; at < names.length; at += AT_ONCE)
      await Promise.all(
        names.slice(at, at + AT_ONCE).map(async (name) => {
          const entry = await this.get(keyOf(name), shape);
          if (entry !== undefined) found.set(name, entry);
        }),
      );
    return found;
  }
}

async function epochsOf(entries: Entries, now: Election | undefined): Promise<readonly EpochRecord[]> {
  const closed = (now?.epoch ?? 1) - 1;
  const numbers = Array.from({ length: Math.min(closed, EPOCHS_SEEN) }, (_, i) => String(closed - i));
  return [...(await entries.all(numbers, (number) => keys.epoch(Number(number)), epochRecord)).values()];
}

async function offeredStores(entries: Entries, listed: readonly { readonly id: string }[]): Promise<Map<string, LentStoreEntry>> {
  const ids = (await entries.get(keys.stores, lentStoreIds)) ?? [];
  // The list was asked for later than the proof: it may have more, and never less.
  const isListed = new Set(listed.map(({ id }) => id));
  if (!ids.every((id) => isListed.has(id))) throw new Fault("proof_wrong", { key: keys.stores });
  const stores = [...(await entries.all(ids, keys.store, lentStore))].filter(([, { state }]) => state === "offered");
  const lenders = [...new Set(stores.map(([, store]) => store.member as string))];
  const members = await entries.all(lenders, (id) => keys.member(id as MemberId), member);
  return new Map(stores.filter(([, store]) => members.get(store.member)?.status === "active"));
}

/** The mean over epochs of what the median peer told. An epoch in which half of the other members or more told nothing says nothing. */
export function nodesOf(epochs: readonly Pick<EpochRecord, "rows">[]): ChainFacts["nodes"] {
  const sums = new Map<string, { answered: number; epochs: number }>();
  for (const { rows } of epochs)
    for (const row of rows) {
      const others = rows.filter((one) => one.standing !== "penalised" && one.member !== row.member).length;
      if (others === 0 || others - row.probers > Math.floor((others - 1) / 2)) continue;
      const sum = sums.get(row.member) ?? { answered: 0, epochs: 0 };
      sum.answered += row.answeredPerMille / 1000;
      sum.epochs++;
      sums.set(row.member, sum);
    }
  return new Map([...sums].map(([id, { answered, epochs }]) => [id, { answered: answered / epochs, epochs }]));
}

/**
 * Puts together what is known of `stores`; asks each for its room. A store that is reached over its lender's node and is not on the chain as it was named is
 * left out. Always in the order of the ids.
 */
export async function knownStores(stores: readonly Store[], { nodes, offered }: ChainFacts): Promise<KnownStore[]> {
  const named = stores.filter((store) => {
    const { description } = store;
    if (description.kind !== "node") return true;
    const entry = offered.get(store.id);
    return entry !== undefined && entry.member === store.member && entry.url === description.url && isSameSite(entry, store);
  });
  const known = named.map(async (store): Promise<KnownStore> => {
    const freeBytes = await store.room().then(
      (room) => Math.min(room.freeBytes, room.diskFreeBytes),
      () => 0,
    );
    return { store, freeBytes, ...availabilityOf(store, nodes) };
  });
  return (await Promise.all(known)).sort((a, b) => (a.store.id < b.store.id ? -1 : 1));
}

const isSameSite = ({ site }: LentStoreEntry, store: Store): boolean => {
  const { building, city, power } = store.site;
  return site.building === building && site.city === city && site.power === power;
};

function availabilityOf({ member, description }: Store, nodes: ChainFacts["nodes"]): Omit<KnownStore, "store" | "freeBytes"> {
  const seen = nodes.get(member);
  if (seen === undefined && description.kind !== "node") return { availability: ASSUMED_STORE, epochs: 0 };
  const { answered, epochs } = seen ?? { answered: 0, epochs: 0 };
  const node = (ASSUMED_NODE * ASSUMED_EPOCHS + answered * epochs) / (ASSUMED_EPOCHS + epochs);
  return { availability: STORE_BEHIND_NODE, node, epochs };
}
