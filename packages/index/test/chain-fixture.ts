/**
 * A chain without blocks for tests: real rules over a state in memory, one operation a block, and the audit log they leave.
 */
import {
  applyOperation,
  CATEGORIES,
  type DirectiveTerms,
  encodeAuditEntry,
  type Genesis,
  genesisChanges,
  getActor,
  LEVELS,
  type Operation,
  SOLO_ELECTION,
} from "@xinglin/contracts";
import { sha256 } from "@xinglin/crypto/pure";
import {
  type ActorId,
  type Bytes,
  type CredentialId,
  cbor,
  type Height,
  type MemberId,
  type RecordId,
  toHex,
  type UnixSeconds,
  utf8,
} from "@xinglin/primitives";
import type { FeedItem, Source } from "../src/source.ts";

export const START = 1_750_000_000;
const publicKey = (name: string) => ({ suite: "ed25519" as const, key: sha256(utf8(`key of ${name}`)) });
const hpke = (name: string): Bytes => {
  const out = new Uint8Array(1216);
  for (let at = 0; at < out.length; at += 32) out.set(sha256(utf8(`${name} ${at}`)), at);
  return out;
};
/** 32 hex digits that follow from a name, so that every run has the same log. */
export const idOf = <Id extends string>(name: string): Id => toHex(sha256(utf8(name)).subarray(0, 16)) as Id;
export const hashOf = (name: string): Bytes => sha256(utf8(name));
export const sealedFor = (name: string): Bytes => hpke(name).slice(0, 1136);

export const A = "hospital-a" as MemberId;
export const B = "hospital-b" as MemberId;
export const COMMISSION = "commission" as MemberId;
const CUSTODIANS = ["custodian-a", "custodian-b", "custodian-c"] as ActorId[];

const genesis: Genesis = {
  type: "xinglin-genesis/1",
  name: "test",
  time: START as UnixSeconds,
  parameters: {
    maxValiditySeconds: 3600,
    maxValidityBlocks: 1000,
    maxBlockGapSeconds: 10,
    permitSeconds: 600,
    memberQuota: 10_000,
    maxTransactionBytes: 1_048_576,
    maxBlockBytes: 4_194_304,
    logEpochEntries: 1024,
    election: SOLO_ELECTION,
    webauthn: { origins: ["http://localhost:8480"], rpIdHash: new Uint8Array(32) },
  },
  members: [COMMISSION, A, B].map((id) => ({
    id,
    member: { kind: id === COMMISSION ? "commission" : "hospital", name: { zh: id, en: id }, status: "active", hpke: hpke(id) },
    key: publicKey(id),
  })),
  custodians: CUSTODIANS.map((id) => ({ id, member: A, key: publicKey(id), hpke: hpke(id) })),
  validators: [{ publicKey: new Uint8Array(32), power: 1, member: COMMISSION }],
  matrix: LEVELS.flatMap((level) =>
    CATEGORIES.map((category) => ({ level, category, basis: level === "public" ? ("free" as const) : ("consent" as const) })),
  ),
};

/** Appends to a log as `Source` reads it. `truncate` and `chain` stand for a chain that was replaced. */
export class TestChain implements Source {
  chain = "test-000000000000";
  readonly items: FeedItem[] = [];
  readonly #state = new Map<string, Bytes>();
  #height = 0;

  constructor() {
    for (const { key, value } of genesisChanges(genesis)) if (value !== null) this.#state.set(key, value);
  }

  get time(): number {
    return START + this.items.length + 1;
  }
  async size(): Promise<number> {
    return this.items.length;
  }
  async read(from: number, limit: number): Promise<readonly FeedItem[]> {
    return this.items.slice(from, from + limit);
  }

