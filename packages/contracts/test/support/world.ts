/**
 * A small consortium for tests of rules: a commission, two hospitals and an institute, with people, credentials, a patient and a record; and a
 * state that is a plain map. Operations are decided against it, and applied only where a test says so.
 */
import assert from "node:assert/strict";
import { keyId, PUBLIC_KEY_BYTES } from "@xinglin/crypto/pure";
import {
  type ActorId,
  type Bytes,
  type CredentialId,
  cbor,
  type Height,
  type MemberId,
  type RecordId,
  type UnixSeconds,
} from "@xinglin/primitives";
import {
  type Accepted,
  applyOperation,
  BASES,
  CATEGORIES,
  type Caller,
  type CustodyReference,
  callerOf,
  type DirectiveTerms,
  type Genesis,
  genesisChanges,
  getActor,
  keys,
  LEVELS,
  type ObjectReference,
  type Operation,
  type OperationOf,
  type Outcome,
  operation as operationSchema,
  type PublicKey,
  SOLO_ELECTION,
  type StateReader,
} from "../../src/index.ts";
import { recording, remember } from "./vectors.ts";

/** 32 hex digits that name something: `id("d", 1)` and so on never collide across kinds. */
export const hex32 = (prefix: string, n = 0): string => `${prefix}${n.toString(16)}`.padEnd(32, "0");
const actor = (n: number): ActorId => hex32("a", n + 16) as ActorId;
export const record = (n: number): RecordId => hex32("4ec0", n + 16) as RecordId;
export const credential = (n: number): CredentialId => hex32("c4ed", n + 16) as CredentialId;
export const bytes = (length: number, fill: number): Bytes => new Uint8Array(length).fill(fill);
/** A public key that nobody signs with: rules never verify signatures. */
export const publicKey = (n: number, suite: PublicKey["suite"] = "ed25519"): PublicKey => {
  const key = bytes(PUBLIC_KEY_BYTES[suite], 2);
  key[30] = n >> 8;
  key[31] = n & 255;
  return { suite, key };
};

export const commission = "health-commission" as MemberId;
export const hospitalA = "hospital-a" as MemberId;
export const hospitalB = "hospital-b" as MemberId;
export const institute = "institute-r" as MemberId;
const memberKinds = {
  [commission]: "commission",
  [hospitalA]: "hospital",
  [hospitalB]: "hospital",
  [institute]: "research",
} as const;
/** The administration of a member. */
export const administration = (member: MemberId): ActorId => member as string as ActorId;
export const custodians = [1, 2, 3, 4, 5, 6].map((n) => `custodian-${n}` as ActorId);

export const people = {
  registrar: actor(1),
  doctorA: actor(2),
  nurseA: actor(3),
  workStation: actor(4),
  doctorB: actor(5),
  nurseB: actor(6),
  researcher: actor(7),
  ict: actor(8),
  otherDoctorB: actor(9),
} as const;
export const credentials = {
  registrar: credential(1),
  doctorA: credential(2),
  nurseA: credential(3),
  doctorB: credential(5),
  nurseB: credential(6),
  researcher: credential(7),
  ict: credential(8),
  otherDoctorB: credential(9),
} as const;
/** Two patients of hospital A and one of hospital B. */
export const patient = actor(20);
export const otherPatient = actor(21);
export const patientAtB = actor(22);

export const START = 1_800_000_000;
export const YEAR = 31_536_000;
export const at = (offset: number): UnixSeconds => (START + offset) as UnixSeconds;

/** Level by level: free, review, consent, ethics. */
export const matrix: Genesis["matrix"] = LEVELS.flatMap((level, i) =>
  CATEGORIES.map((category) => ({ level, category, basis: BASES[i] ?? "ethics" })),
);
export const genesis: Genesis = {
  type: "xinglin-genesis/1",
  name: "test",
  time: at(-100),
  parameters: {
    maxValiditySeconds: 3600,
    maxValidityBlocks: 10_000,
    maxBlockGapSeconds: 10,
    permitSeconds: 600,
    memberQuota: 1000,
    maxTransactionBytes: 100_000,
    maxBlockBytes: 1_000_000,
    logEpochEntries: 1024,
    election: SOLO_ELECTION,
    webauthn: { origins: ["https://localhost"], rpIdHash: bytes(32, 1) },
  },
  members: Object.entries(memberKinds).map(([id, kind], i) => ({
    id: id as MemberId,
    member: { kind, name: { zh: "单位", en: id }, status: "active", hpke: bytes(1216, i) },
    key: publicKey(i),
  })),
  custodians: custodians.map((id, i) => ({
    id,
    member: i % 2 === 0 ? hospitalA : hospitalB,
    key: publicKey(100 + i),
    hpke: bytes(1216, 100 + i),
  })),
  validators: [{ publicKey: bytes(32, 9), power: 1, member: commission }],
  matrix,
};

