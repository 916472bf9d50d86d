/** Offers the stores of a local network's members on the chain, each by its member's administration. Source: docs/guides/lend-storage.md. */
import { siteOf } from "@xinglin/archive";
import type { ApiClient } from "@xinglin/client";
import { lendStore, listLentStores, readKeyFile } from "@xinglin/gateway";
import { administrationKey } from "@xinglin/member";
import type { NetworkFile } from "./network-file.ts";
import { isServed, storesOfMembers, storeUrl } from "./new-network.ts";

/** All on one disk: what each is said to have is no promise. */
const QUOTA_MEGABYTES = 100_000;

/** Offers those that the chain does not have yet, of all members whose node serves them. */
export async function lendServedStores(
  data: string,
  { members }: NetworkFile,
  clientOf: (member: string) => ApiClient,
): Promise<void> {
  const known = new Set((await listLentStores(clientOf(""))).map(({ id }) => id));
  for (const member of members.filter(isServed)) {
    const by = readKeyFile(administrationKey(data, member.id));
    for (const store of storesOfMembers(data, [member]))
      if (!known.has(store.id))
        await lendStore(clientOf(member.id), by, {
          id: store.id,
          kind: store.kind,
          site: siteOf(store),
          quotaMegabytes: QUOTA_MEGABYTES,
          url: storeUrl(member.ports.store as number),
        });
  }
}
