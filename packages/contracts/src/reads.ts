/**
 * Typed readers of the state, named for what they read. Values in the state were written by rules and are vouched for by the app hash, so
 * they are decoded without a second check. Cost: one read and one decoding an entry.
 * Source: design.md, "Ledger" (State).
 */
import {
  type ActorId,
  type Bytes,
  type CredentialId,
  cbor,
  type MemberId,
  type ProposalId,
  type RecordId,
  toHex,
} from "@xinglin/primitives";
import type { AccessHead, Permit } from "./model/access.ts";
import type { Actor, Credential, Custodian, Member, NamedNode } from "./model/actor.ts";
import type { Approval } from "./model/approval.ts";
import type { AuditBatch, AuditHead } from "./model/audit-batch.ts";
import type { ClassRule, RecordClass } from "./model/class.ts";
import type { ConsentHead, Directive } from "./model/consent.ts";
import type { Erasure, Release } from "./model/custody.ts";
import type { EarlierValidators, Election, EpochRecord, Penalty, Probes, Tally } from "./model/election.ts";
import type { Parameters, Validator } from "./model/genesis.ts";
import type { KeptObject } from "./model/kept-object.ts";
import type { LentStoreEntry } from "./model/lent-store.ts";
import type { Proposal } from "./model/proposal.ts";
import type { Batch, MedicalRecord } from "./model/record.ts";
import type { StateReader } from "./rule.ts";
import { keys } from "./state-keys.ts";

/** Nobody's consents or accesses. */
const NO_CONSENTS: ConsentHead = { count: 0, restrictions: 0, open: [] };
const NO_ACCESSES: AccessHead = { count: 0 };

const read = <T>(state: StateReader, key: string): T | undefined => {
  const value = state.get(key);
  return value === undefined ? undefined : (cbor.decodeTrusted(value) as T);
};

/**
 * Decoded entries that several operations of a block read, by the very bytes they were decoded from. A pure memo: whoever gives
 * the same array twice saves a decoding, whoever does not loses nothing.
 */
const decodedOnce = new WeakMap<Bytes, unknown>();
const readOften = <T>(state: StateReader, key: string): T | undefined => {
  const value = state.get(key);
  if (value === undefined) return undefined;
  const known = decodedOnce.get(value);
  if (known !== undefined) return known as T;
  const decoded = cbor.decodeTrusted(value);
  decodedOnce.set(value, decoded);
  return decoded as T;
};

/** Whose node has this id, 40 hex digits. */
export const getMemberOfNode = (state: StateReader, idHex: string): MemberId | undefined =>
  read<NamedNode>(state, keys.node(idHex))?.member;
/** What governance may change. */
export const getParameters = (state: StateReader): Parameters | undefined => readOften(state, keys.parameters);
/** Who may propose and vote, from two heights above the block that decided it on. */
export const getValidators = (state: StateReader): readonly Validator[] => readOften<Validator[]>(state, keys.validators) ?? [];
/** Sets that went before the newest one, as long as they are in force. */
export const getEarlierValidators = (state: StateReader): EarlierValidators =>
  read<EarlierValidators>(state, keys.earlierValidators) ?? [];
/** Who is in force at `height`, of the state after a block not more than two heights below. */
export const getValidatorsAt = (state: StateReader, height: number): readonly Validator[] =>
  getEarlierValidators(state).find(({ until }) => height <= until)?.validators ?? getValidators(state);
/** Who may hold a validator's seat. */
export const getElection = (state: StateReader): Election | undefined => readOften(state, keys.election);
/** What the open epoch counted so far; undefined before it counted anything. */
export const getTally = (state: StateReader): Tally | undefined => read(state, keys.tally);
/** How a closed epoch came out; only the newest are kept. */
export const getEpoch = (state: StateReader, epoch: number): EpochRecord | undefined => read(state, keys.epoch(epoch));
/** Misbehaviour that took a seat, numbered from 1 to the election's `penalties`. */
export const getPenalty = (state: StateReader, number: number): Penalty | undefined => read(state, keys.penalty(number));
/** What peers saw of a member's node. */
export const getProbes = (state: StateReader, member: MemberId): Probes | undefined => read(state, keys.probes(member));
/** What the committee votes or voted on. */
export const getProposal = (state: StateReader, id: ProposalId): Proposal | undefined => read(state, keys.proposal(id));
/** What the class matrix demands for a class. */
export const getClassRule = (state: StateReader, { category, level }: RecordClass): ClassRule | undefined =>
  readOften(state, keys.classRule(category, level));