export const custody = (fill: number, epoch = 1): CustodyReference => ({
  epoch,
  threshold: 4,
  custodians,
  commitments: bytes(32, fill),
});
export const object = (fill: number): ObjectReference => ({
  id: bytes(16, fill),
  manifest: bytes(32, fill),
  root: bytes(32, fill + 1),
  sizeClass: 29,
  code: { k: 10, m: 4 },
});
export const imaging = { level: "sensitive", category: "imaging" } as const;
export const terms: DirectiveTerms = {
  effect: "permit",
  grantees: [{ kind: "institution", member: hospitalB }],
  purposes: ["TREAT"],
  categories: ["imaging", "laboratory"],
  levels: ["internal", "sensitive"],
  notBefore: at(0),
  notAfter: at(YEAR),
};

/** Who asks, and when: an actor by its first current key, unless told otherwise. */
export interface Asking {
  readonly by: ActorId;
  readonly key?: PublicKey;
  readonly time?: number;
  readonly height?: number;
}

export class World implements StateReader {
  readonly entries: Map<string, Bytes>;
  time: UnixSeconds;
  height: Height;

  constructor(entries: Iterable<readonly [string, Bytes]> = [], time: number = START, height = 10) {
    this.entries = new Map(entries);
    this.time = time as UnixSeconds;
    this.height = height as Height;
  }

  get(key: string): Bytes | undefined {
    return this.entries.get(key);
  }

  /** An independent copy, `seconds` later. */
  copy(seconds = 0): World {
    return new World(this.entries, this.time + seconds, this.height + (seconds === 0 ? 0 : 1));
  }

  /** The value at a key. */
  read<T>(key: string): T | undefined {
    const value = this.entries.get(key);
    return value === undefined ? undefined : (cbor.decode(value, 1 << 20) as T);
  }

  /** Overwrites an entry: for states that rules don't reach in a few steps. */
  set(key: string, value: unknown): this {
    this.entries.set(key, cbor.encode(value));
    return this;
  }

  /** The caller of an actor, as admission makes it. */
  caller({ by, key }: Asking): Caller {
    const found = getActor(this, by);
    assert.ok(found !== undefined, `no actor ${by}`);
    const { id, publicKey } = found.keys.find(({ until, publicKey }) =>
      key === undefined ? until === undefined : publicKey === key,
    ) ?? {
      id: "0".repeat(16),
      publicKey: found.enrolment?.publicKey ?? { suite: "ed25519" as const },
    };
    const admitted = callerOf(this, { signer: { actor: by, key: id, suite: publicKey.suite }, sponsor: found.member });
    if (admitted.ok) return admitted.value;
    return { actorId: by, actor: found, key: id, byEnrolment: false, sponsor: found.member };
  }

  /** What an operation comes to, if asked now; nothing changes. The operation must pass its schema. */
  decide(asking: Asking, operation: Operation): Outcome {
    return this.decideAs(this.caller(asking), operation, asking);
  }

  /** As `decide`, by a caller that stands already. */
  decideAs(caller: Caller, operation: Operation, { time = this.time, height = this.height }: Partial<Asking> = {}): Outcome {
    const block = { chain: "test-0", time: time as UnixSeconds, height: height as Height };
    const parsed = operationSchema.parse(cbor.decode(cbor.encode(operation), 1 << 20));
    const transaction = bytes(32, 7);
    const { state, reads } = recording(this);
    state.get(keys.actor(caller.actorId));
    const outcome = applyOperation(state, parsed, { block, caller, transaction, index: 0 });
    remember(outcome, { operation, block, caller, transaction, reads });
    return outcome;
  }

  /** Decides and applies; the operation must be accepted. */
  do(asking: Asking, operation: Operation): Accepted {
    const outcome = this.decide(asking, operation);
    assert.ok(outcome.ok, `refused: ${JSON.stringify(outcome)}`);
    this.apply(outcome.value);
    return outcome.value;
  }

