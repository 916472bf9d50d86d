/** Handlers for tests: each answers something plain, and says what it was asked. */
import type { AbciHandlers } from "../../src/abci/handlers.ts";

const NOTHING = new Uint8Array(0);

/** Handlers that answer with defaults, except for those given. `asked` collects every call. */
export function plainHandlers(own: Partial<AbciHandlers> = {}): AbciHandlers & { readonly asked: [string, unknown][] } {
  const asked: [string, unknown][] = [];
  const defaults: AbciHandlers = {
    info: async () => ({ version: "test", appVersion: 1, lastBlockHeight: 0, lastBlockAppHash: NOTHING }),
    query: async () => ({ code: 0 }),
    checkTx: async () => ({ code: 0 }),
    insertTx: async () => ({ code: 0 }),
    reapTxs: async () => ({ transactions: [] }),
    initChain: async () => ({ validators: [], appHash: NOTHING }),
    prepareProposal: async ({ transactions }) => ({ transactions }),
    processProposal: async () => ({ accept: true }),
    extendVote: async () => ({ extension: NOTHING }),
    verifyVoteExtension: async () => ({ accept: true }),
    finalizeBlock: async ({ transactions }) => ({
      results: transactions.map(() => ({ code: 0 })),
      validatorUpdates: [],
      appHash: NOTHING,
    }),
    commit: async () => ({ retainHeight: 0 }),
    listSnapshots: async () => ({ snapshots: [] }),
    offerSnapshot: async () => ({ result: "reject" }),
    loadSnapshotChunk: async () => ({ chunk: NOTHING }),
    applySnapshotChunk: async () => ({ result: "accept" }),
  };
  const all = { ...defaults, ...own };
  const noting = Object.entries(all).map(([name, handler]) => [
    name,
    (request?: unknown) => {
      asked.push([name, request]);
      return (handler as (request: unknown) => unknown)(request);
    },
  ]);
  return { ...(Object.fromEntries(noting) as AbciHandlers), asked };
}
