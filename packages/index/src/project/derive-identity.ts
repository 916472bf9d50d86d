/** Rows of actors, credentials and approvals; never a name, never a key. Source: requirements B1, B4, C4; design.md, "Read model". */
import type { Operation } from "@xinglin/contracts";
import type { ActorChange } from "../store/tables.ts";
import type { Derivation } from "./derivation.ts";
import type { JsonRows } from "./json-row.ts";

type IdentityOperation = Extract<
  Operation,
  {
    op:
      | "registerActor"
      | "registerPatient"
      | "setActorStatus"
      | "authorizeEnrolment"
      | "enrolKey"
      | "replaceKey"
      | "issueCredential"
      | "setCredentialStatus"
      | "recordApproval";
  }
>;

export function deriveIdentity({ entry, at }: Derivation, operation: IdentityOperation): JsonRows {
  const { by } = entry;
  const actor = (id: string, change: ActorChange, set: { kind?: string; member?: string; status?: string } = {}): JsonRows => ({
    actors: [{ ...at, actor: id, change, kind: null, member: null, status: null, ...set }],
  });

  switch (operation.op) {
    case "registerActor":
      return actor(operation.id, "registered", { kind: operation.kind, member: by.member, status: "active" });
    case "registerPatient":
      return actor(operation.id, "registered", { kind: "patient", member: by.member, status: "active" });
    case "setActorStatus":
      return actor(operation.id, "status_set", { status: operation.status });
    case "authorizeEnrolment":
      return actor(operation.actor, "enrolment_authorized");
    case "enrolKey":
      return actor(by.actor, "key_enrolled");
    case "replaceKey":
      return actor(by.actor, "key_replaced");
    case "issueCredential": {
      const { id, subject, role, department, notBefore, notAfter } = operation;
      const terms = {
        subject,
        issuer: by.member,
        role,
        department,
        not_before: notBefore,
        not_after: notAfter,
        status: "active",
      };
      return { credentials: [{ ...at, credential: id, change: "issued", ...terms }] };
    }
    case "setCredentialStatus": {
      const unchanged = { subject: null, issuer: null, role: null, department: null, not_before: null, not_after: null };
      return { credentials: [{ ...at, credential: operation.id, change: "status_set", ...unchanged, status: operation.status }] };
    }
    case "recordApproval": {
      const { id, kind, grantee, purpose, notBefore, notAfter } = operation;
      const member = grantee.kind === "study" ? null : grantee.member;
      return {
        approvals: [
          { ...at, approval: id, kind, holder: by.member, grantee, member, purpose, not_before: notBefore, not_after: notAfter },
        ],
      };
    }
  }
}
