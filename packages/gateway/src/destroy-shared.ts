/**
 * The end of versions whose pixels are kept once: what no other version relies on is dropped on the chain, and then its pieces on the stores.
 * Source: requirement D8; docs/decisions/0012-shared-pixels.md.
 */
import { releaseShared, type SharedRelease, type Store } from "@xinglin/archive";
import type { Gateway } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";
import { accountFor, isObjectKept } from "./seal-version.ts";

/**
 * Says that the member's versions, by their objects, are destroyed, and destroys the pixels that no other version relies on. May be called again for
 * what was not reached. Returns what became of all objects that they relied on. Throws the rules' refusals.
 */
export async function destroyShared(
  { client, sharing: of }: Pick<Gateway, "client" | "sharing">,
  by: KeyOfFile,
  versions: readonly Uint8Array[],
  stores: readonly Store[],
): Promise<SharedRelease[]> {
  const sharing = of(by.member);
  if (!sharing.exists) return [];
  const credential = by.credential === undefined ? {} : { credential: by.credential };
  return sharing.with(async (registry) => {
    await accountFor(client, by, registry);
    return releaseShared(registry, versions, stores, async (objectId) => {
      if (await isObjectKept(client, by, objectId))
        requireAccepted(await client.submit(by, [{ op: "dropObject", object: new Uint8Array(objectId), ...credential }]));
      return true;
    });
  });
}
