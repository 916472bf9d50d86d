/** How this node is, for the one who runs it and for peers that probe it. Source: requirement A8. */
import { readdirSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ArchiveReport, NodeFacts } from "@xinglin/api";
import { openStore } from "@xinglin/archive";
import type { CometbftLedger } from "@xinglin/cometbft";
import type { Ledger } from "@xinglin/ledger";
import type { NodeConfig } from "./config/node-config.ts";
import { ledgerFolder } from "./open-chain.ts";

const MEGABYTE = 1_000_000;

/** Asked each time that somebody wants to know; `archive` for what the last round over it found. */
export const nodeFacts =
  ({ chain, data, member, stores }: NodeConfig, ledger: Ledger, archive: () => ArchiveReport | undefined = () => undefined) =>
  async (): Promise<NodeFacts> => {
    const snapshot = newestSnapshot(data);
    const report = archive();
    const engine = "engine" in ledger ? (ledger as CometbftLedger).engine : undefined;
    const peers = await engine?.peers().catch(() => []);
    const lent = stores.filter((store) => store.kind === "directory" && store.member === member);
    const present = await Promise.all(lent.map((store) => openStore(store).isPresent()));
    const clockOffsetSeconds = engine?.clockOffsetSeconds;
    return {
      driver: chain.driver,
      freeMegabytes: freeMegabytes([
        data,
        // An empty mount point is on a disk that is not lent.
        ...lent.flatMap((store, i) => (present[i] && store.kind === "directory" ? [store.path] : [])),
      ]),
      ...(peers === undefined ? {} : { peers }),
      ...(clockOffsetSeconds === undefined ? {} : { clockOffsetSeconds }),
      ...(snapshot === undefined ? {} : { snapshot }),
      ...(report === undefined ? {} : { archive: inShort(report) }),
    };
  };

/** Counts alone: anyone may ask. */
const inShort = ({ until, objects, waiting, endangered, unreadable, lost, stores }: ArchiveReport) => ({
  ...{ until, objects, waiting, endangered, unreadable, lost },
  storesAway: stores.filter(({ state }) => state !== "there").length,
});

/** Of all disks below these folders, each disk once: the node's own, and those that it lends. A disk that is away has nothing free. */
function freeMegabytes(folders: readonly string[]): number {
  const disks = new Map<number, number>();
  for (const folder of folders) {
    const found = statSync(folder, { throwIfNoEntry: false });
    if (found === undefined) continue;
    const { bavail, bsize } = statfsSync(folder);
    disks.set(found.dev, bavail * bsize);
  }
  return Math.floor([...disks.values()].reduce((sum, bytes) => sum + bytes, 0) / MEGABYTE);
}

/** Height of the newest one that is whole: folders of unfinished ones have other names. */
function newestSnapshot(data: string): number | undefined {
  try {
    const heights = readdirSync(join(ledgerFolder(data), "snapshots")).filter((name) => /^\d+$/.test(name));
    return heights.length === 0 ? undefined : Math.max(...heights.map(Number));
  } catch {
    return undefined; // none was ever taken
  }
}
