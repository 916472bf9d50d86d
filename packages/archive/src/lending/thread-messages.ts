/** What a store service's thread and its parent say to each other. */
import type { Fault } from "@xinglin/primitives";
import type { StoreDescription } from "../store/description.ts";

/** What the thread begins with. */
export interface LendingOrder {
  readonly stores: readonly StoreDescription[];
  /** Ids of those that guests find away until it is said otherwise, whether they are there or not. */
  readonly away?: readonly string[];
  /** Where the logs of loans lie. */
  readonly folder: string;
  readonly listen: { readonly host: string; readonly port: number };
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Host names, with ports, under which guests ask, beside the listening address. */
  readonly names: readonly string[];
  /** What one member may fill of a store; half of its quota unless told. */
  readonly memberQuotaBytes?: number;
}

/** Which object's anchor, and whose if that is known. */
export interface AnchorQuestion {
  readonly anchor: string;
  readonly of?: string | undefined;
}

export type FromThread =
  | { readonly type: "listening"; readonly port: number }
  | { readonly type: "failed"; readonly code: string; readonly facts: Fault["facts"] }
  | { readonly type: "closed" }
  | ({ readonly type: "ask"; readonly id: number } & ({ readonly authorize: Uint8Array } | AnchorQuestion));

export type ToThread =
  | { readonly type: "answer"; readonly id: number; readonly value?: unknown; readonly code?: string }
  | { readonly type: "draining" | "away"; readonly stores: readonly string[] }
  | { readonly type: "close" };