  apply({ changes }: Accepted): void {
    for (const { key, value } of changes) {
      if (value === null) this.entries.delete(key);
      else this.entries.set(key, value);
    }
  }
}

const hired = (world: World, id: ActorId, member: MemberId, key: number, kind: "staff" | "device" = "staff"): void => {
  world.do({ by: administration(member) }, { op: "registerActor", id, kind, key: publicKey(key) });
};
export const issue = (
  id: CredentialId,
  subject: ActorId,
  role: OperationOf<"issueCredential">["role"],
  period: { notBefore: number; notAfter: number } = { notBefore: 0, notAfter: YEAR },
): OperationOf<"issueCredential"> => ({
  op: "issueCredential",
  id,
  subject,
  role,
  department: "D01",
  notBefore: at(period.notBefore),
  notAfter: at(period.notAfter),
});

/** The one-time key that the registrar hands a patient. */
export const oneTimeKey = publicKey(900);
export const enrolPatient = (world: World, id: ActorId, member: MemberId, key: PublicKey): void => {
  const by = administration(member);
  world.do({ by }, { op: "registerPatient", id, enrolment: { publicKey: oneTimeKey, notAfter: at(YEAR / 24) } });
  const found = getActor(world, id);
  assert.ok(found?.enrolment !== undefined);
  const caller = enrolling(world, id);
  const block = { chain: "test-0", time: world.time, height: world.height };
  const outcome = applyOperation(
    world,
    { op: "enrolKey", publicKey: key },
    { block, caller, transaction: bytes(32, 7), index: 0 },
  );
  assert.ok(outcome.ok);
  world.apply(outcome.value);
};
/** The caller who signs with the actor's one-time key. */
export const enrolling = (world: World, id: ActorId): Caller => {
  const found = getActor(world, id);
  assert.ok(found?.enrolment !== undefined, "no enrolment is open");
  return { actorId: id, actor: found, key: keyIdOf(found.enrolment.publicKey), byEnrolment: true, sponsor: found.member };
};

export const keyIdOf = ({ suite, key }: PublicKey): string => keyId(suite, key);

/** The whole small consortium. One record of each patient at A: imaging, sensitive. Built once, copied for each test. */
function build(): World {
  const world = new World();
  world.apply({ changes: genesisChanges(genesis), subject: {} });
  const { registrar, doctorA, nurseA, workStation, doctorB, nurseB, researcher, ict, otherDoctorB } = people;
  const staff = [
    [registrar, hospitalA, "registrar", credentials.registrar],
    [doctorA, hospitalA, "doctor", credentials.doctorA],
    [nurseA, hospitalA, "nurse", credentials.nurseA],
    [ict, hospitalA, "ict", credentials.ict],
    [doctorB, hospitalB, "doctor", credentials.doctorB],
    [nurseB, hospitalB, "nurse", credentials.nurseB],
    [otherDoctorB, hospitalB, "doctor", credentials.otherDoctorB],
    [researcher, institute, "researcher", credentials.researcher],
  ] as const;
  staff.forEach(([id, member, role, held], i) => {
    hired(world, id, member, 200 + i);
    world.do({ by: administration(member) }, issue(held, id, role));
  });
  hired(world, workStation, hospitalA, 300, "device");
  enrolPatient(world, patient, hospitalA, publicKey(400));
  enrolPatient(world, otherPatient, hospitalA, publicKey(401));
  enrolPatient(world, patientAtB, hospitalB, publicKey(402));
  world.do({ by: doctorA }, anchor(record(1), patient));
  world.do({ by: doctorA }, { ...anchor(record(2), otherPatient), object: object(30), custody: custody(31) });
  return world;
}

export const anchor = (id: RecordId, of: ActorId): OperationOf<"anchorRecord"> => ({
  op: "anchorRecord",
  record: id,
  patient: of,
  class: imaging,
  format: "dicom",
  object: object(20),
  custody: custody(21),
  credential: credentials.doctorA,
});
export const request: OperationOf<"requestAccess"> = {
  op: "requestAccess",
  patient,
  purpose: "TREAT",
  class: imaging,
  target: { kind: "record", record: record(1), version: 1 },
  hpke: bytes(1216, 77),
  credential: credentials.doctorB,
};
export const grant = (changed: Partial<DirectiveTerms> = {}): OperationOf<"grantConsent"> => ({
  op: "grantConsent",
  patient,
  terms: { ...terms, ...changed },
  pointers: [],
});

const built = build();
/** A fresh copy. */
export const world = (): World => built.copy();
