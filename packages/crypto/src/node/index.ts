export { nodeCurves, nodeSha256, verifySync } from "./curves.ts";
export { nodeHybridSigner, nodeMlDsa65Key } from "./ml-dsa.ts";
export * from "./secrets.ts";
export * from "./signer.ts";
export { nodeSm2Signer } from "./sm2.ts";
export type { VerifyJob } from "./verify-jobs.ts";
export * from "./verify-pool.ts";
