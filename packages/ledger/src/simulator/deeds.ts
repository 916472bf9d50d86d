/** What honest people do, as far as the state that they see allows it. */
import {
  getActor,
  getAuditHead,
  getConsentHead,
  getCredential,
  getDirective,
  getElection,
  getMember,
  getRecord,
  type Operation,
  type StateReader,
} from "@xinglin/contracts";
import type { MemberId } from "@xinglin/primitives";
import {
  actorOf,
  administration,
  COMMISSION,
  CUSTODIAN,
  credentialOf,
  type Draft,
  GENESIS_TIME,
  HOSPITALS,
  keyOf,
  MEMBERS,
  recordOf,
} from "./consortium.ts";
import type { Random } from "./random.ts";

const PATIENTS = ["p1", "p2", "p3", "p4"];
const patientHome = (patient: string): MemberId => HOSPITALS[PATIENTS.indexOf(patient) % HOSPITALS.length] as MemberId;
const doctorOf = (member: MemberId): string => `doctor ${member}`;
/** Records of one patient. */
const RECORDS = 3;
/** A deed is tried again after so many transactions. */
const TRIED_FOR = 25;
const IMAGING = { level: "sensitive", category: "imaging" } as const;
const FAR = GENESIS_TIME + 100_000;
const ed25519 = (name: string) => ({ suite: "ed25519" as const, key: keyOf(name).publicKey });

/** Who signs, and for which member. */
export type Who = Pick<Draft, "key" | "actor" | "sponsor">;
/** The administration of a member. */
export const byMember = (member: MemberId): Who => ({ key: member, actor: administration(member), sponsor: member });
const byDoctor = (member: MemberId): Who => ({ key: doctorOf(member), actor: actorOf(doctorOf(member)), sponsor: member });
const byPatient = (patient: string, key = patient): Who => ({ key, actor: actorOf(patient), sponsor: patientHome(patient) });

