/** The story's stage over the nodes of several members: each acts through its own. Source: docs/guides/share-a-study.md. */
import { join } from "node:path";
import { DirectoryStore } from "@xinglin/archive";
import { ApiClient } from "@xinglin/client";
import { chainStores, importJournal, type Language, readKeyFile, type Say, sharingIn } from "@xinglin/gateway";
import { openStore } from "@xinglin/index";
import { administrationKey } from "@xinglin/member";
import type { MemberId } from "@xinglin/primitives";
import { sql } from "kysely";
import { CUSTODY_THRESHOLD } from "../cast.ts";
import { keyReader, type Stage } from "../story/stage.ts";
import type { StoryDatabase } from "../story/story.ts";
import { isServed, storesOfMembers } from "./new-network.ts";
import { RoutedClient } from "./routed-client.ts";
import type { RunningNetwork } from "./running-network.ts";

const COMMISSION = "commission" as MemberId;
/** Whose page the story's patient opens. */
const PAGE_OF = "hospital-a";

/** A client for each node, made once. */
export function nodeClients(network: RunningNetwork, chainId: string, language: Language): (member: string) => ApiClient {
  const clients = new Map<string, ApiClient>();
  return (member) => {
    const url = network.urlOf(member);
    const known = clients.get(url) ?? new ApiClient({ url, language, chainId });
    clients.set(url, known);
    return known;
  };
}

/** The stage. */
export function networkStage(
  network: RunningNetwork,
  clientOf: (member: string) => ApiClient,
  { data, say, chainId }: { readonly data: string; readonly say: Say; readonly chainId: string },
): Stage {
  const stores = storesOfMembers(data, network.file.members).map((store) => new DirectoryStore(store));
  const client = new RoutedClient(clientOf, PAGE_OF);
  const local = storesOfMembers(
    data,
    network.file.members.filter((member) => !isServed(member)),
  );
  const zhOrEn = say.language === "en" ? "en" : "zh";
  return {
    say,
    data,
    client,
    gateway: {
      client,
      stores: chainStores(client, chainId, local),
      threshold: CUSTODY_THRESHOLD,
      journal: importJournal(data),
      sharing: sharingIn(data),
    },
    storeFolders: stores.map(({ description }) => description.path),
    key: keyReader(data),
    memberName: (member) => network.file.members.find(({ id }) => id === member)?.name[zhOrEn] ?? member,
    page: `${network.urlOf(PAGE_OF)}/`,
    originals: join(data, "members", PAGE_OF, "originals"),
  };
}

/**
 * The commission's read model, as scene 5 needs it: somebody with its database at hand changes a row while its node is stopped. The other
 * members go on meanwhile, and the node catches up.
 */
export const networkDatabase = (
  network: RunningNetwork,
  clientOf: (member: string) => ApiClient,
  data: string,
): StoryDatabase => ({
  async changeRow() {
    await network.whileStopped(COMMISSION, async (folder) => {
      const store = await openStore({ kind: "embedded", folder: join(folder, "index") });
      try {
        await sql`update xinglin.accesses set purpose = 'HMARKT' where sequence = (select min(sequence) from xinglin.accesses)`.execute(
          store.db,
        );
      } finally {
        await store.close();
      }
    });
    return "xinglin.accesses";
  },
  async rebuild() {
    const by = readKeyFile(administrationKey(data, COMMISSION));
    await clientOf(COMMISSION).postJson("/v1/read-model/rebuild", by);
  },
});
