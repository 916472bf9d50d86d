/**
 * What a rule sees and what it gives back. Rules are pure: they read through `StateReader`, return changes as values, and only the
 * executor applies them. Source: style.md, "A domain module"; design.md, "Execution".
 */
import {
  type ActorId,
  type Bytes,
  type CredentialId,
  cbor,
  type Height,
  type MemberId,
  type ProposalId,
  type RecordId,
  type Result,
  refuse,
  type UnixSeconds,
} from "@xinglin/primitives";
import type { Facts, Reason } from "./model/access.ts";
import type { Actor } from "./model/actor.ts";
import type { PROPOSAL_OUTCOMES } from "./model/proposal.ts";
import type { RecordedAt, RecordedBy } from "./model/record.ts";

/** The committed state plus the changes of earlier operations in the block. */
export interface StateReader {
  get(key: string): Bytes | undefined;
}

/** The block in which a rule decides: all that it may know of place and time. */
export interface BlockContext {
  readonly chain: string;
  readonly height: Height;
  /** The block header's time, whole seconds. */
  readonly time: UnixSeconds;
}

/** Who asks. The executor has checked the signatures and that key, actor and sponsor are in force. */
export interface Caller {
  readonly actorId: ActorId;
  /** As it stood before the transaction: a rule that changes an actor reads it again. */
  readonly actor: Actor;
  /** Id of the key that signed. */
  readonly key: string;
  /** The signature was made by the actor's one-time enrolment key, which may do nothing but `enrolKey`. */
  readonly byEnrolment: boolean;
  readonly sponsor: MemberId;
  readonly device?: ActorId;
}

/** One operation's place: its block, its caller and its transaction's id. */
export interface OperationContext {
  readonly block: BlockContext;
  readonly caller: Caller;
  readonly transaction: Bytes;
  /** Position of the operation in its transaction. */
  readonly index: number;
}

/** A write of canonical DAG-CBOR, or a deletion. */
export type Change = { readonly key: string; readonly value: Bytes } | { readonly key: string; readonly value: null };

/** What the audit log says an accepted operation was about, beside who, when and under which key. */
export interface Subject {
  readonly patient?: ActorId;
  readonly record?: RecordId;
  readonly version?: number;
  /** Number of the permit or directive in its sequence. */
  readonly number?: number;
  readonly credential?: CredentialId;
  readonly actor?: ActorId;
  readonly batch?: Bytes;
  readonly member?: MemberId;
  readonly approval?: CredentialId;
  readonly proposal?: ProposalId;
  /** How the proposal stands after this vote. */
  readonly decided?: (typeof PROPOSAL_OUTCOMES)[number];
}

/** What follows from an operation that a rule lets be: writes, and what the audit log says. */
export interface Accepted {
  readonly changes: readonly Change[];
  readonly subject: Subject;
  /** Why it was permitted, for requests to read. */
  readonly reason?: Reason;
}

/** A rule's no. Codes are wire values: append, never reuse. `facts` are what the refusal rests on. */
export interface Refusal<Code extends string = string> {
  readonly code: Code;
  readonly facts: Facts;
  readonly subject: Subject;
  readonly reason?: Reason;
}

/** What a rule decides: what follows, or a refusal. */
export type Outcome<Code extends string = string> = Result<Accepted, Refusal<Code>>;
/** `Code` is the code of the rule's own refusal union, so that a code outside it does not compile. */
export type Rule<Op, Code extends string = string> = (state: StateReader, op: Op, context: OperationContext) => Outcome<Code>;

/** A rule's refusal as its union writes it: the code, and the facts beside it. */
type Stated = { readonly code: string };

/** Turns a stated refusal into an outcome. */
export function refuseWith<R extends Stated>(
  stated: R,
  subject: Subject,
  reason?: Reason,
): { readonly ok: false; readonly refusal: Refusal<R["code"]> } {
  const { code, ...rest } = stated;
  const refusal = { code: code as R["code"], facts: rest as Facts, subject };
  return refuse(reason === undefined ? refusal : { ...refusal, reason });
}

/** A write of `value` at `key`. */
export const put = (key: string, value: unknown): Change => ({ key, value: cbor.encode(value) });

/** Who signed, as state entries keep it. */
export const signedBy = ({ actorId, key, device }: Caller): RecordedBy =>
  device === undefined ? { actor: actorId, key } : { actor: actorId, key, device };

/** When an operation is decided, as state entries keep it. */
export const decidedAt = ({ height, time }: BlockContext): RecordedAt => ({ height, time });
