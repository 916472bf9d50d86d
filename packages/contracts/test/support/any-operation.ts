/**
 * Operations of every kind that their schemas admit, with identifiers drawn from the small consortium and a few strangers, so that many of
 * them come to something.
 */
import type { ActorId, CredentialId, MemberId, ProposalId, RecordId } from "@xinglin/primitives";
import fc from "fast-check";
import {
  type Action,
  BASES,
  CATEGORIES,
  CONSORTIUM_ELECTION,
  FORMATS,
  LEVELS,
  type Operation,
  type OperationName,
  type OperationOf,
  PURPOSES,
  proposalContent,
  ROLES,
} from "../../src/index.ts";
import {
  anchor,
  at,
  commission,
  credential,
  credentials,
  custodians,
  custody as custodyOf,
  grant,
  hex32,
  hospitalA,
  hospitalB,
  institute,
  issue,
  object as objectOf,
  otherPatient,
  patient,
  patientAtB,
  people,
  publicKey,
  record,
  request,
} from "./world.ts";

const shape: typeof fc.record = (model: object, constraints: object = {}) =>
  fc.record(model as never, { ...constraints, noNullPrototype: true }) as never;
/** Wrong and right about evenly: a drawn identifier is known, or a stranger's. */
const from = <const T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const patientId = fc.oneof(
  { weight: 6, arbitrary: fc.constant(patient) },
  from(otherPatient, patientAtB, people.doctorA, hex32("e") as ActorId),
);
const actorId = from(...Object.values(people), patient, custodians[0]!, hospitalA as string as ActorId, hex32("e") as ActorId);
const newActorId = from(...[1, 2, 3].map((n) => hex32("b", n) as ActorId), people.doctorA);
const member = from(hospitalA, hospitalB, institute, commission, "nobody" as MemberId);
const recordId = fc.oneof(
  { weight: 4, arbitrary: fc.constant(record(1)) },
  from(record(2), record(3), record(4), hex32("e") as RecordId),
);
const approvalId = from(credential(80), credential(81), hex32("e") as CredentialId);
const heldCredential = fc.option(from(...Object.values(credentials), hex32("e") as CredentialId), { nil: undefined, freq: 2 });
const newCredential = from(...[40, 41, 42].map(credential), credentials.doctorA);
const key = fc.nat(20).map((n) => publicKey(3000 + n));
const someBytes = (length: number) => fc.nat(255).map((fill) => new Uint8Array(length).fill(fill));
const time = fc.integer({ min: -3, max: 8 }).map(at);
const level = from(...LEVELS);
const category = from(...CATEGORIES);
const someOf = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 1, maxLength: 4 });
const custodies: ActorId[][] = [[...custodians], [...custodians], custodians.slice(0, 5), [custodians[0]!, custodians[0]!]];
const custody = shape({
  epoch: from(1, 1, 1, 2),
  threshold: from(4, 4, 4, 3, 7),
  custodians: fc.constantFrom(...custodies),
  commitments: someBytes(32),
});
const pack = shape(
  {
    id: someBytes(16),
    manifest: someBytes(32),
    root: someBytes(32),
    sizeClass: fc.nat(63),
    code: fc.constant({ k: 10, m: 4 }),
    profile: from("national"),
  },
  { requiredKeys: ["id", "manifest", "root", "sizeClass", "code"] },
);
const slice = shape({ at: fc.nat(4096), length: fc.integer({ min: 64, max: 256 }) });
const object = fc.oneof(
  pack,
  fc.tuple(pack, slice).map(([whole, part]) => ({ ...whole, slice: part })),
);
const recordClass = fc.oneof(
  { weight: 3, arbitrary: fc.constant({ level: "sensitive", category: "imaging" } as const) },
  shape({ level, category }),
);
const grantee = fc.oneof(
  shape({ kind: fc.constant("institution" as const), member }),
  shape({ kind: fc.constant("role" as const), member, role: from(...ROLES) }),
  shape({ kind: fc.constant("person" as const), member, actor: actorId }),
  shape({ kind: fc.constant("study" as const), approval: approvalId }),
);
const terms = shape(
  {
    effect: from("permit", "permit", "deny"),
    grantees: fc.array(grantee, { minLength: 1, maxLength: 2 }),
    purposes: someOf(PURPOSES),
    categories: fc.subarray([...CATEGORIES], { minLength: 1 }),
    levels: someOf(LEVELS),
    recordPeriod: shape({ from: time, to: time }),
    notBefore: time,
    notAfter: time,
  },
  { requiredKeys: ["effect", "grantees", "purposes", "categories", "levels", "notBefore", "notAfter"] },
);
const held = <T extends object>(rest: fc.Arbitrary<T>): fc.Arbitrary<T & { credential?: CredentialId }> =>
  fc.tuple(rest, heldCredential).map(([rest, credential]) => (credential === undefined ? rest : { ...rest, credential }));
