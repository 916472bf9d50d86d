export type { VerifySignature } from "./commit.ts";
export { verifyCommit } from "./commit.ts";
export * from "./evidence.ts";
export { decodeEvidence, type Evidence, encodeEvidence, MAX_EVIDENCE_BYTES, type Statement } from "./evidence-file.ts";
export * from "./fork-file.ts";
export * from "./genesis.ts";
export { type Attack, type AttackKind, judgeAttack } from "./light-attack.ts";
export { bisect } from "./light-bisection.ts";
export * from "./light-block.ts";
export { LightBudget, type Look, type LookStore } from "./light-budget.ts";
export * from "./light-client.ts";
export type { WitnessAnswer } from "./light-detector.ts";
export * from "./light-follow.ts";
export { type FollowerOptions, LightFollower, type LightReport } from "./light-follower.ts";
export { extendHistory } from "./light-history.ts";
export type { LightBlockSource } from "./light-source.ts";
export {
  type Anchor,
  anchorOf,
  genesisAnchor,
  type Jumps,
  MAX_CLOCK_DRIFT_SECONDS,
  type StepRules,
  TRUSTING_PERIOD_SECONDS,
  verifyStep,
} from "./light-step.ts";
export { type LightStore, lightStateSummary, memoryLightStore } from "./light-store.ts";
export { LightWalker } from "./light-walk.ts";
export { type LogHead, readLogHead } from "./log-head.ts";
export * from "./state.ts";
