/**
 * Whether a credential counts now: used by every rule that asks for a role.
 * Source: requirement B4 (a suspension takes effect in the next block); W3C VC Data Model 2.0, validity period and status.
 */
import { accept, type CredentialId, type Result, refuse, type UnixSeconds } from "@xinglin/primitives";
import type { Credential } from "../model/actor.ts";
import type { Role } from "../model/purpose.ts";
import { getActor, getCredential, getMember } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** What keeps a credential from counting. */
export type NotInForce = "suspended" | "not_yet" | "ended" | "subject_suspended" | "issuer_suspended";

/** Why a credential that a request names does not carry it. */
export type CredentialRefusal =
  | { code: "unknown_credential"; credential: CredentialId }
  | { code: "credential_of_another"; credential: CredentialId }
  | { code: "credential_not_in_force"; credential: CredentialId; which: NotInForce }
  | { code: "role_not_allowed"; role: Role };

/** Why `credential` does not count at `time`, or undefined if it does. Its period is half-open. */
export function notInForce(state: StateReader, credential: Credential, time: UnixSeconds): NotInForce | undefined {
  if (credential.status !== "active") return "suspended";
  if (time < credential.notBefore) return "not_yet";
  if (time >= credential.notAfter) return "ended";
  if (getActor(state, credential.subject)?.status !== "active") return "subject_suspended";
  if (getMember(state, credential.issuer)?.status !== "active") return "issuer_suspended";
  return undefined;
}

/** The caller's own credential `id`, in force at `time` and for one of `roles`. */
export function checkCredential(
  state: StateReader,
  caller: Pick<Caller, "actorId">,
  id: CredentialId,
  roles: readonly Role[],
  time: UnixSeconds,
): Result<Credential, CredentialRefusal> {
  const credential = getCredential(state, id);
  if (credential === undefined) return refuse({ code: "unknown_credential", credential: id });
  if (credential.subject !== caller.actorId) return refuse({ code: "credential_of_another", credential: id });
  const which = notInForce(state, credential, time);
  if (which !== undefined) return refuse({ code: "credential_not_in_force", credential: id, which });
  if (!roles.includes(credential.role)) return refuse({ code: "role_not_allowed", role: credential.role });
  return accept(credential);
}
