/**
 * What a rule sees and what it gives back. Rules are pure: they read through `StateReader`, return changes as values, and only the
 * executor applies them. Source: style.md, "A domain module"; design.md, "Execution".
 */
import type { ActorId, Bytes, CredentialId, Height, MemberId, RecordId, Result, UnixSeconds } from "@xinglin/primitives";
import type { Reason } from "./model/access.ts";
import type { Actor } from "./model/actor.ts";

/** The committed state plus the changes of earlier operations in the block. */
export interface StateReader {
  get(key: string): Bytes | undefined;
}

export interface BlockContext {
  readonly chain: string;
  readonly height: Height;
  /** The block header's time, whole seconds. */
  readonly time: UnixSeconds;
}

/** Who asks. The executor has checked the signatures and that key, actor and sponsor are in force. */
export interface Caller {
  readonly actorId: ActorId;
  readonly actor: Actor;
  /** Id of the key that signed. */
  readonly key: string;
  /** The signature was made by the actor's one-time enrolment key, which may do nothing but `enrolKey`. */
  readonly byEnrolment: boolean;
  readonly sponsor: MemberId;
  readonly device?: ActorId;
}

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
}

export interface Accepted {
  readonly changes: readonly Change[];
  readonly subject: Subject;
  /** Why it was permitted, for requests to read. */
  readonly reason?: Reason;
}

/** A rule's no. Codes are wire values: append, never reuse. `facts` are what the refusal rests on. */
export interface Refusal {
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number>>;
  readonly subject: Subject;
  readonly reason?: Reason;
}

export type Outcome = Result<Accepted, Refusal>;
export type Rule<Op> = (state: StateReader, op: Op, context: OperationContext) => Outcome;
