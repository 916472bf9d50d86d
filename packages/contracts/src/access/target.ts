/**
 * What a request to read names, and what the chain says of it: a record of its own, or a leaf of a batch with its path.
 * Source: requirements C3, D1; design.md, "Transactions" (record batch); RFC 6962 section 2.1.
 */
import { merkle } from "@xinglin/crypto/pure";
import {
  type ActorId,
  accept,
  type Bytes,
  type Infer,
  type MemberId,
  type RecordId,
  type Result,
  recordId,
  refuse,
  schema,
  type UnixSeconds,
} from "@xinglin/primitives";
import type { Target } from "../model/access.ts";
import type { RecordClass } from "../model/class.ts";
import {
  batchLeaf,
  type CustodyReference,
  encodeBatchLeaf,
  MAX_BATCH_LEAVES,
  type ObjectReference,
  version,
} from "../model/record.ts";
import { getBatch, getRecord } from "../reads.ts";
import { type CustodyRefusal, checkCustody, FIRST_EPOCH } from "../record/custody-check.ts";
import type { StateReader, Subject } from "../rule.ts";

const leafIndex = schema.uint(MAX_BATCH_LEAVES - 1);
/** Hashes on the path of the largest batch: 2^20 leaves. */
const MAX_PATH = 20;

/** A record and its version, or a whole leaf with its position and path. */
export const requestTarget = schema.variant("kind", {
  record: schema.object({ record: recordId, version }),
  batch: schema.object({
    root: schema.bytes(32),
    leaf: batchLeaf,
    index: leafIndex,
    path: schema.list(schema.bytes(32), MAX_PATH),
  }),
});
export type RequestTarget = Infer<typeof requestTarget>;

/** What the target is, for the decision and the permit. */
export interface FoundTarget {
  readonly target: Target;
  readonly class: RecordClass;
  readonly source: MemberId;
  readonly object: ObjectReference;
  readonly custody: CustodyReference;
  /** Block time of its anchor: what a directive's record period is compared with. */
  readonly anchoredAt: UnixSeconds;
}

/** In the order of the checks; none says whose record it is instead, or of which class. */
export type TargetRefusal =
  | { code: "unknown_record" }
  | { code: "unknown_batch" }
  | { code: "batch_path_wrong" }
  | { code: "record_of_another_patient" }
  | { code: "batch_of_another_member" }
  | { code: "custody_unfit"; fault: CustodyRefusal["code"] }
  | { code: "record_withdrawn" }
  | { code: "record_ending" }
  | { code: "record_superseded"; newest: number }
  | { code: "class_mismatch" };

/** What the audit log says a request was about: only what it said itself. */
export const subjectOf = (target: RequestTarget): Subject =>
  target.kind === "record"
    ? { record: target.record, version: target.version }
    : { record: target.leaf.record, batch: target.root };

/** The target, if it is `patient`'s, of the class that the request names, and may still be read. `home` is the member that registered the patient. */
export function findTarget(
  state: StateReader,
  asked: RequestTarget,
  patient: ActorId,
  home: MemberId,
  wanted: RecordClass,
): Result<FoundTarget, TargetRefusal> {
  const found = asked.kind === "record" ? findRecord(state, asked, patient) : findLeaf(state, asked, patient, home);
  if (!found.ok) return found;
  const { category, level } = found.value.class;
  if (category !== wanted.category || level !== wanted.level) return refuse({ code: "class_mismatch" });
  return found;
}

type Asked<Kind extends RequestTarget["kind"]> = Extract<RequestTarget, { readonly kind: Kind }>;

function findRecord(
  state: StateReader,
  { record: id, version }: Asked<"record">,
  patient: ActorId,
): Result<FoundTarget, TargetRefusal> {
  const record = getRecord(state, id);
  if (record === undefined || version > record.version) return refuse({ code: "unknown_record" });
  if (record.patient !== patient) return refuse({ code: "record_of_another_patient" });
  if (record.status === "withdrawn") return refuse({ code: "record_withdrawn" });
  if (record.status !== "current") return refuse({ code: "record_ending" });
  if (version < record.version) return refuse({ code: "record_superseded", newest: record.version });
  const { source, object, custody, at } = record;
  return accept({
    target: { kind: "record", record: id, version },
    class: record.class,
    source,
    object,
    custody,
    anchoredAt: at.time,
  });
}

function findLeaf(
  state: StateReader,
  asked: Asked<"batch">,
  patient: ActorId,
  home: MemberId,
): Result<FoundTarget, TargetRefusal> {
  const { root, leaf, index, path } = asked;
  const batch = getBatch(state, root);
  if (batch === undefined) return refuse({ code: "unknown_batch" });
  const leafHash = merkle.leafHash(encodeBatchLeaf(leaf));
  if (!merkle.verifyInclusionOfHash(leafHash, index, batch.count, path, root)) return refuse({ code: "batch_path_wrong" });
  if (leaf.patient !== patient) return refuse({ code: "record_of_another_patient" });
  if (batch.source !== home) return refuse({ code: "batch_of_another_member" });
  const custody = checkCustody(state, leaf.custody, FIRST_EPOCH, batch.at.height);
  if (!custody.ok) return refuse({ code: "custody_unfit", fault: custody.refusal.code });
  const superseded = refusalOfSuccessor(state, leaf.record, batch.source);
  if (superseded !== undefined) return refuse(superseded);
  const target: Target = { kind: "batch", root, leaf: leafHash, record: leaf.record };
  return accept({
    target,
    class: leaf.class,
    source: batch.source,
    object: leaf.object,
    custody: leaf.custody,
    anchoredAt: batch.at.time,
  });
}

/** The record that its source says lies in a batch, as far as the chain can tell without the leaf: whose batch it is, and that nothing stands over it. */
export function findKnownLeaf(
  state: StateReader,
  root: Bytes,
  record: RecordId,
  home: MemberId,
): Result<Pick<FoundTarget, "source" | "anchoredAt">, TargetRefusal> {
  const batch = getBatch(state, root);
  if (batch === undefined) return refuse({ code: "unknown_batch" });
  if (batch.source !== home) return refuse({ code: "batch_of_another_member" });
  const superseded = refusalOfSuccessor(state, record, batch.source);
  return superseded === undefined ? accept({ source: batch.source, anchoredAt: batch.at.time }) : refuse(superseded);
}

/** A leaf can't be changed, so a record of its own under the same id and source stands over it: amended, withdrawn or ended as that one is. */
function refusalOfSuccessor(state: StateReader, id: RecordId, source: MemberId): TargetRefusal | undefined {
  const record = getRecord(state, id);
  if (record === undefined || record.source !== source) return undefined;
  if (record.status === "withdrawn") return { code: "record_withdrawn" };
  if (record.status !== "current") return { code: "record_ending" };
  return { code: "record_superseded", newest: record.version };
}
