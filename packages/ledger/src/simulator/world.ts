/** What surrounds the members of a simulation. */
import type { Bytes } from "@xinglin/primitives";
import type { Misbehaviour } from "../block.ts";
import type { Block, ChainFacts } from "./block.ts";
import type { Trick } from "./byzantine.ts";
import type { Wait } from "./consensus.ts";
import type { Message } from "./messages.ts";
import type { Mutation } from "./mutations.ts";
import type { StoredBlock } from "./witness.ts";
import type { Workload } from "./workload.ts";

/** What a member needs of the world. */
export interface World {
  readonly facts: ChainFacts;
  readonly mutation: Mutation | undefined;
  readonly workload: Workload;
  readonly size: number;
  send(from: number, to: number, message: Message): void;
  wait(member: number, wait: Wait, height: number, round: number, delayMs: number): void;
  /** A faulty proposal was made. */
  tricked(member: number, trick: Trick, block: Block): void;
  /** An honest one was made, of what waits in the proposer's mempool. */
  prepared(member: number, block: Block): void;
  /** Evidence against a voter that no block holds yet. */
  openEvidence(): readonly Misbehaviour[];
  foundDoubleVote(voter: number, height: number): void;
  /** A final block reached this member. */
  decided(member: number, stored: StoredBlock): void;
  /** Transactions that blocks below `height` included. */
  committed(height: number): readonly Bytes[];
  areFaultsOn(): boolean;
  /** Whether the faulty nodes have less than a third of the power at this height: an election may give them more. */
  areFaultyFew(height: number): boolean;
  /** What faulty proposers do; undefined: anything. */
  readonly tricks: readonly Trick[] | undefined;
  /** Whether nodes hand on what peers handed to them. */
  readonly relay: boolean;
  /** The validators' keys, by node. */
  readonly keys: readonly SigningKey[];
}

/** A validator's key, as a simulation signs with it. */
export interface SigningKey {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Bytes;
  signSync(bytes: Bytes): Bytes;
}
