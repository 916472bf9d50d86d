/**
 * Every operation of the consortium and its rule: what a transaction may carry, and who decides it.
 * Source: design.md, "Packages" (contracts) and "Execution".
 */
import { type Infer, schema } from "@xinglin/primitives";
import type { RequestAccessRefusal } from "./access/decide-access.ts";
import { requestAccess, requestAccessOperation } from "./access/request-access.ts";
import { type DropObjectRefusal, dropObject, dropObjectOperation } from "./archive/drop-object.ts";
import { type KeepObjectRefusal, keepObject, keepObjectOperation } from "./archive/keep-object.ts";
import { type LendStoreRefusal, lendStore, lendStoreOperation } from "./archive/lend-store.ts";
import { type RecordAuditsRefusal, recordAudits, recordAuditsOperation } from "./archive/record-audits.ts";
import { type RetireStoreRefusal, retireStore, retireStoreOperation } from "./archive/retire-store.ts";
import { type GrantConsentRefusal, grantConsent, grantConsentOperation } from "./consent/grant-consent.ts";
import { type NarrowConsentRefusal, narrowConsent, narrowConsentOperation } from "./consent/narrow-consent.ts";
import { type RevokeConsentRefusal, revokeConsent, revokeConsentOperation } from "./consent/revoke-consent.ts";
import { type RecordErasureRefusal, recordErasure, recordErasureOperation } from "./custody/record-erasure.ts";
import { type RecordReleaseRefusal, recordRelease, recordReleaseOperation } from "./custody/record-release.ts";
import { type RefreshCustodyRefusal, refreshCustody, refreshCustodyOperation } from "./custody/refresh-custody.ts";
import { type CastVoteRefusal, castVote, castVoteOperation } from "./governance/cast-vote.ts";
import { type ProposeChangeRefusal, proposeChange, proposeChangeOperation } from "./governance/propose-change.ts";
import { type RecordApprovalRefusal, recordApproval, recordApprovalOperation } from "./governance/record-approval.ts";
import { type RecordProbeRefusal, recordProbe, recordProbeOperation } from "./governance/record-probe.ts";
import { type SetClassRuleRefusal, setClassRule, setClassRuleOperation } from "./governance/set-class-rule.ts";
import {
  type AuthorizeEnrolmentRefusal,
  authorizeEnrolment,
  authorizeEnrolmentOperation,
} from "./identity/authorize-enrolment.ts";
import { type EnrolKeyRefusal, enrolKey, enrolKeyOperation } from "./identity/enrol-key.ts";
import { type IssueCredentialRefusal, issueCredential, issueCredentialOperation } from "./identity/issue-credential.ts";
import { type RegisterActorRefusal, registerActor, registerActorOperation } from "./identity/register-actor.ts";
import { type RegisterPatientRefusal, registerPatient, registerPatientOperation } from "./identity/register-patient.ts";
import { type ReplaceKeyRefusal, replaceKey, replaceKeyOperation } from "./identity/replace-key.ts";
import { type SetActorStatusRefusal, setActorStatus, setActorStatusOperation } from "./identity/set-actor-status.ts";
import {
  type SetCredentialStatusRefusal,
  setCredentialStatus,
  setCredentialStatusOperation,
} from "./identity/set-credential-status.ts";
import { type SetMemberStatusRefusal, setMemberStatus, setMemberStatusOperation } from "./identity/set-member-status.ts";
import { type SetNodesRefusal, setNodes, setNodesOperation } from "./identity/set-nodes.ts";
import { type AmendRecordRefusal, amendRecord, amendRecordOperation } from "./record/amend-record.ts";
import { type AnchorBatchRefusal, anchorBatch, anchorBatchOperation } from "./record/anchor-batch.ts";
import { type AnchorRecordRefusal, anchorRecord, anchorRecordOperation } from "./record/anchor-record.ts";
import { type EndRecordRefusal, endRecord, endRecordOperation } from "./record/end-record.ts";
import { type RefileRecordRefusal, refileRecord, refileRecordOperation } from "./record/refile-record.ts";
import { type WithdrawRecordRefusal, withdrawRecord, withdrawRecordOperation } from "./record/withdraw-record.ts";
import { type OperationContext, type Outcome, type Rule, refuseWith, type StateReader } from "./rule.ts";

