/**
 * Registering who works at a member and who is treated there. Source: requirements B1, B4; design.md, "Identity".
 */
import { existsSync } from "node:fs";
import { type ApiClient, encodeEnrolmentLink, type Identity, newestCheckpoint, oneTimeKey } from "@xinglin/client";
import type { Role } from "@xinglin/contracts";
import type { Suite } from "@xinglin/crypto";
import type { SecretSuite } from "@xinglin/crypto/node";
import { type ActorId, Fault, type UnixSeconds } from "@xinglin/primitives";
import { newActorId, newCredentialId } from "./ids.ts";
import { type KeyOfFile, type KeyOwner, readKeyFile, stageKeyFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";

/** A year, after which a credential must be issued anew. */
export const CREDENTIAL_SECONDS = 365 * 86_400;
/** How long a patient has to enrol a key after registration. */
const ENROLMENT_SECONDS = 86_400;

/** Registers a member of staff with a new key and credential; the key goes into `path` (`key_file_exists`). Signed by the member's administration. */
export async function registerStaff(
  client: ApiClient,
  administration: Identity,
  staff: { path: string; role: Role; department: string; suite?: SecretSuite },
): Promise<KeyOfFile> {
  const credential = newCredentialId();
  const { key, keep } = stageNewKeyFile(staff.path, {
    actor: newActorId(),
    member: administration.member,
    credential,
    ...(staff.suite === undefined ? {} : { suite: staff.suite }),
  });
  const { time } = await client.tip();
  const receipt = await client.submit(administration, [
    registration(key, "staff"),
    {
      op: "issueCredential",
      id: credential,
      subject: key.actor,
      role: staff.role,
      department: staff.department,
      notBefore: (time - 60) as UnixSeconds,
      notAfter: (time + CREDENTIAL_SECONDS) as UnixSeconds,
    },
  ]);
  requireAccepted(receipt);
  keep();
  return key;
}

/** Registers a work station or another device, whose key countersigns what is done at it. */
export async function registerDevice(
  client: ApiClient,
  administration: Identity,
  path: string,
  suite: SecretSuite = "ed25519",
): Promise<KeyOfFile> {
  const { key, keep } = stageNewKeyFile(path, { actor: newActorId(), member: administration.member, suite });
  requireAccepted(await client.submit(administration, [registration(key, "device")]));
  keep();
  return key;
}

/**
 * Puts a new key of `suite` in place of the one in the file at `path`, whose actor signs this; what else is in the file stays. The chain refuses a
 * suite that is weaker than the key's (`suite_weaker`).
 */
export async function replaceKeyFile(client: ApiClient, path: string, suite: SecretSuite): Promise<KeyOfFile> {
  const { signer, ...owner } = readKeyFile(path);
  const { key, keep } = stageKeyFile(path, { ...owner, suite });
  requireAccepted(await client.submit({ ...owner, signer }, [{ op: "replaceKey", publicKey: publicKeyOf(key) }]));
  keep();
  return key;
}

/** A registration makes a new actor: the key of one who is registered already is never replaced by it. */
function stageNewKeyFile(path: string, owner: KeyOwner): ReturnType<typeof stageKeyFile> {
  if (existsSync(path)) throw new Fault("key_file_exists", { path });
  return stageKeyFile(path, owner);
}

/** The public key of a key file, as operations name it. */
export const publicKeyOf = ({ signer }: KeyOfFile): { suite: Suite; key: Uint8Array } => ({
  suite: signer.suite,
  key: signer.publicKey,
});

const registration = (key: KeyOfFile, kind: "staff" | "device") => ({
  op: "registerActor" as const,
  id: key.actor,
  kind,
  key: publicKeyOf(key),
});

/** A pseudonym with the one-time seed that enrols the patient's own key. */
export interface RegisteredPatient {
  readonly patient: ActorId;
  readonly member: Identity["member"];
  readonly seed: Uint8Array;
}

/** Registers a new pseudonym at the registrar's institution. Hand the seed to the patient as a link and forget it. */
export async function registerPatient(client: ApiClient, registrar: KeyOfFile): Promise<RegisteredPatient> {
  const { seed, publicKey } = oneTimeKey();
  const patient = newActorId();
  const { time } = await client.tip();
  const { credential } = registrar;
  const receipt = await client.submit(registrar, [
    {
      op: "registerPatient",
      id: patient,
      enrolment: { publicKey, notAfter: (time + ENROLMENT_SECONDS) as UnixSeconds },
      ...(credential === undefined ? {} : { credential }),
    },
  ]);
  requireAccepted(receipt);
  return { patient, member: registrar.member, seed };
}

/** The link by which the patient's browser becomes the key of these pseudonyms. */
export async function enrolmentLink(client: ApiClient, page: string, pseudonyms: readonly RegisteredPatient[]): Promise<string> {
  if (pseudonyms.length === 0) throw new Fault("enrolment_link_wrong");
  const { chainId } = await client.genesis();
  return encodeEnrolmentLink(page, {
    chain: chainId,
    pseudonyms: pseudonyms.map(({ patient, member, seed }) => ({ patient, member, seed })),
    checkpoint: await newestCheckpoint(client),
  });
}

/** A registrar's link for a patient who lost every key: using it retires the old ones. */
export async function recoverPatient(client: ApiClient, registrar: KeyOfFile, patient: ActorId): Promise<RegisteredPatient> {
  const { seed, publicKey } = oneTimeKey();
  const { time } = await client.tip();
  const { credential } = registrar;
  const enrolment = { publicKey, notAfter: (time + ENROLMENT_SECONDS) as UnixSeconds, replace: true };
  const operation = {
    op: "authorizeEnrolment" as const,
    actor: patient,
    enrolment,
    ...(credential === undefined ? {} : { credential }),
  };
  requireAccepted(await client.submit(registrar, [operation]));
  return { patient, member: registrar.member, seed };
}
