/**
 * Vectors: one decision each, with everything the rule read, for any language to run. Tests of rules yield them: every row of a refusal table, and the
 * accepted cases that a test names. `WRITE_VECTORS=1 npm test` writes them anew to `spec/<operation>/vectors.json`; `test/vectors.test.ts` runs what
 * stands there. The format is described in `spec/README.md`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { type Bytes, cbor, toHex } from "@xinglin/primitives";
import type { BlockContext, Caller, Operation, OperationName, Outcome, Reason, StateReader } from "../../src/index.ts";

/** One decision as it was made: what was asked in which context, and every entry that was read. */
export interface Decision {
  readonly operation: Operation;
  readonly block: BlockContext;
  readonly caller: Caller;
  readonly transaction: Bytes;
  readonly reads: ReadonlyMap<string, Bytes | undefined>;
}
const decisions = new WeakMap<Outcome, Decision>();

/** A reader that keeps what is read through it. */
export function recording(state: StateReader): { state: StateReader; reads: Map<string, Bytes | undefined> } {
  const reads = new Map<string, Bytes | undefined>();
  const get = (key: string): Bytes | undefined => {
    const value = state.get(key);
    reads.set(key, value);
    return value;
  };
  return { state: { get }, reads };
}
export const remember = (outcome: Outcome, decision: Decision): void => {
  decisions.set(outcome, decision);
};

/** Bytes as hex, so that a person can read an operation; what a program runs is its CBOR. */
export const readable = (value: unknown): unknown => {
  if (value instanceof Uint8Array)
    return value.length <= 64 ? `0x${toHex(value)}` : `0x${toHex(value.subarray(0, 8))}… (${value.length} bytes)`;
  if (Array.isArray(value)) return value.map(readable);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, element]) => [name, readable(element)]));
};

/** An outcome in JSON: changes and subject with bytes in hex, facts and reasons as they are. */
export interface OutcomeJson {
  readonly accepted?: { readonly changes: Record<string, string | null>; readonly subject: unknown; readonly reason?: Reason };
  readonly refused?: { readonly code: string; readonly facts: object; readonly subject: unknown; readonly reason?: Reason };
}
export function outcomeJson(outcome: Outcome): OutcomeJson {
  if (!outcome.ok) {
    const { code, facts, subject, reason } = outcome.refusal;
    return { refused: { code, facts, subject: readable(subject), ...(reason === undefined ? {} : { reason }) } };
  }
  const { changes, subject, reason } = outcome.value;
  const written = Object.fromEntries(changes.map(({ key, value }) => [key, value === null ? null : toHex(value)]));
  return { accepted: { changes: written, subject: readable(subject), ...(reason === undefined ? {} : { reason }) } };
}

/** One vector in JSON. `before` holds positions in the file's `values`; `null` is a key that must be absent. */
export interface VectorJson {
  readonly name: string;
  readonly operation: unknown;
  readonly operationCbor: string;
  readonly context: {
    readonly chain: string;
    readonly height: number;
    readonly time: number;
    readonly transaction: string;
    readonly caller: { readonly actor: string; readonly key: string; readonly byEnrolment: boolean; readonly sponsor: string };
  };
  readonly before: Readonly<Record<string, number | null>>;
  readonly outcome: OutcomeJson;
}
export interface VectorFile {
  readonly operation: OperationName;
  readonly values: readonly string[];
  readonly vectors: readonly VectorJson[];
}

/** Writes the vectors of an operation, if the run was asked to. */
export function writeVectors(operation: OperationName, outcomes: Readonly<Record<string, Outcome>>): void {
  if (process.env.WRITE_VECTORS === undefined) return;
  const values: string[] = [];
  const vectors: VectorJson[] = [];
  for (const [name, outcome] of Object.entries(outcomes)) {
    const decision = decisions.get(outcome);
    if (decision === undefined) throw new Error(`${operation} ${name}: not decided through the world`);
    const { block, caller, reads, transaction } = decision;
    const before: Record<string, number | null> = {};
    for (const [key, value] of [...reads].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const hex = value === undefined ? undefined : toHex(value);
      if (hex !== undefined && !values.includes(hex)) values.push(hex);
      before[key] = hex === undefined ? null : values.indexOf(hex);
    }
    const { actorId: actor, key, byEnrolment, sponsor } = caller;
    vectors.push({
      name,
      operation: readable(decision.operation),
      operationCbor: toHex(cbor.encode(decision.operation)),
      context: { ...block, transaction: toHex(transaction), caller: { actor, key, byEnrolment, sponsor } },
      before,
      outcome: outcomeJson(outcome),
    });
  }
  const folder = new URL(`../../../../spec/${operation}/`, import.meta.url);
  mkdirSync(folder, { recursive: true });
  const file: VectorFile = { operation, values, vectors };
  writeFileSync(new URL("vectors.json", folder), `${JSON.stringify(file, null, 1)}\n`);
}
