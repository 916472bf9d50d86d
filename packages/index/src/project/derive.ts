/**
 * The rows of one audit entry: a pure function of the entry and its operation, so that every row can be derived again, one by one, and
 * compared with what the database holds. An operation that a later rule set adds has its row in `entries` and no other.
 * Source: design.md, "Read model".
 */
import { type AuditEntry, decodeAuditEntry, type Operation } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, cbor, equal, invariant } from "@xinglin/primitives";
import type { FeedItem } from "../source.ts";
import type { EntryRow } from "../store/tables.ts";
import type { Derivation } from "./derivation.ts";
import { deriveAccess } from "./derive-access.ts";
import { deriveConsent } from "./derive-consent.ts";
import { deriveCustody } from "./derive-custody.ts";
import { deriveIdentity } from "./derive-identity.ts";
import { deriveKeptObject } from "./derive-kept-object.ts";
import { deriveRecord } from "./derive-record.ts";
import { bytea, byteaOrNull, type JsonRow, type JsonRows } from "./json-row.ts";

/** The rows of one entry and the hash of its bytes. */
export interface Derived {
  readonly sequence: number;
  readonly hash: Bytes;
  readonly rows: JsonRows;
}

/** Stops with a `Bug` if the source hands over another operation than the entry decided. */
export function deriveChecked(item: FeedItem): Derived {
  const { operationHash } = decodeAuditEntry(item.entryBytes);
  invariant(
    equal(nodeSha256(cbor.encode(item.operation)), operationHash),
    "index: the operation is not the one that the entry decided",
  );
  return derive(item);
}

/** For bytes that the ledger has just vouched for: what `deriveChecked` checks costs more than the derivation. */
export function derive(item: FeedItem): Derived {
  const entry = cbor.decodeTrusted(item.entryBytes) as AuditEntry;
  const at = { sequence: item.sequence, height: entry.height, time: entry.time };
  const hash = nodeSha256(item.entryBytes);
  const derivation: Derivation = { entry, at };
  return {
    sequence: item.sequence,
    hash,
    rows: { entries: [entryRow(derivation, hash)], ...rowsOf(derivation, item.operation) },
  };
}

function rowsOf(derivation: Derivation, operation: Operation): JsonRows {
  if (operation.op === "requestAccess") return deriveAccess(derivation, operation);
  if (derivation.entry.outcome === "refused") return {}; // nothing changed
  switch (operation.op) {
    case "grantConsent":
    case "narrowConsent":
    case "revokeConsent":
      return deriveConsent(derivation, operation);
    case "anchorRecord":
    case "amendRecord":
    case "refileRecord":
    case "withdrawRecord":
    case "endRecord":
    case "refreshCustody":
    case "anchorBatch":
      return deriveRecord(derivation, operation);
    case "keepObject":
    case "dropObject":
      return deriveKeptObject(derivation, operation);
    case "recordRelease":
    case "recordErasure":
      return deriveCustody(derivation, operation);
    case "registerActor":
    case "registerPatient":
    case "setActorStatus":
    case "authorizeEnrolment":
    case "enrolKey":
    case "replaceKey":
    case "issueCredential":
    case "setCredentialStatus":
    case "recordApproval":
      return deriveIdentity(derivation, operation);
    default:
      return {};
  }
}

function entryRow({ entry, at }: Derivation, hash: Bytes): JsonRow<EntryRow> {
  const { by, subject }: AuditEntry = entry;
  return {
    ...at,
    hash: bytea(hash),
    transaction: bytea(entry.transaction),
    position: entry.index,
    operation: entry.operation,
    operation_hash: bytea(entry.operationHash),
    actor: by.actor,
    key: by.key,
    member: by.member,
    device: by.device ?? null,
    outcome: entry.outcome,
    code: entry.code ?? null,
    facts: entry.facts ?? null,
    patient: subject.patient ?? null,
    record: subject.record ?? null,
    version: subject.version ?? null,
    number: subject.number ?? null,
    credential: subject.credential ?? null,
    subject_actor: subject.actor ?? null,
    subject_member: subject.member ?? null,
    approval: subject.approval ?? null,
    batch: byteaOrNull(subject.batch),
    reason: entry.reason ?? null,
  };
}