export class Deeds {
  readonly #random: Random;
  /** Deeds so far, and after how many of them each that is done once was last tried. */
  #count = 0;
  readonly #tried = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** A harmless operation of a member. */
  batch(): Operation {
    return { op: "anchorBatch", root: this.#random.bytes(32), count: this.#random.between(1, 9) };
  }

  /** A deed whose conditions this state meets, mostly: rules have something to refuse too. */
  next(state: StateReader, time: number): [string, Who, Operation[]] {
    this.#count++;
    const random = this.#random;
    const patient = random.pick(PATIENTS);
    const home = patientHome(patient);
    const found = getActor(state, actorOf(patient));
    if (found === undefined && this.#isNew(`register ${patient}`)) return ["register", byMember(home), [this.#register(patient)]];
    if (found?.keys.length === 0 && this.#isNew(`enrol ${patient}`))
      return ["enrol", byPatient(patient, `${patient} once`), [{ op: "enrolKey", publicKey: ed25519(patient) }]];
    const member = random.pick(HOSPITALS);
    const isHired = getCredential(state, credentialOf(doctorOf(member))) !== undefined;
    if (!isHired && this.#isNew(`hire ${member}`)) return ["hire", byMember(member), this.#hire(member)];
    const kind = random.below(100);
    if (found === undefined || found.keys.length === 0 || !isHired || kind < 10)
      return ["batch", byMember(member), Array.from({ length: random.between(1, 4) }, () => this.batch())];
    const number = random.below(RECORDS);
    if (kind < 22 || getRecord(state, recordOf(`${patient} 0`)) === undefined)
      return ["record", byMember(home), [this.#record(recordOf(`${patient} ${kind < 22 ? number : 0}`), patient)]];
    if (kind < 38 || getConsentHead(state, actorOf(patient)).count === 0)
      return ["consent", byPatient(patient), [this.#consent(patient, time)]];
    if (kind < 45) return ["revoke", byPatient(patient), [this.#revoke(state, patient)]];
    if (kind < 50) return ["probe", byMember(member), [this.#probe(state, member)]];
    if (kind < 52) return ["audits", byMember(member), [this.#audits(state, member)]];
    if (kind < 55) return ["member", byMember(COMMISSION), [this.#standing(state)]];
    const record = recordOf(`${patient} ${getRecord(state, recordOf(`${patient} ${number}`)) === undefined ? 0 : number}`);
    const [by, request] = this.#request(state, patient, member, record);
    return ["request", byDoctor(by), random.chance(250) ? [request, this.batch(), request] : [request]];
  }

  /** Whether a deed has not been tried lately: what is under way is not yet in the state. */
  #isNew(deed: string): boolean {
    const last = this.#tried.get(deed);
    if (last !== undefined && this.#count - last < TRIED_FOR) return false;
    this.#tried.set(deed, this.#count);
    return true;
  }

  #register(patient: string): Operation {
    return {
      op: "registerPatient",
      id: actorOf(patient),
      enrolment: { publicKey: ed25519(`${patient} once`), notAfter: FAR },
    } as Operation;
  }

  #hire(member: MemberId): Operation[] {
    const id = actorOf(doctorOf(member));
    const period = { notBefore: GENESIS_TIME - 10, notAfter: FAR };
    const credential = { id: credentialOf(doctorOf(member)), subject: id, role: "doctor", department: "D01", ...period };
    return [
      { op: "registerActor", id, kind: "staff", key: ed25519(doctorOf(member)) },
      { op: "issueCredential", ...credential } as Operation,
    ];
  }

  #record(record: ReturnType<typeof recordOf>, patient: string): Operation {
    const random = this.#random;
    const object = {
      id: random.bytes(16),
      manifest: random.bytes(32),
      root: random.bytes(32),
      sizeClass: 20,
      code: { k: 10, m: 4 },
    };
    const custody = { epoch: 1, threshold: 1, custodians: [CUSTODIAN], commitments: random.bytes(32) };
    return { op: "anchorRecord", record, patient: actorOf(patient), class: IMAGING, format: "dicom", object, custody };
  }

  #consent(patient: string, time: number): Operation {
    const random = this.#random;
    const member = random.pick(HOSPITALS);
    const terms = {
      effect: random.chance(150) ? "deny" : "permit",
      grantees: [random.chance(500) ? { kind: "institution", member } : { kind: "role", member, role: "doctor" }],
      purposes: [random.pick(["TREAT", "HRESCH"])],
      categories: ["imaging"],
      levels: random.pick([["sensitive"], ["internal", "sensitive"], ["internal"]]),
      notBefore: time + random.pick([-10, 0, 2]),
      notAfter: time + random.pick([1, 3, 60, 60]),
    };
    return { op: "grantConsent", patient: actorOf(patient), terms, pointers: [] } as unknown as Operation;
  }

  #revoke(state: StateReader, patient: string): Operation {
    const { count } = getConsentHead(state, actorOf(patient));
    return { op: "revokeConsent", patient: actorOf(patient), number: this.#random.between(1, count + 1) };
  }

  /** Who asks, and what: mostly what some directive of the patient names. */
  #request(state: StateReader, patient: string, anyone: MemberId, record: ReturnType<typeof recordOf>): [MemberId, Operation] {
    const random = this.#random;
    const { count } = getConsentHead(state, actorOf(patient));
    const terms = random.chance(750) ? getDirective(state, actorOf(patient), random.between(1, count))?.terms : undefined;
    const [grantee] = terms?.grantees ?? [];
    const member = grantee === undefined || grantee.kind === "study" ? anyone : grantee.member;
    const request = {
      op: "requestAccess",
      patient: actorOf(patient),
      purpose: terms?.purposes[0] ?? random.pick(["TREAT", "HRESCH"]),
      class: IMAGING,
      target: { kind: "record", record, version: 1 },
      hpke: random.bytes(1216),
      credential: credentialOf(doctorOf(member)),
    } as Operation;
    return [member, request];
  }

  /** What a member's node saw of another's. */
  #probe(state: StateReader, by: MemberId): Operation {
    const random = this.#random;
    const seen = {
      answeredPerMille: random.between(300, 1000),
      kilobytesPerSecond: random.below(5_000),
      freeMegabytes: random.below(9_000),
    };
    const epoch = getElection(state)?.epoch ?? 1;
    return { op: "recordProbe", epoch, member: random.pick(MEMBERS.filter((member) => member !== by)), seen } as Operation;
  }

  /** What a member found on the stores. */
  #audits(state: StateReader, by: MemberId): Operation {
    const random = this.#random;
    const [objects, lost] = [random.between(1, 9), random.below(3)];
    const found = { count: 1, objects, drawn: 14 * objects, lost, repaired: lost, endangered: 0 };
    return { op: "recordAudits", number: getAuditHead(state, by).count + 1, root: random.bytes(32), ...found };
  }

  /** The commission suspends a hospital, and soon lets it act again. */
  #standing(state: StateReader): Operation {
    const suspended = HOSPITALS.find((member) => getMember(state, member)?.status === "suspended");
    return {
      op: "setMemberStatus",
      id: suspended ?? this.#random.pick(HOSPITALS),
      status: suspended === undefined ? "suspended" : "active",
    };
  }
}
