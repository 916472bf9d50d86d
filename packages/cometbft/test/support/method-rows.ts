/** Every method of ABCI 2.0 with a question, what comes of it at the handler, the handler's answer, and what CometBFT is told. */
import type { AbciHandlers } from "../../src/abci/handlers.ts";
import type { Question } from "./abci-client.ts";

/** A byte string. */
export const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);
const hash = new Uint8Array(32).fill(7);
const address = new Uint8Array(20).fill(3);
const ed25519 = new Uint8Array(32).fill(5);
const mldsa65 = new Uint8Array(1952).fill(6);
const time = { seconds: 1_790_000_000n, nanos: 999_999_999 };
const validator = { address, power: 10n };

const PARAMS = {
  block: { maxBytes: 4_194_304n, maxGas: -1n },
  evidence: { maxAgeNumBlocks: 100_000n, maxAgeDuration: { seconds: 172_800n, nanos: 5 }, maxBytes: 1_048_576n },
  validator: { pubKeyTypes: ["ed25519", "ml_dsa_65"] },
  version: { app: 1n },
  abci: { voteExtensionsEnableHeight: 0n },
};
const params = {
  block: { maxBytes: 4_194_304, maxGas: -1 },
  evidence: { maxAgeBlocks: 100_000, maxAge: { seconds: 172_800, nanos: 5 }, maxBytes: 1_048_576 },
  validator: { keyTypes: ["ed25519", "ml_dsa_65"] },
  version: { app: 1 },
  abci: { voteExtensionsEnableHeight: 0 },
};
const BLOCK = {
  txs: [bytes(1, 2), bytes(), bytes(3)],
  misbehavior: [
    { type: 1, validator, height: 4n, time, totalVotingPower: 40n },
    { type: 2, validator, height: 5n, time, totalVotingPower: 40n },
  ],
  hash,
  height: 9_007_199_254_740_991n,
  time,
  nextValidatorsHash: hash,
  proposerAddress: address,
};
const VOTES = { round: 1, votes: [1, 2, 3].map((blockIdFlag) => ({ validator, blockIdFlag })) };
const block = {
  height: 9_007_199_254_740_991,
  time: { seconds: 1_790_000_000, nanos: 999_999_999 },
  transactions: [bytes(1, 2), bytes(), bytes(3)],
  misbehaviour: [
    { kind: "duplicate_vote", address, height: 4 },
    { kind: "light_client_attack", address, height: 5 },
  ],
  lastCommit: [false, true, true].map((signed) => ({ address, signed })),
  hash,
  nextValidatorsHash: hash,
  proposerAddress: address,
};
const snapshot = { height: 8, format: 1, chunks: 2, hash, metadata: bytes(9) };
const SNAPSHOT = { ...snapshot, height: 8n };

