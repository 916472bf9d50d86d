/**
 * A directive of the calling patient that is not revoked.
 * Source: requirement C1.
 */
import { type ActorId, accept, type Result, refuse } from "@xinglin/primitives";
import type { Directive } from "../model/consent.ts";
import { getDirective } from "../reads.ts";
import type { Caller, StateReader } from "../rule.ts";

/** In the order of the checks. */
export type OwnDirectiveRefusal = { code: "not_the_patient" } | { code: "unknown_directive" } | { code: "already_revoked" };

/** The caller's own directive `number`, if it stands and is not revoked. */
export function ownDirective(
  state: StateReader,
  caller: Caller,
  patient: ActorId,
  number: number,
): Result<Directive, OwnDirectiveRefusal> {
  if (caller.actor.kind !== "patient" || caller.actorId !== patient) return refuse({ code: "not_the_patient" });
  const directive = getDirective(state, patient, number);
  if (directive === undefined) return refuse({ code: "unknown_directive" });
  if (directive.revokedAt !== undefined) return refuse({ code: "already_revoked" });
  return accept(directive);
}
