/** `xinglin staff|device|patient|credential …`: who works and who is treated at a member. Source: requirements B1, B4. */
import { dirname, join } from "node:path";
import { decodeEnrolmentLink, enrolFromLink } from "@xinglin/client";
import { role } from "@xinglin/contracts";
import { SECRET_SUITES, type SecretSuite } from "@xinglin/crypto/node";
import {
  enrolmentLink,
  publicKeyOf,
  recoverPatient,
  registerDevice,
  registerPatient,
  registerStaff,
  replaceKeyFile,
  requireAccepted,
  stageKeyFile,
} from "@xinglin/gateway";
import { actorId, credentialId, Fault } from "@xinglin/primitives";
import { aliasPath, type Command, type Context } from "../command.ts";

/** The administration's key is the default signer: `--as {member}/administration`. */
const pathOf = (context: Context, member: string): string => aliasPath(context.data, `${member}/${context.need("name")}`);

/** `--suite`: what a new key signs with. */
const SUITE = { suite: { type: "string" } } as const;
function suiteOf(context: Context): SecretSuite {
  const told = context.text("suite") ?? "ed25519";
  const suite = SECRET_SUITES.find((candidate) => candidate === told);
  if (suite === undefined) throw new Fault("option_wrong", { option: "--suite", expected: SECRET_SUITES.join(", ") });
  return suite;
}

export const staffRegister: Command = {
  words: "staff register",
  options: { name: { type: "string" }, role: { type: "string" }, department: { type: "string" }, ...SUITE },
  async run(context) {
    const administration = context.key();
    const path = pathOf(context, administration.member);
    const staff = {
      path,
      role: role.parse(context.need("role")),
      department: context.need("department"),
      suite: suiteOf(context),
    };
    const key = await registerStaff(context.gateway().client, administration, staff);
    context.tell("people.staff", { actor: key.actor, credential: key.credential ?? "", path });
  },
};

export const deviceRegister: Command = {
  words: "device register",
  options: { name: { type: "string" }, ...SUITE },
  async run(context) {
    const administration = context.key();
    const path = pathOf(context, administration.member);
    const key = await registerDevice(context.gateway().client, administration, path, suiteOf(context));
    context.tell("people.device", { actor: key.actor, path });
  },
};

export const keyReplace: Command = {
  words: "key replace",
  options: SUITE,
  async run(context) {
    const told = context.need("as");
    const key = await replaceKeyFile(context.gateway().client, context.keyPath(told), suiteOf(context));
    context.tell("people.key_replaced", { actor: key.actor, suite: key.signer.suite, path: context.keyPath(told) });
  },
};

export const credentialSuspend: Command = {
  words: "credential suspend",
  options: { credential: { type: "string" }, reinstate: { type: "boolean" } },
  async run(context) {
    const id = credentialId.parse(context.need("credential"));
    const status = context.flag("reinstate") ? "active" : "suspended";
    const receipt = requireAccepted(
      await context.gateway().client.submit(context.key(), [{ op: "setCredentialStatus", id, status }]),
    );
    context.tell(`people.credential_${status}`, { credential: id, height: receipt.height });
  },
};

export const patientRegister: Command = {
  words: "patient register",
  options: {},
  async run(context) {
    const { client } = context.gateway();
    const registered = await registerPatient(client, context.key());
    const link = await enrolmentLink(client, `${client.url}/`, [registered]);
    context.tell("people.patient", { patient: registered.patient, member: registered.member, link });
  },
};

export const patientRecover: Command = {
  words: "patient recover",
  options: { patient: { type: "string" } },
  async run(context) {
    const { client } = context.gateway();
    const registered = await recoverPatient(client, context.key(), actorId.parse(context.need("patient")));
    const link = await enrolmentLink(client, `${client.url}/`, [registered]);
    context.tell("people.recover", { patient: registered.patient, link });
  },
};

/** For a patient without a browser: enrols keys in files under `phone/` of the data folder. */
export const patientEnrol: Command = {
  words: "patient enrol",
  options: { link: { type: "string" }, ...SUITE },
  async run(context) {
    const link = decodeEnrolmentLink(new URL(context.need("link")).hash);
    const folder = dirname(aliasPath(context.data, "phone/x"));
    const { client } = context.gateway();
    for (const pseudonym of link.pseudonyms) {
      const { patient, member } = pseudonym;
      const { key, keep } = stageKeyFile(join(folder, `${patient}.json`), { actor: patient, member, suite: suiteOf(context) });
      const publicKey = publicKeyOf(key);
      for (const { receipt } of await enrolFromLink(client, { ...link, pseudonyms: [pseudonym] }, async () => publicKey))
        requireAccepted(receipt);
      keep();
      context.tell("people.enrolled", { patient, member, key: `phone/${patient}` });
    }
  },
};
