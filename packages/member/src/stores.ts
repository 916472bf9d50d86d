/** The store folders that a member lends to the archive, made ready at start. Source: requirements D1, D2. */
import type { Store } from "@xinglin/archive";
import { importJournal } from "@xinglin/gateway";
import type { Ledger } from "@xinglin/ledger";

/**
 * Makes missing stores and removes what an interrupted import into `data` left. Returns how many objects that was. `stores` are all that
 * the imports wrote to, `own` those of this member.
 */
export async function prepareStores(
  data: string,
  { own, all }: { readonly own: readonly Store[]; readonly all: readonly Store[] },
  ledger: Ledger,
): Promise<number> {
  for (const store of own) await store.create();
  for (const store of own) await store.collect();
  return importJournal(data).collect(all, (key) => ledger.get(key));
}
