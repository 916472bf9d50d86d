/**
 * What a driver and the application hand each other: a block with its transactions, and what it came to.
 * Source: design.md, "Drivers"; CometBFT spec, ABCI++ (FinalizeBlock).
 */
import type { Bytes } from "@xinglin/primitives";
import type { LogPlace } from "./audit-log.ts";
import type { TransactionResult } from "./block-results.ts";
import type { Time } from "./block-time.ts";
import type { Decided } from "./execution.ts";

/** A block as a driver hands it over. */
export interface BlockInput {
  readonly height: number;
  readonly time: Time;
  readonly transactions: readonly Bytes[];
}

/** What a block came to, computed and not yet committed. */
export interface Finalized {
  readonly results: readonly TransactionResult[];
  readonly appHash: Bytes;
  /** Audit entries in order, with where they stand in the log. */
  readonly entries: readonly (Decided & { readonly sequence: number; readonly place: LogPlace })[];
  /** Ids of the transactions that were not turned away, in order. */
  readonly ids: readonly Bytes[];
}

/** What an application stands on: its chain, its state and its limits. */
