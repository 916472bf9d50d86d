/** CometBFT's own socket client, in Go, speaks with the server: a client that was not written beside it. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { whatIsMissing } from "../../proto/generate.ts";
import type { AbciBlock, PrepareProposalRequest } from "../../src/abci/handlers.ts";
import { plainHandlers } from "../support/handlers.ts";
import { withServer } from "../support/socket.ts";

const oracles = fileURLToPath(new URL("../../../../engine/oracles", import.meta.url));
const missing = whatIsMissing();
const skip = missing === undefined ? false : `NOT CHECKED: ${missing}`;
const TRANSACTIONS = 3_000;
const TRANSACTION_BYTES = 700;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const base64 = (value: Uint8Array): string => Buffer.from(value).toString("base64");

test("CometBFT's Go client and this server understand each other, on a Unix socket and on a port", { skip }, async () => {
  for (const at of [undefined, { port: 0 }]) await conversation(at === undefined ? {} : { at });
});

async function conversation(options: { readonly at?: { readonly port: number } }): Promise<void> {
  const mldsa65 = new Uint8Array(1952).fill(6);
  const appHash = new Uint8Array(32).fill(9);
  const snapshot = { height: 8, format: 1, chunks: 2, hash: appHash, metadata: new Uint8Array(0) };
  const handlers = plainHandlers({
    info: async () => ({ version: "0.1.0", appVersion: 1, lastBlockHeight: 7, lastBlockAppHash: appHash }),
    initChain: async ({ validators }) => ({ validators, appHash }),
    query: async ({ data, path, height }) => ({ code: 0, value: Buffer.concat([data, bytes(`${path}${height}`)]) }),
    // The later a transaction comes, the earlier its answer is there.
    checkTx: async ({ transaction }) => {
      for (let turns = 200 - transaction[0]!; turns > 0; turns--) await new Promise(setImmediate);
      return { code: transaction[0]! };
    },
    insertTx: async () => ({ code: 32_001 }),
    reapTxs: async ({ maxBytes }) => ({ transactions: [bytes("a"), bytes(`${maxBytes}`)] }),
    extendVote: async () => ({ extension: bytes("extension") }),
    finalizeBlock: async ({ transactions }) => ({
      results: transactions.map((transaction) => ({ code: transaction[0]! % 2, data: transaction.subarray(0, 2) })),
      validatorUpdates: [{ publicKey: mldsa65, power: 12 }],
      appHash,
    }),
    commit: async () => ({ retainHeight: 5 }),
    listSnapshots: async () => ({ snapshots: [snapshot] }),
    offerSnapshot: async () => ({ result: "reject_sender" }),
    loadSnapshotChunk: async () => ({ chunk: new Uint8Array(10_000_000) }),
    applySnapshotChunk: async ({ chunk }) => ({ result: chunk.length === 10_000_000 ? "retry_snapshot" : "abort" }),
  });
  await withServer(
    handlers,
    async ({ server }) => {
      const args = ["run", "./abci", server.address, String(TRANSACTIONS), String(TRANSACTION_BYTES)];
      const { stdout } = await promisify(execFile)("go", args, { cwd: oracles, maxBuffer: 1 << 26 });
      assert.deepEqual(JSON.parse(stdout), {
        echo: "hello",
        version: "0.1.0",
        height: 7,
        chainAppHash: base64(appHash),
        checkCodes: Array.from({ length: 200 }, (_, i) => i),
        insertCode: 32_001,
        reaped: [base64(bytes("a")), base64(bytes("1048576"))],
        proposed: TRANSACTIONS,
        proposedSame: true,
        accepted: true,
        results: TRANSACTIONS,
        updatePower: 12,
        updateKey: base64(mldsa65),
        appHash: base64(appHash),
        retainHeight: 5,
        queryValue: base64(bytes("key/store3")),
        snapshotHeight: 8,
        offer: "REJECT_SENDER",
        chunkBytes: 10_000_000,
        apply: "RETRY_SNAPSHOT",
        voteExtension: base64(bytes("extension")),
        extensionVerified: true,
      });
    },
    options,
  );

  const asked = Object.fromEntries(handlers.asked);
  const validator = { address: new Uint8Array(20).fill(3) };
  const time = { seconds: 1_790_000_000, nanos: 999_999_999 };
  const block = asked["finalizeBlock"] as AbciBlock;
  assert.deepEqual(block.time, time);
  assert.deepEqual(
    block.lastCommit.map(({ signed }) => signed),
    [true, false, true],
  );
  assert.deepEqual(block.misbehaviour, [{ kind: "duplicate_vote", ...validator, height: 1 }]);
  assert.equal(block.transactions.length, TRANSACTIONS);
  for (const [i, transaction] of block.transactions.entries())
    assert.ok(transaction.length === TRANSACTION_BYTES && transaction.every((byte) => byte === i % 256));
  const prepare = asked["prepareProposal"] as PrepareProposalRequest;
  assert.deepEqual(prepare.localLastCommit, [{ ...validator, signed: true, extension: new Uint8Array(0) }]);
  assert.partialDeepStrictEqual(asked["initChain"], {
    time,
    chainId: "chain",
    initialHeight: 1,
    appState: bytes("{}"),
    validators: [{ publicKey: new Uint8Array(32).fill(5), power: 10 }],
    consensusParams: {
      block: { maxBytes: 4_194_304, maxGas: -1 },
      evidence: { maxAgeBlocks: 10, maxAge: { seconds: 3_600, nanos: 0 }, maxBytes: 1_048_576 },
      validator: { keyTypes: ["ed25519"] },
      version: { app: 1 },
      abci: { voteExtensionsEnableHeight: 0 },
    },
  });
}