const shapes = {
  registerActor: registerActorOperation,
  setActorStatus: setActorStatusOperation,
  setMemberStatus: setMemberStatusOperation,
  issueCredential: issueCredentialOperation,
  setCredentialStatus: setCredentialStatusOperation,
  registerPatient: registerPatientOperation,
  authorizeEnrolment: authorizeEnrolmentOperation,
  enrolKey: enrolKeyOperation,
  replaceKey: replaceKeyOperation,
  anchorRecord: anchorRecordOperation,
  anchorBatch: anchorBatchOperation,
  amendRecord: amendRecordOperation,
  withdrawRecord: withdrawRecordOperation,
  refileRecord: refileRecordOperation,
  endRecord: endRecordOperation,
  grantConsent: grantConsentOperation,
  narrowConsent: narrowConsentOperation,
  revokeConsent: revokeConsentOperation,
  requestAccess: requestAccessOperation,
  recordApproval: recordApprovalOperation,
  setClassRule: setClassRuleOperation,
  proposeChange: proposeChangeOperation,
  castVote: castVoteOperation,
  recordProbe: recordProbeOperation,
  recordRelease: recordReleaseOperation,
  recordErasure: recordErasureOperation,
  refreshCustody: refreshCustodyOperation,
  keepObject: keepObjectOperation,
  dropObject: dropObjectOperation,
  lendStore: lendStoreOperation,
  retireStore: retireStoreOperation,
  recordAudits: recordAuditsOperation,
  setNodes: setNodesOperation,
} as const;

/** An operation of a transaction: `op` names the rule, the other elements are the rule's own. */
export const operation = schema.variant("op", shapes);
export type Operation = Infer<typeof operation>;
/** The name of an operation, as its `op` says it. */
export type OperationName = Operation["op"];
/** The names of all operations. */
export const OPERATION_NAMES = Object.keys(shapes) as readonly OperationName[];
/** The operation of one name. */
export type OperationOf<Name extends OperationName> = Extract<Operation, { readonly op: Name }>;

/** Refusals that every operation may meet before its own rule is asked. */
export type CommonRefusal = { code: "enrolment_key_only_enrols" };

/** What each operation may be refused for by its own rule. */
export interface RefusalsOf {
  registerActor: RegisterActorRefusal;
  setActorStatus: SetActorStatusRefusal;
  setMemberStatus: SetMemberStatusRefusal;
  issueCredential: IssueCredentialRefusal;
  setCredentialStatus: SetCredentialStatusRefusal;
  registerPatient: RegisterPatientRefusal;
  authorizeEnrolment: AuthorizeEnrolmentRefusal;
  enrolKey: EnrolKeyRefusal;
  replaceKey: ReplaceKeyRefusal;
  anchorRecord: AnchorRecordRefusal;
  anchorBatch: AnchorBatchRefusal;
  amendRecord: AmendRecordRefusal;
  withdrawRecord: WithdrawRecordRefusal;
  refileRecord: RefileRecordRefusal;
  endRecord: EndRecordRefusal;
  grantConsent: GrantConsentRefusal;
  narrowConsent: NarrowConsentRefusal;
  revokeConsent: RevokeConsentRefusal;
  requestAccess: RequestAccessRefusal;
  recordApproval: RecordApprovalRefusal;
  setClassRule: SetClassRuleRefusal;
  proposeChange: ProposeChangeRefusal;
  castVote: CastVoteRefusal;
  recordProbe: RecordProbeRefusal;
  recordRelease: RecordReleaseRefusal;
  recordErasure: RecordErasureRefusal;
  refreshCustody: RefreshCustodyRefusal;
  keepObject: KeepObjectRefusal;
  dropObject: DropObjectRefusal;
  lendStore: LendStoreRefusal;
  retireStore: RetireStoreRefusal;
  recordAudits: RecordAuditsRefusal;
  setNodes: SetNodesRefusal;
}

/** The rule of each operation. */
export const rules: { readonly [Name in OperationName]: Rule<OperationOf<Name>, RefusalsOf[Name]["code"]> } = {
  registerActor,
  setActorStatus,
  setMemberStatus,
  issueCredential,
  setCredentialStatus,
  registerPatient,
  authorizeEnrolment,
  enrolKey,
  replaceKey,
  anchorRecord,
  anchorBatch,
  amendRecord,
  withdrawRecord,
  refileRecord,
  endRecord,
  grantConsent,
  narrowConsent,
  revokeConsent,
  requestAccess,
  recordApproval,
  setClassRule,
  proposeChange,
  castVote,
  recordProbe,
  recordRelease,
  recordErasure,
  refreshCustody,
  keepObject,
  dropObject,
  lendStore,
  retireStore,
  recordAudits,
  setNodes,
};

/** Decides one operation: a one-time enrolment key may do nothing but enrol; all else is the rule's. Changes nothing itself. */
export function applyOperation(state: StateReader, operation: Operation, context: OperationContext): Outcome {
  if (context.caller.byEnrolment && operation.op !== "enrolKey")
    return refuseWith<CommonRefusal>({ code: "enrolment_key_only_enrols" }, { actor: context.caller.actorId });
  const { op, ...elements } = operation;
  // Each rule takes its own operation's elements; `op` has chosen the rule.
  return (rules[op] as unknown as Rule<object>)(state, elements, context);
}
