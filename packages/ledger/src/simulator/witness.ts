/** What a node tells of itself: where it may die, what it stores, and what a witness hears. Source: CometBFT spec, ABCI++ (crash recovery). */
import type { cometbft } from "@xinglin/crypto/pure";
import type { Fault } from "@xinglin/primitives";
import type { Finalized } from "../block.ts";
import type { Block } from "./block.ts";
import type { SimulatedNode } from "./node.ts";

/** Where in its work a node may die. */
export const CRASH_POINTS = [
  "before_prepare",
  "after_prepare",
  "before_process",
  "after_process",
  "before_finalize",
  "between_finalize_and_commit",
  "in_commit_write",
  "after_commit",
  "during_replay",
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** A process that ended by chance. */
export class Crash extends Error {
  readonly point: CrashPoint;
  constructor(point: CrashPoint) {
    super(point);
    this.point = point;
  }
}

/** A final block with the votes for it, as CometBFT's block store has it. */
export interface StoredBlock {
  readonly block: Block;
  readonly commit: cometbft.Commit;
}

/** Hears what the application of a node answers, and objects. */
export interface Witness {
  /** A node answered a proposal. */
  verdict(node: number, block: Block, isRight: boolean, fault: Fault | undefined): void;
  /** A node executed a block; it may be executed again after a crash. */
  finalized(node: number, block: Block, finalized: Finalized): void;
  /** A node's commit returned; or it had happened before a crash, and then what the block came to is not told. */
  committed(node: SimulatedNode, block: Block, finalized: Finalized | undefined): void;
  /** A node is up again. `acknowledged` is the height whose commit had returned before. */
  restarted(node: SimulatedNode, acknowledged: number): Promise<void>;
  /** A transaction left a node's mempool without a block. */
  dropped(node: number, idKey: string, fault: Fault): void;
}