const status = from("active", "suspended");
const aProposal = from(...["1", "2", "e"].map((n) => hex32(`a0${n}`) as ProposalId));
const someElections = [
  CONSORTIUM_ELECTION,
  { ...CONSORTIUM_ELECTION, epochBlocks: 9 },
  { ...CONSORTIUM_ELECTION, minSeats: 99 },
  { ...CONSORTIUM_ELECTION, maxSeats: 1, minSeats: 1 },
] as const;
const anAction: fc.Arbitrary<Action> = from<Action>(
  {
    kind: "admitMember",
    id: "hospital-n" as MemberId,
    as: "clinic",
    name: { zh: "诊所", en: "Clinic" },
    hpke: new Uint8Array(1216),
    key: publicKey(3900),
  },
  ...[hospitalA, hospitalB, institute].flatMap((member): Action[] => [
    { kind: "removeMember", member, force: member === hospitalB },
    { kind: "readmitMember", member },
    { kind: "admitValidator", member, publicKey: new Uint8Array(32).fill(55), possession: new Uint8Array(64) },
    { kind: "removeValidator", member, force: member === hospitalB },
  ]),
  ...[hospitalA, hospitalB].flatMap((member): Action[] => [
    { kind: "admitCustodian", id: `custodian-${member}` as ActorId, member, hpke: new Uint8Array(1216), key: publicKey(3901) },
    { kind: "retireCustodian", custodian: `custodian-${member}` as ActorId },
  ]),
  { kind: "retireCustodian", custodian: "custodian-1" as ActorId },
  ...someElections.map((election): Action => ({ kind: "setElection", election })),
);
const target = fc.oneof(
  shape({ kind: fc.constant("record" as const), record: recordId, version: from(1, 1, 1, 2, 3) }),
  shape({
    kind: fc.constant("batch" as const),
    root: someBytes(32),
    leaf: shape({
      salt: someBytes(32),
      record: recordId,
      patient: patientId,
      class: recordClass,
      format: from(...FORMATS),
      object,
      custody,
    }),
    index: fc.nat(3),
    path: fc.array(someBytes(32), { maxLength: 3 }),
  }),
);

