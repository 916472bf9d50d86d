/** How this node is, for the one who runs it and for peers that probe it. Source: requirement A8. */
import { readdirSync, statfsSync } from "node:fs";
import { join } from "node:path";
import type { NodeFacts } from "@xinglin/api";
import type { CometbftLedger } from "@xinglin/cometbft";
import type { Ledger } from "@xinglin/ledger";
import type { NodeConfig } from "./config/node-config.ts";
import { ledgerFolder } from "./open-chain.ts";

const MEGABYTE = 1_000_000;

/** Asked each time that somebody wants to know. */
export const nodeFacts =
  ({ chain, data }: NodeConfig, ledger: Ledger) =>
  async (): Promise<NodeFacts> => {
    const { bavail, bsize } = statfsSync(data);
    const snapshot = newestSnapshot(data);
    const engine = "engine" in ledger ? (ledger as CometbftLedger).engine : undefined;
    const peers = await engine?.peers().catch(() => []);
    const clockOffsetSeconds = engine?.clockOffsetSeconds;
    return {
      driver: chain.driver,
      freeMegabytes: Math.floor((bavail * bsize) / MEGABYTE),
      ...(peers === undefined ? {} : { peers }),
      ...(clockOffsetSeconds === undefined ? {} : { clockOffsetSeconds }),
      ...(snapshot === undefined ? {} : { snapshot }),
    };
  };

/** Height of the newest one that is whole: folders of unfinished ones have other names. */
function newestSnapshot(data: string): number | undefined {
  try {
    const heights = readdirSync(join(ledgerFolder(data), "snapshots")).filter((name) => /^\d+$/.test(name));
    return heights.length === 0 ? undefined : Math.max(...heights.map(Number));
  } catch {
    return undefined; // none was ever taken
  }
}
