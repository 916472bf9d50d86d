/**
 * Whether a request for a record would be permitted now: the decision of `requestAccess`, asked without asking on the chain. What a search goes by.
 * Source: requirement D7; docs/internals/search.md.
 */
import type { ActorId, Bytes, CredentialId, MemberId, RecordId, UnixSeconds } from "@xinglin/primitives";
import type { Basis, RecordClass } from "../model/class.ts";
import type { Purpose } from "../model/purpose.ts";
import { getRecord } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";
import { decideAccess } from "./decide-access.ts";
import { findKnownLeaf, findTarget } from "./target.ts";

/** A record of its own, of which the chain says all, or one of a batch, of which its source says whose it is and of which class. */
export type KnownRecord =
  | { readonly kind: "record"; readonly record: RecordId }
  | {
      readonly kind: "leaf";
      readonly record: RecordId;
      readonly root: Bytes;
      readonly patient: ActorId;
      readonly class: RecordClass;
    };

/** Who would ask, and on which papers. */
export interface WouldAsk {
  readonly caller: Pick<Caller, "actorId" | "actor">;
  readonly purpose: Purpose;
  readonly credential: CredentialId;
  readonly approval?: CredentialId;
}

/** What a request would be permitted for, and on what basis. */
export interface WouldPermit {
  readonly patient: ActorId;
  readonly source: MemberId;
  readonly class: RecordClass;
  /** Of a record of its own: the newest, which alone can be asked for. */
  readonly version?: number;
  readonly basis: Basis;
}

/** What a request in a block of `time` would be permitted for; undefined if it would be refused, whatever for. Cost: as the rule's. */
export function wouldPermit(
  state: StateReader,
  known: KnownRecord,
  { caller, purpose, credential, approval }: WouldAsk,
  time: UnixSeconds,
): WouldPermit | undefined {
  const record = known.kind === "record" ? getRecord(state, known.record) : undefined;
  const { patient, class: recordClass } = known.kind === "leaf" ? known : (record ?? {});
  if (patient === undefined || recordClass === undefined) return undefined;
  const asked = { patient, purpose, class: recordClass, credential, ...(approval === undefined ? {} : { approval }) };
  const { outcome } = decideAccess(state, asked, caller, time, (home) =>
    known.kind === "leaf"
      ? findKnownLeaf(state, known.root, known.record, home)
      : findTarget(state, { kind: "record", record: known.record, version: record?.version ?? 0 }, patient, home, recordClass),
  );
  if (!outcome.ok) return undefined;
  const { found, basis } = outcome.value;
  const version = record === undefined ? {} : { version: record.version };
  return { patient, source: found.source, class: recordClass, ...version, basis };
}
