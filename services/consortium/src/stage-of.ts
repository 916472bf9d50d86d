/** The stage on which the story plays: the consortium as its members and its readers see it, through the public API. */
import { join } from "node:path";
import { ApiClient } from "@xinglin/client";
import { fixedStores, importJournal, type Say, sharingIn } from "@xinglin/gateway";
import { sql } from "kysely";
import { CAST, CUSTODY_THRESHOLD } from "./cast.ts";
import type { Consortium } from "./consortium.ts";
import type { Options } from "./options.ts";
import { keyReader, type Stage } from "./story/stage.ts";
import type { StoryDatabase } from "./story/story.ts";

export function openStage({ ledger, stores, url }: Consortium, { data, language }: Options, say: Say): Stage {
  const client = new ApiClient({ url, language, chainId: ledger.chainId });
  return {
    say,
    data,
    client,
    gateway: {
      client,
      stores: fixedStores(stores),
      threshold: CUSTODY_THRESHOLD,
      journal: importJournal(data),
      sharing: sharingIn(data),
    },
    storeFolders: stores.map(({ description }) => description.path),
    key: keyReader(data),
    memberName: (member) => CAST.find(({ id }) => id === member)?.name[language === "en" ? "en" : "zh"] ?? member,
    page: `${url}/`,
    originals: join(data, "members", "hospital-a", "originals"),
  };
}

/** Scene 5 changes a row as somebody with the database's password would: by SQL, past the program. */
export const storyDatabase = ({ index }: Consortium): StoryDatabase => ({
  async changeRow() {
    await sql`update xinglin.accesses set purpose = 'HMARKT' where sequence = (select min(sequence) from xinglin.accesses)`.execute(
      index.db,
    );
    return "xinglin.accesses";
  },
  rebuild: () => index.rebuild(),
});
