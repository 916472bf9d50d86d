/**
 * One read as the clauses of directives and approvals are compared with it.
 * Source: FHIR R4 Consent.provision (actor, purpose, class, dataPeriod).
 */
import type { ActorId, CredentialId, MemberId, UnixSeconds } from "@xinglin/primitives";
import type { Approval } from "../model/approval.ts";
import type { RecordClass } from "../model/class.ts";
import type { Purpose, Role } from "../model/purpose.ts";

/** Who asks for what, on which approval, and when. */
export interface Reading {
  /** Who asks. */
  readonly actor: ActorId;
  readonly member: MemberId;
  readonly role: Role;
  readonly purpose: Purpose;
  readonly class: RecordClass;
  /** Block time of the record's anchor. */
  readonly anchoredAt: UnixSeconds;
  /** The approval that the request names, and its entry if it stands in the state. */
  readonly approvalId: CredentialId | undefined;
  readonly approval: Approval | undefined;
  /** Block time of the request. */
  readonly time: UnixSeconds;
}
