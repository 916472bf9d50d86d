/** The stores that a member lends to the archive, looked at when its node starts. Source: requirements D1, D2. */
import type { Store } from "@xinglin/archive";
import { collectSharing, importJournal } from "@xinglin/gateway";
import type { Ledger } from "@xinglin/ledger";
import { Fault } from "@xinglin/primitives";

/** What a start found of the stores. */
export interface PreparedStores {
  /** Objects that an interrupted import had left, removed now. */
  readonly orphans: number;
  /** Own stores that are not there, by id, with the code that says why. */
  readonly away: ReadonlyMap<string, string>;
}

/**
 * Removes what interrupted imports into `data` left. Makes no store: one that is away stays away, since an empty folder in the place of a disk
 * that is not mounted would be taken for it. `all` are the stores that the imports wrote to, `own` those of this member.
 */
export async function prepareStores(
  data: string,
  { own, all }: { readonly own: readonly Store[]; readonly all: readonly Store[] },
  ledger: Ledger,
): Promise<PreparedStores> {
  const away = new Map<string, string>();
  for (const store of own) {
    const code = await codeOf(store.collect());
    if (code !== undefined) away.set(store.id, code);
  }
  const get = (key: string) => ledger.get(key);
  await collectSharing(data, all, get); // an entry of the journal stands for its version's pixels too
  return { orphans: await importJournal(data).collect(all, get), away };
}

/** Why a store is not there, as a code; `undefined` if it is. */
export const whyAway = async (store: Store): Promise<string | undefined> =>
  (await store.isPresent()) ? undefined : ((await codeOf(store.list())) ?? "store_absent");

async function codeOf(asked: Promise<unknown>): Promise<string | undefined> {
  try {
    await asked;
    return undefined;
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}