const shapes = {
  registerActor: shape({ id: newActorId, kind: from("staff", "device"), key }),
  setActorStatus: shape({ id: actorId, status }),
  setMemberStatus: shape({ id: member, status }),
  setNodes: shape({ nodes: fc.array(from(...[1, 2, 3].map((n) => new Uint8Array(20).fill(n))), { maxLength: 2 }) }),
  issueCredential: shape({
    id: newCredential,
    subject: actorId,
    role: from(...ROLES),
    department: from("D01", "ER.2"),
    notBefore: time,
    notAfter: time,
  }),
  setCredentialStatus: shape({ id: from(...Object.values(credentials), hex32("e") as CredentialId), status }),
  registerPatient: held(shape({ id: newActorId, enrolment: shape({ publicKey: key, notAfter: time }) })),
  authorizeEnrolment: held(
    shape({
      actor: fc.oneof(patientId, actorId),
      enrolment: shape({ publicKey: key, notAfter: time, replace: fc.boolean() }),
    }),
  ),
  enrolKey: shape({ publicKey: key }),
  replaceKey: shape({ publicKey: key }),
  anchorRecord: held(
    shape({ record: recordId, patient: patientId, class: recordClass, format: from(...FORMATS), object, custody }),
  ),
  anchorBatch: fc.oneof(
    held(shape({ root: someBytes(32), count: fc.integer({ min: 1, max: 4 }) })),
    held(
      shape({
        root: someBytes(32),
        count: fc.integer({ min: 1, max: 4 }),
        packs: fc.array(pack, { minLength: 1, maxLength: 2 }),
      }),
    ),
  ),
  amendRecord: held(shape({ record: recordId, object, custody })),
  withdrawRecord: held(shape({ record: recordId })),
  refileRecord: held(shape({ record: recordId, to: patientId, object, custody })),
  endRecord: held(shape({ record: recordId })),
  grantConsent: shape({
    patient: patientId,
    terms,
    pointers: fc.array(shape({ member, sealed: someBytes(1136) }), { maxLength: 1 }),
  }),
  narrowConsent: shape({ patient: patientId, number: fc.integer({ min: 1, max: 4 }), terms }),
  revokeConsent: shape({ patient: patientId, number: fc.integer({ min: 1, max: 4 }) }),
  requestAccess: fc
    .record({
      patient: patientId,
      purpose: from("TREAT", "TREAT", ...PURPOSES),
      class: recordClass,
      target,
      hpke: someBytes(1216),
      credential: from(...Object.values(credentials), hex32("e") as CredentialId),
      approval: fc.option(approvalId, { nil: undefined }),
    })
    .map(({ approval, ...rest }) => (approval === undefined ? rest : { ...rest, approval })),
  recordApproval: fc
    .record({
      id: approvalId,
      kind: from("review", "ethics"),
      member,
      grantee,
      protocol: fc.option(someBytes(32), { nil: undefined }),
      purpose: from(...PURPOSES),
      categories: fc.subarray([...CATEGORIES], { minLength: 1 }),
      levels: someOf(LEVELS),
      notBefore: time,
      notAfter: time,
    })
    .map(({ protocol, ...rest }) => (protocol === undefined ? rest : { ...rest, protocol })),
  setClassRule: shape({ category, level, basis: from(...BASES) }),
  proposeChange: shape({ id: aProposal, action: anAction, notAfter: time }),
  castVote: shape({
    proposal: aProposal,
    content: fc.oneof(anAction.map(proposalContent), someBytes(32)),
    ballot: from("yes", "yes", "no"),
  }),
  recordProbe: shape({
    epoch: from(1, 1, 1, 2),
    member,
    seen: shape({ answeredPerMille: fc.nat(1000), kilobytesPerSecond: fc.nat(9), freeMegabytes: fc.nat(9) }),
  }),
  recordRelease: shape({ patient: patientId, number: from(1, 1, 2), index: from(0, 0, 1) }),
  recordErasure: shape({ record: recordId, version: from(1, 1, 2) }),
  keepObject: shape({ object: pack, record: recordId }),
  dropObject: held(shape({ object: from(objectOf(60).id, objectOf(60).id, objectOf(61).id) })),
  lendStore: shape({
    id: from("store-1", "store-1", "store-2"),
    kind: from("directory", "s3"),
    site: fc.constant({ building: "b", city: "c", power: "p" }),
    quotaMegabytes: from(1, 2),
    url: from("https://store.example"),
  }),
  retireStore: shape({ id: from("store-1", "store-1", "store-2"), state: from("draining", "draining", "withdrawn", "offered") }),
  recordAudits: shape({
    number: from(1, 1, 2, 3),
    root: someBytes(32),
    count: fc.integer({ min: 1, max: 4 }),
    objects: fc.nat(9),
    drawn: fc.nat(9),
    lost: fc.nat(9),
    repaired: fc.nat(9),
    endangered: fc.nat(9),
  }),
  refreshCustody: held(shape({ record: recordId, version: from(1, 1, 2), custody })),
} satisfies { [Name in OperationName]: fc.Arbitrary<Omit<OperationOf<Name>, "op">> };

/** A change that a committee would agree to, and the name it is proposed under. */
export const likelyAction: Action = { kind: "setElection", election: { ...CONSORTIUM_ELECTION, epochBlocks: 9 } };
export const likelyProposal = hex32("a03") as ProposalId;
/** Operations that come to something in a consortium where the patient's first consent stands and nothing is known of approval 80. */
const likely: readonly Operation[] = [
  grant(),
  grant({ effect: "deny", purposes: ["HPAYMT"] }),
  { op: "narrowConsent", patient, number: 1, terms: { ...grant().terms, categories: ["imaging"] } },
  request,
  { ...anchor(record(4), patient), object: objectOf(101), custody: custodyOf(102) },
  { op: "keepObject", object: objectOf(61), record: record(5) },
  { op: "keepObject", object: objectOf(62), record: record(5) },
  { op: "amendRecord", record: record(1), object: objectOf(103), custody: custodyOf(104) },
  { op: "refileRecord", record: record(2), to: patient, object: objectOf(105), custody: custodyOf(106) },
  { op: "refreshCustody", record: record(1), version: 1, custody: custodyOf(107, 2) },
  { op: "recordErasure", record: record(3), version: 1 },
  { op: "replaceKey", publicKey: publicKey(400) },
  { op: "setActorStatus", id: people.nurseA, status: "suspended" },
  issue(credential(43), people.nurseA, "nurse"),
  { op: "proposeChange", id: hex32("a04") as ProposalId, action: likelyAction, notAfter: at(9) },
  { op: "castVote", proposal: likelyProposal, content: proposalContent(likelyAction), ballot: "yes" },
  {
    op: "recordApproval",
    id: credential(80),
    kind: "review",
    member: hospitalA,
    grantee: { kind: "institution", member: hospitalB },
    purpose: "HOPERAT",
    categories: ["cost"],
    levels: ["internal"],
    notBefore: at(0),
    notAfter: at(9),
  },
];

/** One operation of any kind. */
export const anyOperation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: from(...likely) },
  ...Object.entries(shapes).map(([op, elements]) => ({
    weight: 1,
    arbitrary: (elements as fc.Arbitrary<object>).map((rest) => ({ op, ...rest }) as Operation),
  })),
);
