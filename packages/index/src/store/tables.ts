/**
 * The tables of `migrations/`, as rows come back from either engine: counts, heights and times as numbers, bytes as `Uint8Array`,
 * `jsonb` as plain values. Source: design.md, "Read model".
 */
import type { DirectiveTerms, Grantee, Reason } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";
import type { SearchTables } from "../search/tables.ts";

/** Every row says which entry of the audit log it stems from, and when that was decided (seconds UTC of the block). */
interface Derived {
  sequence: number;
  height: number;
  time: number;
}

export interface ProjectionRow {
  singleton: boolean;
  chain: string;
  /** How many entries are projected. */
  sequence: number;
  /** SHA-256 of the last entry's bytes. */
  last_hash: Bytes | null;
  /** SHA-256 of the previous digest and the entry's hash, over all entries. */
  digest: Bytes;
}

export interface EntryRow extends Derived {
  hash: Bytes;
  transaction: Bytes;
  /** Of the operation in its transaction. */
  position: number;
  operation: string;
  operation_hash: Bytes;
  actor: string;
  key: string;
  member: string;
  device: string | null;
  outcome: "accepted" | "refused";
  code: string | null;
  facts: Record<string, string | number> | null;
  patient: string | null;
  record: string | null;
  version: number | null;
  number: number | null;
  credential: string | null;
  subject_actor: string | null;
  subject_member: string | null;
  approval: string | null;
  batch: Bytes | null;
  reason: Reason | null;
}

/** One request to read, permitted or refused. */
export interface AccessRow extends Derived {
  patient: string;
  outcome: "accepted" | "refused";
  code: string | null;
  /** Number of the permit in `access/{patient}`. */
  permit: number | null;
  /** Number of the directive that decided, where one did. */
  directive: number | null;
  purpose: string;
  level: string;
  category: string;
  target: "record" | "batch";
  record: string | null;
  version: number | null;
  batch: Bytes | null;
  actor: string;
  key: string;
  member: string;
  device: string | null;
  credential: string | null;
  approval: string | null;
}

/** One change of a directive; the newest with terms says what it means. */
export interface DirectiveRow extends Derived {
  patient: string;
  number: number;
  change: "granted" | "narrowed" | "revoked";
  terms: DirectiveTerms | null;
}
export interface DirectiveGranteeRow {
  sequence: number;
  position: number;
  kind: Grantee["kind"];
  member: string | null;
  role: string | null;
  actor: string | null;
  approval: string | null;
}
export interface DirectivePointerRow {
  sequence: number;
  position: number;
  member: string;
  sealed: Bytes;
}

export type RecordChange = "anchored" | "amended" | "refiled" | "withdrawn" | "ending" | "custody_refreshed";
/** One change of a record; what a change leaves as it was is null. */
export interface RecordRow extends Derived {
  record: string;
  change: RecordChange;
  /** Version that the change made or concerned. */
  version: number | null;
  patient: string | null;
  level: string | null;
  category: string | null;
  format: string | null;
  /** Object and custody references; byte strings as lower-case hex. */
  object: ObjectJson | null;
  custody: CustodyJson | null;
  actor: string;
  key: string;
  device: string | null;
  source: string;
}
export interface ObjectJson {
  readonly id: string;
  readonly manifest: string;
  readonly root: string;
  readonly sizeClass: number;
  readonly code: { readonly k: number; readonly m: number };
  /** Absent: the standard one. */
  readonly profile?: "national";
  /** Of a small record: its place in the object, which is a pack then. */
  readonly slice?: { readonly at: number; readonly length: number };
}
export interface CustodyJson {
  readonly epoch: number;
  readonly threshold: number;
  readonly custodians: readonly string[];
  readonly commitments: string;
}

export interface BatchRow extends Derived {
  root: Bytes;
  count: number;
  actor: string;
  device: string | null;
  source: string;
  /** The packs that its records lie in; null if it names none. */
  packs: readonly ObjectJson[] | null;
}

export type KeptObjectChange = "kept" | "dropped";
/** An object that versions of the source's records rely on, and its end. */
export interface KeptObjectRow extends Derived {
  /** Lower-case hex. */
  id: string;
  change: KeptObjectChange;
  object: ObjectJson | null;
  actor: string;
  key: string;
  device: string | null;
  source: string;
}

export type ActorChange = "registered" | "status_set" | "enrolment_authorized" | "key_enrolled" | "key_replaced";
export interface ActorRow extends Derived {
  actor: string;
  change: ActorChange;
  kind: string | null;
  member: string | null;
  status: string | null;
}

export interface CredentialRow extends Derived {
  credential: string;
  change: "issued" | "status_set";
  subject: string | null;
  issuer: string | null;
  role: string | null;
  department: string | null;
  not_before: number | null;
  not_after: number | null;
  status: string | null;
}

export interface ApprovalRow extends Derived {
  approval: string;
  kind: string;
  /** Member that decided. */
  holder: string;
  grantee: Grantee;
  /** The grantee's member, where it names one. */
  member: string | null;
  purpose: string;
  not_before: number;
  not_after: number;
}

export interface ReleaseRow extends Derived {
  patient: string;
  permit: number;
  custodian: string;
  share: number | null;
}
export interface ErasureRow extends Derived {
  record: string;
  version: number;
  custodian: string;
}

/** What the rows of each table look like, by the table's name in the schema `xinglin`. */
export interface DerivedTables {
  entries: EntryRow;
  accesses: AccessRow;
  directives: DirectiveRow;
  directive_grantees: DirectiveGranteeRow;
  directive_pointers: DirectivePointerRow;
  records: RecordRow;
  batches: BatchRow;
  kept_objects: KeptObjectRow;
  actors: ActorRow;
  credentials: CredentialRow;
  approvals: ApprovalRow;
  releases: ReleaseRow;
  erasures: ErasureRow;
}
export type DerivedTable = keyof DerivedTables;

type Qualified = { [Name in DerivedTable as `xinglin.${Name}`]: DerivedTables[Name] };
/** For Kysely. */
export interface Tables extends Qualified, SearchTables {
  "xinglin.projection": ProjectionRow;
}
