export { Application, type ApplicationOptions, type BlockInput, type Finalized } from "./application.ts";
export { decodeBlock } from "./block-bytes.ts";
export type { TransactionResult } from "./block-results.ts";
export { type Clock, systemClock, type Time } from "./block-time.ts";
export type { CommittedBlock, Driver, ValidatorKey } from "./driver.ts";
export type { ProvenEntry, ProvenValue } from "./entry-proof.ts";
export {
  type BlockNotice,
  type Ledger,
  type LedgerOptions,
  openLedger,
  type SequencedEntry,
  type Submission,
} from "./ledger.ts";
export { type ClosedLog, decodeClosedLog, decodeLogHead, type LogHead } from "./log-head.ts";
export type { MempoolLimits } from "./mempool.ts";
export type { OperationResult, Receipt, ReceiptStage } from "./receipts.ts";
