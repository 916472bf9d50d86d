/**
 * Who may act for an institution on its patients and records: its administration, its devices where the rule says so, and its staff in
 * a role, shown by a credential in force.
 * Source: requirement B4; design.md, "Identity".
 */
import { accept, type CredentialId, type Result, refuse, type UnixSeconds } from "@xinglin/primitives";
import type { ActorKind } from "../model/actor.ts";
import type { Role } from "../model/purpose.ts";
import type { Caller, StateReader } from "../rule.ts";
import { type CredentialRefusal, checkCredential } from "./credential-in-force.ts";

/** In the order of the checks. */
export type KeeperRefusal = { code: "caller_not_allowed"; kind: ActorKind } | { code: "no_credential" } | CredentialRefusal;

/** Roles that bring records into the archive and amend them. */
export const RECORD_ROLES: readonly Role[] = ["doctor", "technician", "nurse", "ict", "registrar"];
/** Roles that look after the custody of records' keys. */
export const CUSTODY_ROLES: readonly Role[] = ["ict", "registrar"];
/** Who registers patients and ends records. */
export const REGISTRAR: readonly Role[] = ["registrar"];

const accepted = accept(undefined);

/** Accepts the administration, staff whose credential `credential` carries one of `roles`, and devices if `devices` says so. */
export function checkKeeper(
  state: StateReader,
  caller: Pick<Caller, "actorId" | "actor">,
  credential: CredentialId | undefined,
  time: UnixSeconds,
  allowed: { readonly roles: readonly Role[]; readonly devices: boolean },
): Result<undefined, KeeperRefusal> {
  const { kind } = caller.actor;
  if (kind === "member" || (kind === "device" && allowed.devices)) return accepted;
  if (kind !== "staff") return refuse({ code: "caller_not_allowed", kind });
  if (credential === undefined) return refuse({ code: "no_credential" });
  const checked = checkCredential(state, caller, credential, allowed.roles, time);
  return checked.ok ? accepted : checked;
}