/** One line a method: the question, what the handler must be asked, its answer, and what must be told. */
export interface Row {
  readonly ask: Question;
  readonly asked?: unknown;
  readonly own: Partial<AbciHandlers>;
  readonly told: object;
}
/** What every method is asked and answers. */
export const rows: { [K in keyof AbciHandlers]: Row } = {
  info: {
    ask: { case: "info", value: { version: "0.40.0", blockVersion: 11n, p2pVersion: 9n, abciVersion: "2.2.0" } },
    asked: { version: "0.40.0", blockVersion: 11, p2pVersion: 9, abciVersion: "2.2.0" },
    own: { info: async () => ({ data: "x", version: "0.1.0", appVersion: 1, lastBlockHeight: 7, lastBlockAppHash: hash }) },
    told: { data: "x", version: "0.1.0", appVersion: 1n, lastBlockHeight: 7n, lastBlockAppHash: hash },
  },
  initChain: {
    ask: {
      case: "initChain",
      value: {
        time,
        chainId: "c",
        consensusParams: PARAMS,
        validators: [
          { pubKey: { sum: { case: "ed25519", value: ed25519 } }, power: 10n },
          { pubKey: { sum: { case: "mldsa65", value: mldsa65 } }, power: 11n },
        ],
        appStateBytes: bytes(123, 125),
        initialHeight: 1n,
      },
    },
    asked: {
      time: block.time,
      chainId: "c",
      consensusParams: params,
      validators: [
        { publicKey: ed25519, power: 10 },
        { publicKey: mldsa65, power: 11 },
      ],
      appState: bytes(123, 125),
      initialHeight: 1,
    },
    own: {
      initChain: async () => ({ consensusParams: params, validators: [{ publicKey: mldsa65, power: 3 }], appHash: hash }),
    },
    told: {
      consensusParams: PARAMS,
      validators: [{ pubKey: { sum: { case: "mldsa65", value: mldsa65 } }, power: 3n }],
      appHash: hash,
    },
  },
  query: {
    ask: { case: "query", value: { data: bytes(1), path: "/store", height: 3n, prove: true } },
    asked: { data: bytes(1), path: "/store", height: 3, prove: true },
    own: {
      query: async () => ({
        code: 0,
        log: "l",
        key: bytes(1),
        value: bytes(2),
        proofOps: [{ type: "ics23:iavl", key: bytes(1), data: bytes(4) }],
        height: 3,
      }),
    },
    told: {
      code: 0,
      log: "l",
      key: bytes(1),
      value: bytes(2),
      proofOps: { ops: [{ type: "ics23:iavl", key: bytes(1), data: bytes(4) }] },
      height: 3n,
    },
  },
  checkTx: {
    ask: { case: "checkTx", value: { tx: bytes(5, 6), type: 1 } },
    asked: { transaction: bytes(5, 6), recheck: true },
    own: { checkTx: async () => ({ code: 4, codespace: "xinglin", log: "expired", data: bytes(1) }) },
    told: { code: 4, codespace: "xinglin", log: "expired", data: bytes(1) },
  },
  insertTx: {
    ask: { case: "insertTx", value: { tx: bytes(5, 6) } },
    asked: { transaction: bytes(5, 6) },
    own: { insertTx: async () => ({ code: 32_001 }) },
    told: { code: 32_001 },
  },
  reapTxs: {
    ask: { case: "reapTxs", value: { maxBytes: 18_446_744_073_709_551_615n, maxGas: 0n } },
    asked: { maxBytes: Number.MAX_SAFE_INTEGER, maxGas: 0 },
    own: { reapTxs: async () => ({ transactions: [bytes(1), bytes(2)] }) },
    told: { txs: [bytes(1), bytes(2)] },
  },
  prepareProposal: {
    ask: {
      case: "prepareProposal",
      value: {
        maxTxBytes: 1_000n,
        txs: BLOCK.txs,
        localLastCommit: {
          round: 0,
          votes: [{ validator, blockIdFlag: 2, voteExtension: bytes(8), extensionSignature: bytes(9) }],
        },
        misbehavior: BLOCK.misbehavior,
        height: 5n,
        time,
        nextValidatorsHash: hash,
        proposerAddress: address,
      },
    },
    asked: {
      maxTxBytes: 1_000,
      transactions: block.transactions,
      localLastCommit: [{ address, signed: true, extension: bytes(8) }],
      misbehaviour: block.misbehaviour,
      height: 5,
      time: block.time,
      nextValidatorsHash: hash,
      proposerAddress: address,
    },
    own: { prepareProposal: async () => ({ transactions: [bytes(1), bytes()] }) },
    told: { txs: [bytes(1), bytes()] },
  },
  processProposal: {
    ask: { case: "processProposal", value: { ...BLOCK, proposedLastCommit: VOTES } },
    asked: block,
    own: { processProposal: async () => ({ accept: false }) },
    told: { status: 2 },
  },
  extendVote: {
    ask: { case: "extendVote", value: { ...BLOCK, proposedLastCommit: VOTES } },
    asked: block,
    own: { extendVote: async () => ({ extension: bytes(4) }) },
    told: { voteExtension: bytes(4) },
  },
  verifyVoteExtension: {
    ask: { case: "verifyVoteExtension", value: { hash, validatorAddress: address, height: 6n, voteExtension: bytes(4) } },
    asked: { hash, validatorAddress: address, height: 6, extension: bytes(4) },
    own: {},
    told: { status: 1 },
  },
  finalizeBlock: {
    ask: { case: "finalizeBlock", value: { ...BLOCK, decidedLastCommit: VOTES } },
    asked: block,
    own: {
      finalizeBlock: async () => ({
        results: [{ code: 0 }, { code: 3, data: bytes(1), gasWanted: 5, gasUsed: 4 }],
        validatorUpdates: [{ publicKey: ed25519, power: 0 }],
        consensusParams: { block: params.block },
        appHash: hash,
      }),
    },
    told: {
      txResults: [
        { code: 0, data: bytes(), gasWanted: 0n, gasUsed: 0n },
        { code: 3, data: bytes(1), gasWanted: 5n, gasUsed: 4n },
      ],
      validatorUpdates: [{ pubKey: { sum: { case: "ed25519", value: ed25519 } }, power: 0n }],
      consensusParamUpdates: { block: PARAMS.block },
      appHash: hash,
    },
  },
  commit: {
    ask: { case: "commit", value: {} },
    own: { commit: async () => ({ retainHeight: 12 }) },
    told: { retainHeight: 12n },
  },
  listSnapshots: {
    ask: { case: "listSnapshots", value: {} },
    own: { listSnapshots: async () => ({ snapshots: [snapshot] }) },
    told: { snapshots: [SNAPSHOT] },
  },
  offerSnapshot: {
    ask: { case: "offerSnapshot", value: { snapshot: SNAPSHOT, appHash: hash } },
    asked: { snapshot, appHash: hash },
    own: { offerSnapshot: async () => ({ result: "reject_format" }) },
    told: { result: 4 },
  },
  loadSnapshotChunk: {
    ask: { case: "loadSnapshotChunk", value: { height: 8n, format: 1, chunk: 1 } },
    asked: { height: 8, format: 1, chunk: 1 },
    own: { loadSnapshotChunk: async () => ({ chunk: bytes(1, 2, 3) }) },
    told: { chunk: bytes(1, 2, 3) },
  },
  applySnapshotChunk: {
    ask: { case: "applySnapshotChunk", value: { index: 1, chunk: bytes(1), sender: "peer" } },
    asked: { index: 1, chunk: bytes(1), sender: "peer" },
    own: { applySnapshotChunk: async () => ({ result: "retry", refetchChunks: [0, 1], rejectSenders: ["peer"] }) },
    told: { result: 3, refetchChunks: [0, 1], rejectSenders: ["peer"] },
  },
};
