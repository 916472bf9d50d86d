/**
 * CometBFT's snapshot connection over the ledger's snapshots, by which a new node joins without executing every block.
 * Source: CometBFT v0.40 spec "ABCI 2.0", state sync.
 */
import type { DriverSite } from "@xinglin/ledger";
import type { AbciHandlers } from "../abci/handlers.ts";

/** The four methods of the snapshot connection. */
export type SnapshotMethods = Pick<AbciHandlers, "listSnapshots" | "offerSnapshot" | "loadSnapshotChunk" | "applySnapshotChunk">;

const NOTHING = new Uint8Array(0);

/** The methods of a node that offers what `source` has and takes what `sink` takes; without either it does neither. */
export function snapshotMethods(snapshots: DriverSite["snapshots"]): SnapshotMethods {
  const source = snapshots?.source;
  const sink = snapshots?.sink;
  return {
    listSnapshots: async () => ({ snapshots: source?.list() ?? [] }),
    loadSnapshotChunk: async ({ height, format, chunk }) => ({ chunk: (await source?.chunk(height, format, chunk)) ?? NOTHING }),
    offerSnapshot: async ({ snapshot, appHash }) => ({ result: (await sink?.offer(snapshot, appHash)) ?? "abort" }),
    applySnapshotChunk: async ({ index, chunk, sender }) => (await sink?.apply(index, chunk, sender)) ?? { result: "abort" },
  };
}
