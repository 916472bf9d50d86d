/**
 * Every refusal code with the facts it carries, and for each operation the codes in the order of its checks: what the catalogue of sentences
 * and the reference page are held against. The types keep it in step with the rules: a code or fact that a rule does not know does not compile,
 * nor does a missing one.
 * Source: style.md, "Errors are of three kinds" (one catalogue of codes).
 */
import type { CommonRefusal, OperationName, RefusalsOf } from "./operations.ts";

/** Any refusal that an operation may meet, as its rule states it. */
export type AnyRefusal = CommonRefusal | RefusalsOf[OperationName];
/** The code of any refusal. */
export type RefusalCode = AnyRefusal["code"];
type FactOf<Code extends RefusalCode> = Exclude<keyof Extract<AnyRefusal, { code: Code }>, "code">;

/** Names of the facts that a refusal of each code carries. */
export const REFUSAL_FACTS: { readonly [Code in RefusalCode]: readonly FactOf<Code>[] } = {
  actor_of_another_member: ["actor"],
  already_recorded: [],
  already_revoked: [],
  batch_of_another_member: [],
  batch_path_wrong: [],
  caller_not_allowed: ["kind"],
  class_mismatch: [],
  commitments_reused: [],
  credential_not_in_force: ["credential", "which"],
  credential_of_another: ["credential"],
  custodian_repeated: ["custodian"],
  custodian_retired: ["custodian"],
  custody_unfit: ["fault"],
  denial_not_narrowed: [],
  denied: ["directive"],
  directive_ended: [],
  enrolment_key_only_enrols: [],
  enrolment_over: [],
  enrolment_too_long: ["mostSeconds"],
  enrolment_used: [],
  epoch_wrong: ["expected"],
  ethics_approval_missing: ["why"],
  grantee_not_allowed: [],
  id_taken: [],
  index_wrong: ["expected"],
  key_in_use: [],
  key_retired: [],
  kind_not_allowed: ["kind"],
  no_credential: [],
  no_directive: [],
  none_in_force: ["lastEnded"],
  not_administration: [],
  not_commission: [],
  not_custodian: [],
  not_ending: [],
  not_enrolment_key: [],
  not_in_custody: [],
  not_narrower: ["element"],
  not_permitted: ["considered"],
  not_the_patient: [],
  not_yet_in_force: ["begins"],
  object_reused: [],
  own_member: [],
  patient_of_another_member: [],
  period_empty: [],
  period_over: [],
  pointer_not_for_grantee: ["member"],
  protocol_missing: [],
  record_ending: [],
  record_not_current: ["status"],
  record_of_another_member: [],
  record_of_another_patient: [],
  record_period_empty: [],
  record_superseded: ["newest"],
  record_withdrawn: [],
  review_missing: ["why"],
  role_not_allowed: ["role"],
  same_patient: [],
  suite_weaker: ["suite"],
  threshold_too_high: ["threshold", "custodians"],
  threshold_too_low: ["threshold", "custodians"],
  too_many_directives: ["most"],
  too_many_keys: ["most"],
  too_many_versions: ["most"],
  unchanged: [],
  unknown_actor: ["actor"],
  unknown_approval: ["approval"],
  unknown_batch: [],
  unknown_credential: ["credential"],
  unknown_custodian: ["custodian"],
  unknown_directive: [],
  unknown_member: ["member"],
  unknown_patient: [],
  unknown_permit: [],
  unknown_record: [],
};

type CodesOf<R extends { code: string }> = { readonly [Code in R["code"]]: true };

const credential = {
  unknown_credential: true,
  credential_of_another: true,
  credential_not_in_force: true,
  role_not_allowed: true,
} as const;
const keeper = { caller_not_allowed: true, no_credential: true, ...credential } as const;
const enrolmentPeriod = { enrolment_over: true, enrolment_too_long: true } as const;
const ownRecord = { unknown_record: true, record_of_another_member: true, record_not_current: true } as const;
const ownPatient = { unknown_patient: true, patient_of_another_member: true } as const;
const newVersion = { too_many_versions: true, object_reused: true, commitments_reused: true } as const;
const custody = {
  epoch_wrong: true,
  threshold_too_high: true,
  threshold_too_low: true,
  custodian_repeated: true,
  unknown_custodian: true,
  custodian_retired: true,
} as const;
const ownDirective = { not_the_patient: true, unknown_directive: true, already_revoked: true } as const;
const periods = { period_empty: true, period_over: true, record_period_empty: true } as const;
const namedGrantee = { unknown_member: true, unknown_actor: true, actor_of_another_member: true } as const;
const grantee = { ...namedGrantee, unknown_approval: true } as const;

