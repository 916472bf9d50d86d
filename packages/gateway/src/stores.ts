/**
 * The stores that a member can reach: those on its own machine, from the file that its node wrote, and those that other members lend, from
 * the chain. Source: docs/internals/archive.md, "At another member's".
 */
import {
  FIRST_TIER,
  issuePass,
  MAX_PASS_SECONDS,
  NodeStore,
  openStore,
  type Store,
  type StoreAccess,
  type StoreDescription,
  storeTier,
} from "@xinglin/archive";
import type { ApiClient, Identity } from "@xinglin/client";
import {
  type LendStore,
  lentStoreId,
  status as memberStatus,
  STORE_KINDS,
  STORE_STATES,
  type StoreState,
  storeTerms,
} from "@xinglin/contracts";
import { Fault, type Infer, memberId, schema } from "@xinglin/primitives";
import { requireAccepted } from "./receipts.ts";

/** Stores as `by` reaches them. */
export interface StoreSet {
  /** All that may hold something. */
  readonly readable: readonly Store[];
  /** Those that take something new: of the first tier, unless there are none. */
  readonly writable: readonly Store[];
}
/** Finds the stores for whoever acts: others' stores are asked in the actor's name. */
export type FindStores = (by: Identity) => Promise<StoreSet>;

/** Always the same stores, which need no name: for those of one machine. */
export const fixedStores =
  (stores: readonly Store[]): FindStores =>
  async () => ({ readable: stores, writable: firstTier(stores) });

/** What imports, repairs and drains may write to: stores of another tier only if there are no others. */
function firstTier(stores: readonly Store[]): readonly Store[] {
  const first = stores.filter(({ description }) => storeTier(description) === FIRST_TIER);
  return first.length === 0 ? stores : first;
}

const lentStoreList = schema.list(
  schema.object({
    ...storeTerms,
    id: lentStoreId,
    kind: schema.oneOf(...STORE_KINDS),
    member: memberId,
    memberStatus,
    state: schema.oneOf(...STORE_STATES),
    since: schema.uint(),
  }),
  4_096,
);
/** A store as `GET /v1/stores` tells of it. */
export type LentStoreView = Infer<typeof lentStoreList>[number];

/** Every store ever lent, as the chain has them now. */
export const listLentStores = async (client: ApiClient): Promise<readonly LentStoreView[]> =>
  lentStoreList.parse(await client.getJson("/v1/stores"));

/** The description by which a lent store is reached over its lender's node. */
export const lentDescription = (
  { id, member, url, site, quotaMegabytes }: Pick<LentStoreView, "id" | "member" | "url" | "site" | "quotaMegabytes">,
  access: StoreAccess,
): StoreDescription => ({ kind: "node", id, member, url, site, quotaBytes: quotaMegabytes * 1_000_000, access });

/** A pass is made anew when it has served for half of its time. */
const RENEW_SECONDS = MAX_PASS_SECONDS / 2;

/** Finds `local` stores and those of the chain behind `client`; a store that is both is reached on this machine. */
export const chainStores = (client: ApiClient, chainId: string, local: readonly StoreDescription[]): FindStores =>
  lentStores(() => listLentStores(client), chainId, local);

/** The same for whoever knows by itself which stores are lent. */
export function lentStores(
  list: () => Promise<readonly LentStoreView[]>,
  chainId: string,
  local: readonly StoreDescription[],
): FindStores {
  const passes = new Map<string, { readonly access: StoreAccess; readonly since: number }>();
  const passOf = async (by: Identity, now: number): Promise<StoreAccess> => {
    const known = passes.get(by.actor);
    if (known !== undefined && now - known.since < RENEW_SECONDS) return known.access;
    const access = await issuePass(by, chainId, now);
    passes.set(by.actor, { access, since: now });
    return access;
  };
  const here = new Map(local.map((description) => [description.id, description]));
  return async (by) => {
    const lent = await list();
    const remote = lent.filter(
      ({ id, state, memberStatus: status }) => state !== "withdrawn" && status === "active" && !here.has(id),
    );
    const access = remote.length === 0 ? undefined : await passOf(by, Math.floor(Date.now() / 1000));
    const far = access === undefined ? [] : remote.map((store) => openStore(lentDescription(store, access)));
    const readable = [...local.map(openStore), ...far];
    const closing = new Set(lent.filter(({ state }) => state !== "offered").map(({ id }) => id));
    return { readable, writable: firstTier(readable.filter(({ id }) => !closing.has(id))) };
  };
}

/** Offers a store, or changes its terms; returns the block's height. What stands there already is fine. Throws the rules' refusals. */
export async function lendStore(client: ApiClient, by: Identity, terms: LendStore): Promise<number> {
  const receipt = await client.submit(by, [{ op: "lendStore", ...terms }]);
  const [result] = receipt.results;
  return result?.code === "unchanged" ? receipt.height : requireAccepted(receipt).height;
}

/** Drains a store, withdraws it, or offers it again; returns the block's height. Throws the rules' refusals. */
export const retireStore = async (client: ApiClient, by: Identity, id: string, state: StoreState): Promise<number> =>
  requireAccepted(await client.submit(by, [{ op: "retireStore", id, state }])).height;

/** What a store holds, as it says itself. */
export interface StoreHolding {
  readonly objects: number;
  /** Of all members, and of the one that asks. */
  readonly bytes: number;
  readonly ownBytes: number;
  /** What the asking member can still put there. */
  readonly freeBytes: number;
}

/** Asks every store what it holds; one that does not answer is left out. */
export async function storeHoldings(stores: readonly Store[]): Promise<ReadonlyMap<string, StoreHolding>> {
  const all = await Promise.all(
    stores.map(async (store): Promise<readonly (readonly [string, StoreHolding])[]> => {
      try {
        const { freeBytes } = await store.room();
        if (store instanceof NodeStore) return [[store.id, { ...(await store.held()), freeBytes }]];
        const quota = store.description.quotaBytes ?? freeBytes;
        return [
          [store.id, { objects: (await store.list()).length, bytes: Math.max(0, quota - freeBytes), ownBytes: 0, freeBytes }],
        ];
      } catch (error) {
        if (error instanceof Fault) return [];
        throw error;
      }
    }),
  );
  return new Map(all.flat());
}
