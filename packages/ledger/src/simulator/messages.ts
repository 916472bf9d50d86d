/** What nodes say to each other. Source: CometBFT spec, p2p (consensus, mempool and block-sync reactors), as far as an application notices. */
import type { Bytes } from "@xinglin/primitives";
import type { Proposal } from "./consensus.ts";
import type { Vote } from "./votes.ts";
import type { StoredBlock } from "./witness.ts";

/** A message between two nodes. */
export type Message =
  | {
      readonly kind: "consensus";
      readonly height: number;
      readonly votes?: readonly Vote[];
      readonly proposals?: readonly Proposal[];
    }
  /** Final blocks for a node that is behind. */
  | { readonly kind: "blocks"; readonly blocks: readonly StoredBlock[] }
  /** The sender wants blocks from this height on. */
  | { readonly kind: "want"; readonly height: number }
  | { readonly kind: "transactions"; readonly transactions: readonly Bytes[] };

/** A message on its way, with who sent it. */
export interface Letter {
  readonly from: number;
  readonly message: Message;
}
