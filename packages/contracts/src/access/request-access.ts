/**
 * requestAccess: decides one read of a patient's record by someone who never held its key.
 * Source: requirements C1, C2, C4; FHIR R4 Consent.provision; design.md, "Consent, access, custody".
 */
import { sha256 } from "@xinglin/crypto/pure";
import { accept, actorId, credentialId, type Infer, invariant, schema, type UnixSeconds } from "@xinglin/primitives";
import type { Permit } from "../model/access.ts";
import { HPKE_PUBLIC_KEY_BYTES } from "../model/actor.ts";
import { recordClass } from "../model/class.ts";
import { purpose } from "../model/purpose.ts";
import { getAccessHead, getParameters } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";
import { decideAccess, type RequestAccessRefusal } from "./decide-access.ts";
import { findTarget, requestTarget, subjectOf } from "./target.ts";

/** The request names what is wanted, never a directive. */
export const requestAccessOperation = schema.object({
  patient: actorId,
  purpose,
  class: recordClass,
  target: requestTarget,
  /** A fresh X-Wing public key: shares are released to it and to no other. */
  hpke: schema.bytes(HPKE_PUBLIC_KEY_BYTES),
  /** The requester's. */
  credential: credentialId,
  /** The review or ethics approval (a study) that the request rests on. */
  approval: schema.optional(credentialId),
});
export type RequestAccess = Infer<typeof requestAccessOperation>;

/**
 * By staff, with a credential in force for a role that reads; decided as `decideAccess` says. A permit is appended to `access/{patient}`, pins the
 * request's key, and is redeemable for `permitSeconds`. A refusal changes nothing; the executor writes it to the audit log with its tree of reasons, so it
 * can be proved. Periods are half-open, in seconds of the block header. Cost: linear in the patient's open directives.
 */
export const requestAccess: Rule<RequestAccess, RequestAccessRefusal["code"]> = (state, op, { block, caller, transaction }) => {
  const subject = { patient: op.patient, ...subjectOf(op.target), credential: op.credential };
  const { outcome, reason } = decideAccess(state, op, caller, block.time, (home) =>
    findTarget(state, op.target, op.patient, home, op.class),
  );
  if (!outcome.ok) return refuseWith<RequestAccessRefusal>(outcome.refusal, subject, reason);
  const { found, role, basis, directive, approval, restrictions } = outcome.value;
  const { target, source, object, custody } = found;
  const { actorId: actor, actor: requester, key } = caller;
  const parameters = getParameters(state);
  invariant(parameters !== undefined, "a chain has parameters");
  const number = getAccessHead(state, op.patient).count + 1;
  const permit: Permit = {
    basis,
    ...(directive === undefined ? {} : { directive }),
    ...(approval === undefined ? {} : { approval }),
    grantee: { member: requester.member, actor, key, role, credential: op.credential },
    purpose: op.purpose,
    class: op.class,
    source,
    target,
    object,
    custody,
    hpke: sha256(op.hpke),
    restrictions,
    transaction,
    height: block.height,
    decidedAt: block.time,
    expiresAt: (block.time + parameters.permitSeconds) as UnixSeconds,
  };
  return accept({
    changes: [put(keys.accessHead(op.patient), { count: number }), put(keys.access(op.patient, number), permit)],
    subject: { ...subject, number },
    reason,
  });
};