/** What the state holds under an id, if anything. */
export const getMember = (state: StateReader, id: MemberId): Member | undefined => readOften(state, keys.member(id));
/** Who signs, with the history of keys. */
export const getActor = (state: StateReader, id: ActorId): Actor | undefined => readOften(state, keys.actor(id));
/** Where shares of a custodian are sealed to. */
export const getCustodian = (state: StateReader, id: ActorId): Custodian | undefined => readOften(state, keys.custodian(id));
/** Custodians that were admitted beside those of the genesis, whether retired since or not, in the order of their admission. */
export const getAdmittedCustodians = (state: StateReader): readonly ActorId[] =>
  read<ActorId[]>(state, keys.admittedCustodians) ?? [];
/** A role of a person at a member. */
export const getCredential = (state: StateReader, id: CredentialId): Credential | undefined =>
  readOften(state, keys.credential(id));
/** A review or ethics approval. */
export const getApproval = (state: StateReader, id: CredentialId): Approval | undefined => readOften(state, keys.approval(id));

/** An object that a member keeps, or kept, for versions of its records; `id` in hex. */
export const getKeptObject = (state: StateReader, member: MemberId, id: string): KeptObject | undefined =>
  read(state, keys.object(member, id));
/** A store that a member lends, or lent. */
export const getLentStore = (state: StateReader, id: string): LentStoreEntry | undefined => readOften(state, keys.store(id));
/** Ids of all stores ever lent, in the order in which they came. */
export const getLentStoreIds = (state: StateReader): readonly string[] => readOften<string[]>(state, keys.stores) ?? [];

/** How many rounds of audits a member has recorded; of one that never did: none. */
export const getAuditHead = (state: StateReader, member: MemberId): AuditHead =>
  read(state, keys.auditHead(member)) ?? { count: 0 };
/** One recorded round, by its number from 1 on. */
export const getAudit = (state: StateReader, member: MemberId, number: number): AuditBatch | undefined =>
  read(state, keys.audit(member, number));

/** The newest version of a record. */
export const getRecord = (state: StateReader, id: RecordId): MedicalRecord | undefined => read(state, keys.record(id));
/** One version of a record, the newest or an older one. */
export function getRecordVersion(state: StateReader, id: RecordId, version: number): MedicalRecord | undefined {
  const newest = getRecord(state, id);
  return newest === undefined || newest.version === version ? newest : read(state, keys.recordVersion(id, version));
}
/** A batch by its root. */
export const getBatch = (state: StateReader, root: Bytes): Batch | undefined => read(state, keys.batch(toHex(root)));

/** Of a patient without consents: none, rather than undefined. */
export const getConsentHead = (state: StateReader, patient: ActorId): ConsentHead =>
  readOften(state, keys.consentHead(patient)) ?? NO_CONSENTS;
/** One directive of a patient. */
export const getDirective = (state: StateReader, patient: ActorId, number: number): Directive | undefined =>
  readOften(state, keys.consent(patient, number));

/** A directive with its number in the patient's sequence. */
export interface NumberedDirective {
  readonly number: number;
  readonly directive: Directive;
}
const directivesAt = (state: StateReader, patient: ActorId, numbers: Iterable<number>): NumberedDirective[] => {
  const found: NumberedDirective[] = [];
  for (const number of numbers) {
    const directive = getDirective(state, patient, number);
    if (directive !== undefined) found.push({ number, directive });
  }
  return found;
};
/** Those of a patient's directives that may be in force, in order; every other one has ended. Cost: linear in them. */
export const getOpenDirectives = (
  state: StateReader,
  patient: ActorId,
  head: ConsentHead = getConsentHead(state, patient),
): NumberedDirective[] => directivesAt(state, patient, head.open);
/** All of a patient's directives, ended and revoked ones too, in order: from 1 to the authenticated count. Cost: linear in them. */
export function getDirectives(state: StateReader, patient: ActorId): NumberedDirective[] {
  const { count } = getConsentHead(state, patient);
  return directivesAt(
    state,
    patient,
    Array.from({ length: count }, (_, i) => i + 1),
  );
}

/** Of a patient without accesses: none, rather than undefined. */
export const getAccessHead = (state: StateReader, patient: ActorId): AccessHead =>
  read(state, keys.accessHead(patient)) ?? NO_ACCESSES;
/** One permit of a patient. */
export const getPermit = (state: StateReader, patient: ActorId, number: number): Permit | undefined =>
  read(state, keys.access(patient, number));
/** What a custodian signed of its release for a permit. */
export const getRelease = (state: StateReader, patient: ActorId, number: number, custodian: ActorId): Release | undefined =>
  read(state, keys.release(patient, number, custodian));
/** What a custodian signed of its erasure of a share. */
export const getErasure = (state: StateReader, id: RecordId, version: number, custodian: ActorId): Erasure | undefined =>
  read(state, keys.erasure(id, version, custodian));
