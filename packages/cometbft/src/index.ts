export type * from "./abci/handlers.ts";
export { RETRY_CODE } from "./abci/handlers.ts";
export { type AbciEvent, AbciServer, type AbciServerOptions, DEFAULT_MAX_FRAME_BYTES } from "./abci/server.ts";
export type { NodeNotice, NodeOptions } from "./driver/node-options.ts";
export { type BuildNotice, ENGINE_VARIABLE, ENGINE_VERSION, type EnsureOptions, ensureEngine } from "./engine/engine.ts";
export { CONSENSUS_TIMES, type ConsensusTimes, type Peer, type StateSync } from "./home/config-file.ts";
export { type Continuation, EVIDENCE_AGE } from "./home/genesis-file.ts";
export { nodeIdOf } from "./home/keys.ts";
export { COMETBFT, type CometbftLedger, type CometbftLedgerOptions, openCometbftLedger } from "./open.ts";
