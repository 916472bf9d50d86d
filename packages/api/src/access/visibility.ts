/**
 * Who may read what. The chain's rules decide everything that changes; this decides what the API shows: a patient everything under its own
 * pseudonym; staff, devices, custodians and administrations what their member registered, anchored, asked for or was granted; commissions
 * everything; anyone with a session the consortium's public entries. What may not be seen answers like what does not exist.
 * Source: requirement C10; design.md, "Identity" and "Consent, access, custody".
 */
import {
  type DirectiveTerms,
  getActor,
  getApproval,
  getConsentHead,
  getCredential,
  getDirective,
  getOpenDirectives,
  getPermit,
  getRecord,
  getRecordVersion,
  isInForce,
  type MedicalRecord,
  type RecordClass,
  type StateReader,
} from "@xinglin/contracts";
import { hasAccess, type ReadModel, type Viewer } from "@xinglin/index";
import type { ActorId, CredentialId, RecordId, UnixSeconds } from "@xinglin/primitives";
import type { Caller } from "../session/sessions.ts";

/** Entries that say nothing of any person. */
const PUBLIC_KEYS: ReadonlySet<string> = new Set([
  ...["parameters", "validators", "log", "matrix", "member", "custodian"],
  ...["election", "tally", "epoch", "penalty", "probe", "proposal", "store", "audit"],
]);

/** What the release or the erasure of a share rests on. */
const RELEASE_KEYS: ReadonlySet<string> = new Set(["access", "consent", "actor", "credential", "record"]);

export class Visibility {
  readonly #state: StateReader;
  readonly #index: ReadModel;
  readonly #blockTime: () => UnixSeconds;

  constructor(state: StateReader, index: ReadModel, blockTime: () => UnixSeconds) {
    this.#state = state;
    this.#index = index;
    this.#blockTime = blockTime;
  }

  /** How the read model names this caller. */
  static viewer({ kind, actorId, member, memberKind }: Caller): Viewer {
    if (kind === "patient") return { kind: "patient", patient: actorId };
    return memberKind === "commission" ? { kind: "commission" } : { kind: "member", member };
  }

