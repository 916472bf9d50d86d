/** Before the story: staff, a work station and a patient with a pseudonym at two hospitals. Source: docs/guides/share-a-study.md. */
import { existsSync } from "node:fs";
import { enrolFromLink } from "@xinglin/client";
import {
  createKeyFile,
  type KeyOfFile,
  publicKeyOf,
  readKeyFile,
  registerDevice,
  registerPatient,
  registerStaff,
} from "@xinglin/gateway";
import { administrationKey } from "@xinglin/member";
import type { ActorId, MemberId } from "@xinglin/primitives";
import { DEVICES, STAFF } from "../cast.ts";
import { keyPath, type Stage, type StoryPatient } from "./stage.ts";

/** Registers staff and devices that have no key file yet. */
export async function registerPeople(stage: Stage): Promise<void> {
  const { client, data, say } = stage;
  const administration = (member: string): KeyOfFile => readKeyFile(administrationKey(data, member as MemberId));
  for (const { alias, member, role, department } of STAFF) {
    const path = keyPath(data, alias);
    if (!existsSync(path)) await registerStaff(client, administration(member), { path, role, department });
  }
  for (const { alias, member } of DEVICES) {
    const path = keyPath(data, alias);
    if (!existsSync(path)) await registerDevice(client, administration(member), path);
  }
  say("story.people", { staff: STAFF.length, devices: DEVICES.length });
}

/** The key of the story's phone for one pseudonym. */
export const walletPath = (data: string, patient: ActorId): string => keyPath(data, `phone/${patient}`);

/** A patient registers at hospitals A and B; the story's phone enrols a key of its own for each pseudonym. */
export async function registerStoryPatient(stage: Stage): Promise<StoryPatient> {
  const { client, data, say } = stage;
  const { chainId } = await client.genesis();
  const wallet = async (registrar: string): Promise<KeyOfFile> => {
    const registered = await registerPatient(client, stage.key(registrar));
    const key = createKeyFile(walletPath(data, registered.patient), { actor: registered.patient, member: registered.member });
    await enrolFromLink(client, { chain: chainId, pseudonyms: [registered] }, async () => publicKeyOf(key));
    say("story.pseudonym", { member: stage.memberName(registered.member), patient: registered.patient });
    return key;
  };
  return { atA: await wallet("hospital-a/registrar"), atB: await wallet("hospital-b/registrar") };
}
