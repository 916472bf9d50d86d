export { nodeCurves, nodeSha256, verifySync } from "./curves.ts";
export * from "./signer.ts";
export type { VerifyJob } from "./verify-jobs.ts";
export * from "./verify-pool.ts";
