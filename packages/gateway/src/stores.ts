/**
 * The stores that a member can reach: those on its own machine, from the file that its node wrote, and those that other members lend, from
 * the chain. Source: docs/internals/archive.md, "Stores of other members".
 */
import { issuePass, MAX_PASS_SECONDS, openStore, type Store, type StoreAccess, type StoreDescription } from "@xinglin/archive";
import type { ApiClient, Identity } from "@xinglin/client";
import { lentStoreId, status as memberStatus, STORE_KINDS, STORE_STATES, storeTerms } from "@xinglin/contracts";
import { type Infer, memberId, schema } from "@xinglin/primitives";

/** Stores as `by` reaches them. */
export interface StoreSet {
  /** All that may hold something. */
  readonly readable: readonly Store[];
  /** Those that take something new. */
  readonly writable: readonly Store[];
}
/** Finds the stores for whoever acts: others' stores are asked in the actor's name. */
export type FindStores = (by: Identity) => Promise<StoreSet>;

/** Always the same stores, which need no name: for those of one machine. */
export const fixedStores =
  (stores: readonly Store[]): FindStores =>
  async () => ({ readable: stores, writable: stores });

const lentStores = schema.list(
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
export type LentStoreView = Infer<typeof lentStores>[number];

/** Every store ever lent, as the chain has them now. */
export const listLentStores = async (client: ApiClient): Promise<readonly LentStoreView[]> =>
  lentStores.parse(await client.getJson("/v1/stores"));

/** The description by which a lent store is reached over its lender's node. */
export const lentDescription = (
  { id, member, url, site, quotaMegabytes }: Pick<LentStoreView, "id" | "member" | "url" | "site" | "quotaMegabytes">,
  access: StoreAccess,
): StoreDescription => ({ kind: "node", id, member, url, site, quotaBytes: quotaMegabytes * 1_000_000, access });

/** A pass is made anew when it has served for half of its time. */
const RENEW_SECONDS = MAX_PASS_SECONDS / 2;

/** Finds `local` stores and those of the chain behind `client`; a store that is both is reached on this machine. */
export function chainStores(client: ApiClient, chainId: string, local: readonly StoreDescription[]): FindStores {
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
    const lent = await listLentStores(client);
    const remote = lent.filter(
      ({ id, state, memberStatus: status }) => state !== "withdrawn" && status === "active" && !here.has(id),
    );
    const access = remote.length === 0 ? undefined : await passOf(by, Math.floor(Date.now() / 1000));
    const far = access === undefined ? [] : remote.map((store) => openStore(lentDescription(store, access)));
    const readable = [...local.map(openStore), ...far];
    const closing = new Set(lent.filter(({ state }) => state !== "offered").map(({ id }) => id));
    return { readable, writable: readable.filter(({ id }) => !closing.has(id)) };
  };
}