/** The codes of each operation, in the order of its checks. */
const codes: { readonly [Name in OperationName]: CodesOf<RefusalsOf[Name]> } = {
  registerActor: { not_administration: true, id_taken: true },
  setActorStatus: { unknown_actor: true, not_administration: true, kind_not_allowed: true, unchanged: true },
  setMemberStatus: { not_commission: true, own_member: true, unknown_member: true, unchanged: true },
  issueCredential: { unknown_actor: true, not_administration: true, kind_not_allowed: true, period_empty: true, id_taken: true },
  setCredentialStatus: { unknown_credential: true, not_administration: true, unchanged: true },
  registerPatient: { ...keeper, ...enrolmentPeriod, id_taken: true },
  authorizeEnrolment: {
    unknown_actor: true,
    kind_not_allowed: true,
    actor_of_another_member: true,
    not_administration: true,
    ...keeper,
    ...enrolmentPeriod,
    suite_weaker: true,
    key_in_use: true,
  },
  enrolKey: {
    not_enrolment_key: true,
    enrolment_used: true,
    enrolment_over: true,
    suite_weaker: true,
    key_in_use: true,
    too_many_keys: true,
  },
  replaceKey: { key_retired: true, suite_weaker: true, key_in_use: true, too_many_keys: true },
  anchorRecord: { ...keeper, ...ownPatient, id_taken: true, ...custody },
  anchorBatch: { ...keeper, id_taken: true },
  amendRecord: { ...keeper, ...ownRecord, ...newVersion, ...custody },
  withdrawRecord: { ...keeper, ...ownRecord },
  refileRecord: { ...keeper, ...ownRecord, ...ownPatient, same_patient: true, ...newVersion, ...custody },
  endRecord: { ...keeper, ...ownRecord },
  grantConsent: { not_the_patient: true, ...periods, ...grantee, pointer_not_for_grantee: true, too_many_directives: true },
  narrowConsent: {
    ...ownDirective,
    directive_ended: true,
    denial_not_narrowed: true,
    not_narrower: true,
    ...periods,
    ...grantee,
    unchanged: true,
    too_many_versions: true,
  },
  revokeConsent: ownDirective,
  requestAccess: {
    unknown_patient: true,
    no_credential: true,
    ...credential,
    unknown_record: true,
    unknown_batch: true,
    batch_path_wrong: true,
    record_of_another_patient: true,
    batch_of_another_member: true,
    custody_unfit: true,
    record_withdrawn: true,
    record_ending: true,
    record_superseded: true,
    class_mismatch: true,
    review_missing: true,
    ethics_approval_missing: true,
    denied: true,
    no_directive: true,
    not_permitted: true,
    none_in_force: true,
    not_yet_in_force: true,
  },
  recordApproval: {
    not_administration: true,
    not_commission: true,
    protocol_missing: true,
    grantee_not_allowed: true,
    ...namedGrantee,
    period_empty: true,
    id_taken: true,
  },
  setClassRule: { not_commission: true, unchanged: true },
  recordRelease: { not_custodian: true, unknown_permit: true, not_in_custody: true, index_wrong: true, already_recorded: true },
  recordErasure: { not_custodian: true, unknown_record: true, not_in_custody: true, not_ending: true, already_recorded: true },
  refreshCustody: { ...keeper, ...ownRecord, commitments_reused: true, ...custody },
};

/** The refusal codes of one operation, in the order of its checks. */
export const refusalCodesOf = (name: OperationName): readonly RefusalCode[] => Object.keys(codes[name]) as RefusalCode[];
