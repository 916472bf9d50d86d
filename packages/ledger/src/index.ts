export { Application, type ApplicationOptions } from "./application.ts";
export type { BlockInput, BlockOutcome, CommitVote, Finalized, Misbehaviour, ValidatorUpdate } from "./block.ts";
export { decodeBlock } from "./block-bytes.ts";
export type { TransactionResult } from "./block-results.ts";
export { type Clock, millisecondsBetween, systemClock, type Time } from "./block-time.ts";
export { idKeyOf } from "./candidate.ts";
export { damageIn } from "./damage.ts";
export type { BlockStore, CommittedBlock, Driver, DriverFactory, DriverSite, ValidatorKey } from "./driver.ts";
export { type DriverLedgerOptions, openDriverLedger } from "./driver-ledger.ts";
export type { ProvenEntry, ProvenValue } from "./entry-proof.ts";
export { type HandedOver, handOver } from "./hand-over.ts";
export type { BlockNotice, Ledger, LedgerOptions, SequencedEntry, Submission } from "./ledger.ts";
export { type ClosedLog, decodeClosedLog, decodeLogHead, type LogHead } from "./log-head.ts";
export type { MempoolLimits } from "./mempool.ts";
export { recallOutcome } from "./recall.ts";
export type { OperationResult, Receipt, ReceiptStage } from "./receipts.ts";
export type { RetentionPolicy } from "./retention.ts";
export {
  type ChunkAnswer,
  type OfferAnswer,
  SNAPSHOT_FORMAT,
  type Snapshot,
  type SnapshotSink,
  type SnapshotSource,
} from "./snapshot/contract.ts";
export { openLedger } from "./solo-ledger.ts";
export { storageKeys } from "./storage-keys.ts";
export { Wake } from "./wake.ts";