  /** The member that registered a patient; undefined for anyone else's id. */
  homeOf(patient: string): string | undefined {
    const actor = getActor(this.#state, patient as ActorId);
    return actor?.kind === "patient" ? actor.member : undefined;
  }

  /** The patient itself, the institution that registered it, or a commission. */
  seesAllOf(caller: Caller, patient: string): boolean {
    if (caller.kind === "patient") return caller.actorId === patient;
    return caller.memberKind === "commission" || this.homeOf(patient) === caller.member;
  }

  /** Whether a directive of the patient that is in force names the caller's member, for this class if one is given. */
  isNamed(caller: Caller, patient: string, wanted?: { readonly level: string; readonly category: string }): boolean {
    if (caller.kind === "patient") return false;
    const id = patient as ActorId;
    const time = this.#blockTime();
    return getOpenDirectives(this.#state, id, getConsentHead(this.#state, id)).some(({ directive }) => {
      const { terms } = directive;
      if (terms.effect !== "permit" || !isInForce(directive, time) || !this.#names(terms, caller)) return false;
      return wanted === undefined || covers(terms, wanted as RecordClass);
    });
  }

  /** Whether a record is of the caller's own member, under the caller's pseudonym, in its custody, granted to it or already permitted. */
  async mayReadRecord(caller: Caller, id: string, record: MedicalRecord): Promise<boolean> {
    if (caller.kind === "patient") return record.patient === caller.actorId;
    if (caller.memberKind === "commission" || record.source === caller.member) return true;
    if (record.custody.custodians.includes(caller.actorId)) return true;
    if (this.isNamed(caller, record.patient, record.class)) return true;
    return hasAccess(this.#index.db, caller.member, { record: id });
  }

  /** Whether the entry of the state at `key` may be proved to the caller. */
  async mayReadState(caller: Caller, key: string): Promise<boolean> {
    const [kind = "", id = "", second, third] = key.split("/");
    if (PUBLIC_KEYS.has(kind) || (caller.kind !== "patient" && caller.memberKind === "commission")) return true;
    // A custodian decides on what its own node shows it of a permit: see docs/decisions/0002.
    // And on its own erasures: a folder that was put back from an old copy is erased again.
    if (caller.kind === "custodian") {
      if (kind === "erasure") return third === caller.actorId;
      return RELEASE_KEYS.has(kind) && !(kind === "consent" && second !== undefined);
    }
    switch (kind) {
      case "actor":
        return this.#mayReadActor(caller, id);
      case "credential": {
        const credential = getCredential(this.#state, id as CredentialId);
        return credential?.subject === caller.actorId || (caller.kind !== "patient" && credential?.issuer === caller.member);
      }
      case "approval": {
        const approval = getApproval(this.#state, id as CredentialId);
        if (approval === undefined || caller.kind === "patient") return false;
        const { grantee } = approval;
        return approval.member === caller.member || (grantee.kind !== "study" && grantee.member === caller.member);
      }
      case "object":
        return caller.kind !== "patient" && id === caller.member;
      case "batch":
        return caller.kind !== "patient";
      case "record":
        return this.#mayReadVersion(caller, id as RecordId, second);
      case "erasure":
        return third === caller.actorId || this.#mayReadVersion(caller, id as RecordId, second);
      case "consent":
        return this.#mayReadConsent(caller, id, second);
      case "access":
        return this.seesAllOf(caller, id) || this.#isOwnPermit(caller, id, second);
      case "release":
        return this.seesAllOf(caller, id) || third === caller.actorId || this.#isOwnPermit(caller, id, second);
      default:
        return false;
    }
  }

  #mayReadActor(caller: Caller, id: string): boolean {
    if (id === caller.actorId) return true;
    const actor = getActor(this.#state, id as ActorId);
    if (actor?.kind === "member" || actor?.kind === "custodian") return true;
    return caller.kind !== "patient" && actor?.member === caller.member;
  }

  /** An older version may have stood under another patient, who has nothing to do with the record now and the other way round. */
  async #mayReadVersion(caller: Caller, id: RecordId, version: string | undefined): Promise<boolean> {
    const newest = getRecord(this.#state, id);
    // That no record stands over a leaf is what custodians ask of whoever was permitted to read it.
    if (newest === undefined) return caller.kind !== "patient" && hasAccess(this.#index.db, caller.member, { record: id });
    if (!(await this.mayReadRecord(caller, id, newest))) return false;
    if (version === undefined || newest.source === caller.member) return true;
    return getRecordVersion(this.#state, id, Number(version))?.patient === newest.patient;
  }

  /** Who was named or asked needs the head, which custodians compare with a permit; a directive's terms are for those whom it names. */
  async #mayReadConsent(caller: Caller, patient: string, number: string | undefined): Promise<boolean> {
    if (this.seesAllOf(caller, patient)) return true;
    if (caller.kind === "patient") return false;
    if (number === undefined) return this.isNamed(caller, patient) || hasAccess(this.#index.db, caller.member, { patient });
    const directive = getDirective(this.#state, patient as ActorId, Number(number));
    return directive !== undefined && this.#names(directive.terms, caller);
  }

  #isOwnPermit(caller: Caller, patient: string, number: string | undefined): boolean {
    if (number === undefined || caller.kind === "patient") return false;
    return getPermit(this.#state, patient as ActorId, Number(number))?.grantee.member === caller.member;
  }

  #names({ grantees }: DirectiveTerms, { member }: Caller): boolean {
    return grantees.some((grantee) => {
      if (grantee.kind !== "study") return grantee.member === member;
      const study = getApproval(this.#state, grantee.approval as CredentialId)?.grantee;
      return study !== undefined && study.kind !== "study" && study.member === member;
    });
  }
}

const covers = ({ categories, levels }: DirectiveTerms, { category, level }: RecordClass): boolean =>
  categories.includes(category) && levels.includes(level);
