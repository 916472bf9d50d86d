/**
 * setCredentialStatus: the issuer suspends a credential, or lets it count again.
 * Source: requirement B4 (a suspension takes effect in the next block).
 */
import { accept, type CredentialId, credentialId, type Infer, schema } from "@xinglin/primitives";
import { status } from "../model/actor.ts";
import { getCredential } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { isAdministration } from "./administration.ts";

/** Which credential's status changes to what. */
export const setCredentialStatusOperation = schema.object({ id: credentialId, status });
export type SetCredentialStatus = Infer<typeof setCredentialStatusOperation>;

/** In the order of the checks. */
export type SetCredentialStatusRefusal =
  | { code: "unknown_credential"; credential: CredentialId }
  | { code: "not_administration" }
  | { code: "unchanged" };

/** By the administration of the issuer. */
export const setCredentialStatus: Rule<SetCredentialStatus, SetCredentialStatusRefusal["code"]> = (
  state,
  { id, status },
  { caller },
) => {
  const credential = getCredential(state, id);
  if (credential === undefined)
    return refuseWith<SetCredentialStatusRefusal>({ code: "unknown_credential", credential: id }, { credential: id });
  const subject = { credential: id, actor: credential.subject };
  if (!isAdministration(caller, credential.issuer))
    return refuseWith<SetCredentialStatusRefusal>({ code: "not_administration" }, subject);
  if (credential.status === status) return refuseWith<SetCredentialStatusRefusal>({ code: "unchanged" }, subject);
  return accept({ changes: [put(keys.credential(id), { ...credential, status })], subject });
};