  /** Decides `operation` in a block of its own, or `together` with the last, writes it down, and says with which code it was refused, if it was. */
  submit(by: string, operation: Operation, together = false): string | undefined {
    const actor = getActor(this.#state, by as ActorId);
    if (actor === undefined) throw new Error(`no actor ${by}`);
    const sequence = this.items.length;
    if (!together) this.#height = sequence + 1;
    const block = { chain: this.chain, height: this.#height as Height, time: this.time as UnixSeconds };
    const transaction = hashOf(`transaction ${this.chain} ${sequence}`);
    const caller = {
      actorId: by as ActorId,
      actor,
      key: actor.keys[0]?.id ?? "0".repeat(16),
      byEnrolment: operation.op === "enrolKey",
      sponsor: actor.member,
    };
    const enrolling = operation.op === "enrolKey" ? { ...caller, key: ENROLMENT_KEY } : caller;
    const outcome = applyOperation(this.#state, operation, { block, caller: enrolling, transaction, index: 0 });
    const { subject, reason } = outcome.ok ? outcome.value : outcome.refusal;
    if (outcome.ok)
      for (const { key, value } of outcome.value.changes) {
        if (value === null) this.#state.delete(key);
        else this.#state.set(key, value);
      }
    const entryBytes = encodeAuditEntry({
      height: block.height,
      time: block.time,
      transaction,
      index: 0,
      operation: operation.op,
      by: { actor: by as ActorId, key: enrolling.key, member: actor.member },
      outcome: outcome.ok ? "accepted" : "refused",
      ...(outcome.ok ? {} : { code: outcome.refusal.code, facts: outcome.refusal.facts }),
      subject,
      ...(reason === undefined ? {} : { reason }),
      operationHash: sha256(cbor.encode(operation)),
    });
    this.items.push({ sequence, entryBytes, operation });
    return outcome.ok ? undefined : outcome.refusal.code;
  }
}

const ENROLMENT = publicKey("enrolment");
const { keyId } = await import("@xinglin/crypto/pure");
const ENROLMENT_KEY = keyId(ENROLMENT.suite, ENROLMENT.key);

export const patient = idOf<ActorId>("patient");
export const otherPatient = idOf<ActorId>("other patient");
export const doctorA = idOf<ActorId>("doctor at a");
export const doctorB = idOf<ActorId>("doctor at b");
export const credentialA = idOf<CredentialId>("credential a");
export const credentialB = idOf<CredentialId>("credential b");
export const record = idOf<RecordId>("record");
export const secondRecord = idOf<RecordId>("second record");

export const terms: DirectiveTerms = {
  effect: "permit",
  grantees: [{ kind: "institution", member: B }],
  purposes: ["TREAT"],
  categories: ["imaging", "laboratory"],
  levels: ["sensitive"],
  notBefore: START as UnixSeconds,
  notAfter: (START + 100_000) as UnixSeconds,
};
const object = (name: string) => ({
  id: hashOf(`${name} id`).subarray(0, 16),
  manifest: hashOf(`${name} manifest`),
  root: hashOf(`${name} root`),
  sizeClass: 20,
  code: { k: 10, m: 4 },
});
const custody = (name: string, epoch = 1) => ({
  epoch,
  threshold: 2,
  custodians: CUSTODIANS,
  commitments: hashOf(`${name} commitments ${epoch}`),
});
export const readOf = (recordId: RecordId, version: number): Operation => ({
  op: "requestAccess",
  patient,
  purpose: "TREAT",
  class: { level: "sensitive", category: "imaging" },
  target: { kind: "record", record: recordId, version },
  hpke: hpke("reader"),
  credential: credentialB,
});

/** Every kind of operation that leaves a row of its own, permits and refusals, on `chain`; each as expected or it throws. */
export function playStory(chain: TestChain): void {
  const accepted = (by: string, operation: Operation, together = false): void => {
    const code = chain.submit(by, operation, together);
    if (code !== undefined) throw new Error(`${operation.op} refused: ${code}`);
  };
  const refused = (by: string, operation: Operation, code: string): void => {
    const got = chain.submit(by, operation);
    if (got !== code) throw new Error(`${operation.op}: ${got} instead of ${code}`);
  };
  const validity = { notBefore: START as UnixSeconds, notAfter: (START + 1_000_000) as UnixSeconds };
  for (const [member, doctor, credential] of [
    [A, doctorA, credentialA],
    [B, doctorB, credentialB],
  ] as const) {
    accepted(member, { op: "registerActor", id: doctor, kind: "staff", key: publicKey(doctor) });
    accepted(member, { op: "issueCredential", id: credential, subject: doctor, role: "doctor", department: "RAD", ...validity });
  }
  for (const id of [patient, otherPatient]) {
    const enrolment = { publicKey: ENROLMENT, notAfter: (START + 10_000) as UnixSeconds };
    accepted(A, { op: "registerPatient", id, enrolment });
    accepted(id, { op: "enrolKey", publicKey: publicKey(id) });
  }
  accepted(doctorA, {
    op: "anchorRecord",
    record,
    patient,
    class: { level: "sensitive", category: "imaging" },
    format: "dicom",
    object: object("first"),
    custody: custody("first"),
    credential: credentialA,
  });
  accepted(doctorA, { op: "keepObject", object: object("pixels 1"), record }, true);
  accepted(doctorA, { op: "keepObject", object: object("pixels 2"), record }, true);
  accepted(doctorA, {
    op: "anchorRecord",
    record: secondRecord,
    patient,
    class: { level: "sensitive", category: "laboratory" },
    format: "fhir",
    object: object("second"),
    custody: custody("second"),
    credential: credentialA,
  });
  accepted(doctorA, {
    op: "anchorBatch",
    root: hashOf("batch"),
    count: 1000,
    packs: [object("pack 1"), object("pack 2")],
    credential: credentialA,
  });
  accepted(A, { op: "dropObject", object: object("pixels 1").id });
  refused(doctorB, readOf(record, 1), "no_directive");
  accepted(patient, { op: "grantConsent", patient, terms, pointers: [{ member: B, sealed: sealedFor("pointer") }] });
  accepted(doctorB, readOf(record, 1));
  accepted(CUSTODIANS[0] as string, { op: "recordRelease", patient, number: 1, index: 0 });
  accepted(doctorA, {
    op: "amendRecord",
    record,
    object: { ...object("pack 2"), slice: { at: 64, length: 64 } },
    custody: custody("amended"),
    credential: credentialA,
  });
  accepted(A, {
    op: "refileRecord",
    record: secondRecord,
    to: otherPatient,
    object: object("refiled"),
    custody: custody("refiled"),
  });
  accepted(patient, { op: "narrowConsent", patient, number: 1, terms: { ...terms, categories: ["imaging"] } });
  accepted(doctorB, readOf(record, 2));
  accepted(patient, { op: "revokeConsent", patient, number: 1 });
  refused(doctorB, readOf(record, 2), "none_in_force");
  accepted(patient, { op: "grantConsent", patient, terms: { ...terms, effect: "deny" }, pointers: [] });
  refused(doctorB, readOf(record, 2), "denied");
  accepted(otherPatient, {
    op: "grantConsent",
    patient: otherPatient,
    terms,
    pointers: [{ member: B, sealed: sealedFor("other pointer") }],
  });
  accepted(COMMISSION, {
    op: "recordApproval",
    id: idOf("approval"),
    kind: "ethics",
    member: COMMISSION,
    grantee: { kind: "institution", member: B },
    protocol: hashOf("protocol"),
    purpose: "HRESCH",
    categories: ["imaging"],
    levels: ["core"],
    ...validity,
  });
  accepted(COMMISSION, { op: "setClassRule", level: "internal", category: "cost", basis: "review" });
  accepted(A, { op: "withdrawRecord", record });
  accepted(A, { op: "endRecord", record });
  accepted(CUSTODIANS[1] as string, { op: "recordErasure", record, version: 2 });
  accepted(B, { op: "setCredentialStatus", id: credentialB, status: "suspended" });
  accepted(B, { op: "setActorStatus", id: doctorB, status: "suspended" });
}
