export type { VerifySignature } from "./commit.ts";
export { verifyCommit } from "./commit.ts";
export * from "./evidence.ts";
export { decodeEvidence, type Evidence, encodeEvidence, MAX_EVIDENCE_BYTES, type Statement } from "./evidence-file.ts";
export * from "./genesis.ts";
export * from "./light-block.ts";
export * from "./light-client.ts";
export { type LogHead, readLogHead } from "./log-head.ts";
export * from "./state.ts";
