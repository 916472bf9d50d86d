/**
 * Proofs that a stranger can check: a state entry or its absence under a header, and an audit entry under the log's head.
 * Source: design.md, "Proofs", "Audit log".
 */
import { keys } from "@xinglin/contracts";
import { type Bytes, Fault, invariant } from "@xinglin/primitives";
import type { Core } from "./core.ts";
import { decodeClosedLog, decodeLogHead } from "./log-head.ts";

/** What the state holds under `key` at `height`, or that it holds nothing, with everything needed to check it. */
export interface ProvenValue {
  readonly height: number;
  readonly key: string;
  /** Absent if the state holds nothing there. */
  readonly value?: Bytes;
  /** Protobuf `ics23.CommitmentProof`. */
  readonly proof: Bytes;
  /** Protobuf `tendermint.types.LightBlock` of height + 1, whose header holds the root. */
  readonly lightBlock: Bytes;
}

/** An audit entry and its way to the state: entry, path, head of its epoch's log, header. */
export interface ProvenEntry {
  readonly sequence: number;
  /** Canonical bytes: the leaf. */
  readonly entry: Bytes;
  readonly epoch: number;
  readonly index: number;
  /** Entries under the head's root. */
  readonly size: number;
  /** RFC 6962 inclusion path, from the leaf's sibling upwards. */
  readonly path: readonly Bytes[];
  /** Proof of `log`, or of `log/{epoch}` once that epoch is closed. */
  readonly head: ProvenValue;
}

/** Proves `key` at `height`, by default the newest provable. Faults: `not_provable_yet` (retry), `state_pruned`, `state_height_unknown`. */
export function proveValue({ state, driver }: Core, key: string, height: number = driver.provableHeight()): ProvenValue {
  const lightBlock = driver.lightBlock(height + 1);
  if (lightBlock === undefined)
    throw new Fault("not_provable_yet", { height, provable: driver.provableHeight() }, { retry: true });
  const { value, proof } = state.prove(key, height);
  return { height, key, ...(value === undefined ? {} : { value }), proof, lightBlock };
}

/** Proves the entry at `sequence` at the newest provable height. Faults: `unknown_entry`, `not_provable_yet` (retry). */
export function proveEntry(core: Core, sequence: number): ProvenEntry {
  const { log } = core.application;
  const entry = log.entry(sequence);
  if (entry === undefined) throw new Fault("unknown_entry", { sequence, entries: log.length });
  const place = log.place(sequence);
  const { epoch, index } = place;
  const openHead = proveValue(core, keys.log);
  const open = decodeLogHead(openHead.value);
  const isClosed = epoch < open.epoch;
  const head = isClosed ? proveValue(core, keys.closedLog(epoch), openHead.height) : openHead;
  invariant(head.value !== undefined || !isClosed, "log: a closed epoch is missing from the state");
  const size = isClosed ? decodeClosedLog(head.value as Bytes).size : epoch === open.epoch ? open.size : 0;
  if (index >= size) throw new Fault("not_provable_yet", { sequence, provable: openHead.height }, { retry: true });
  return { sequence, entry, epoch, index, size, path: log.path(place, size), head };
}
