/**
 * Who signs: member institutions, their staff, devices and custodians, and patients' pseudonyms; with the history of their keys.
 * Nothing here holds a person's name. Source: requirements B1, B4; design.md, "Identity".
 */
import { PUBLIC_KEY_BYTES, SUITES } from "@xinglin/crypto/pure";
import {
  type ActorId,
  actorId,
  Fault,
  height,
  type Infer,
  memberId,
  type Schema,
  schema,
  unixSeconds,
} from "@xinglin/primitives";
import { role } from "./purpose.ts";

export { SUITES };
/** `webauthn` is P-256 inside a WebAuthn assertion. */
export type SuiteId = (typeof SUITES)[number];

const anyPublicKey = schema.object({
  suite: schema.oneOf(...SUITES),
  key: schema.bytes(PUBLIC_KEY_BYTES.ed25519, PUBLIC_KEY_BYTES["ed25519-ml-dsa-65"]),
});
/** A public key with the suite that decides how it verifies. */
export type PublicKey = Infer<typeof anyPublicKey>;
/** As long as its suite's keys are (`PUBLIC_KEY_BYTES`); the length of another suite is malformed. */
export const publicKey: Schema<PublicKey> = {
  parse(value, path = "") {
    const parsed = anyPublicKey.parse(value, path);
    const bytes = PUBLIC_KEY_BYTES[parsed.suite];
    if (parsed.key.length !== bytes) throw new Fault("malformed", { element: `${path}/key`, expected: `${bytes} bytes` });
    return parsed;
  },
};

/** The id of a person or device: random, so that it says nothing and can't pass for a member's. A patient's is the pseudonym. */
export const randomActorId = schema.text<ActorId>(32, /^[0-9a-f]{32}$/);

/** How a transaction names the key that signs it: `keyId` of `@xinglin/crypto/pure`. */
export const keyIdSchema = schema.text(16, /^[0-9a-f]{16}$/);

/** Keys of one actor over its life, retired ones too. */
export const MAX_KEYS = 32;
/** X-Wing public key, 1,216 bytes. */
export const HPKE_PUBLIC_KEY_BYTES = 1216;

/** One key of an actor; `until` is set when it was replaced. Kept, so that old signatures stay explainable. */
export const actorKey = schema.object({
  id: keyIdSchema,
  publicKey,
  since: height,
  until: schema.optional(height),
});
export type ActorKey = Infer<typeof actorKey>;

/** A one-time key that may only enrol a new key, until `notAfter`. `replace` retires the actor's other keys when it is used. */
export const enrolment = schema.object({ publicKey, notAfter: unixSeconds, replace: schema.bool });
export type Enrolment = Infer<typeof enrolment>;

/** What signs: a member's administration, a person of its staff, a device, a custodian, or a patient at one institution. */
export const ACTOR_KINDS = ["member", "staff", "device", "custodian", "patient"] as const;
export type ActorKind = (typeof ACTOR_KINDS)[number];
/** A suspended actor, member or credential counts for nothing from the next transaction on. */
export const STATUSES = ["active", "suspended"] as const;
/** Active or suspended. */
export const status = schema.oneOf(...STATUSES);
export type Status = (typeof STATUSES)[number];
/** State at `actor/{id}`. `member` is who registered it and whose quota it uses. */
export const actor = schema.object({
  kind: schema.oneOf(...ACTOR_KINDS),
  member: memberId,
  status,
  keys: schema.list(actorKey, MAX_KEYS),
  enrolment: schema.optional(enrolment),
});
export type Actor = Infer<typeof actor>;

/** Nodes that a member may have: a validator's, a spare one's, and sentries in front. */
export const MAX_NODES = 8;
/** How CometBFT names a node: the first 20 bytes of SHA-256 of its key. */
export const nodeId = schema.bytes(20);

/** What kind of institution a member is. */
export const MEMBER_KINDS = ["commission", "hospital", "clinic", "research", "laboratory", "insurer", "manufacturer"] as const;
export type MemberKind = (typeof MEMBER_KINDS)[number];
/** State at `member/{id}`: a public institution, its display names and the key to which grants and files for it are sealed. */
export const member = schema.object({
  kind: schema.oneOf(...MEMBER_KINDS),
  name: schema.object({ zh: schema.text(64), en: schema.text(128) }),
  status,
  hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES),
  /** The ids of its nodes, by which the other members' nodes let them in. */
  nodes: schema.optional(schema.list(nodeId, MAX_NODES)),
  /** Where the committee took it out; it is suspended then, until the committee lets it back. */
  removedAt: schema.optional(height),
});
export type Member = Infer<typeof member>;

/** State at `node/{id}`: whose node it is; nobody's any more without `member`. */
export const namedNode = schema.object({ member: schema.optional(memberId) });
export type NamedNode = Infer<typeof namedNode>;

/** A department's code at its institution. */
export const department = schema.text(16, /^[A-Z0-9.-]+$/);

/** State at `credential/{id}`: a role at a member, with a department code, for a time. Source: requirement B4; W3C VC Data Model 2.0. */
export const credential = schema.object({
  subject: actorId,
  issuer: memberId,
  role,
  department,
  notBefore: unixSeconds,
  notAfter: unixSeconds,
  status,
});
export type Credential = Infer<typeof credential>;

/** State at `custodian/{id}`: where shares are sealed to; the signing key is the actor's of the same id. */
export const custodian = schema.object({
  member: memberId,
  hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES),
  status: schema.oneOf("active", "retired"),
  /** Where the committee retired it: what was anchored before may name it. */
  retiredAt: schema.optional(height),
});
export type Custodian = Infer<typeof custodian>;
/** Custodians that a chain admits beside those of its genesis. */
export const MAX_ADMITTED_CUSTODIANS = 64;
/** State at `custodian`, once one was admitted: their ids, in the order of their admission. */
export const admittedCustodians = schema.list(actorId, MAX_ADMITTED_CUSTODIANS, 1);
