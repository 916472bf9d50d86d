/** The store of another member: the contract over real HTTP. */
import { mkdtemp, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describeStore } from "../../src/store/contract.ts";
import { NodeStore } from "../../src/store/node-store.ts";
import { Lender } from "../support/lender.ts";

describeStore("node", async () => {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-lent-"));
  const lender = await Lender.open(folder);
  const store = await lender.store("lender");
  const { path } = lender.inner[0]!.description;
  return {
    store,
    reopen: () => new NodeStore(store.description),
    vanish: () => rename(path, `${path}.gone`),
    dispose: async () => {
      await lender.service.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
