/**
 * What the page's browser tests stand on: a real solo ledger with two hospitals and a doctor, the read model and API over it that serve the
 * built page, a patient with a pseudonym at each hospital, and Chromium.
 */

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Api, createApi, ledgerSource } from "@xinglin/api";
import { ApiClient, encodeEnrolmentLink, type Identity, oneTimeKey, type Receipt } from "@xinglin/client";
import { CATEGORIES, encodeGenesis, type Genesis, LEVELS, type Operation, SOLO_ELECTION, type SuiteId } from "@xinglin/contracts";
import { type HpkeKeyPair, hpkeKeyPair, randomBytes } from "@xinglin/crypto";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { sha256 } from "@xinglin/crypto/pure";
import { freePort } from "@xinglin/engines/testing";
import { ReadModel } from "@xinglin/index";
import { type Ledger, openLedger } from "@xinglin/ledger";
import {
  type ActorId,
  type Bytes,
  type CredentialId,
  type MemberId,
  type RecordId,
  toHex,
  type UnixSeconds,
  utf8,
} from "@xinglin/primitives";
import { speaker } from "../../scripts/launch/language.mjs";
import { buildPortal } from "../../scripts/launch/portal.mjs";
import { openPeers, type Peers } from "./peers.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const DIST = join(ROOT, "packages", "portal", "dist");
const YEAR_SECONDS = 365 * 86_400;

/** Chromium's program, or undefined where it is not installed. */
export const chromiumPath: string | undefined = [
  process.env["CHROMIUM"],
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
].find((path) => path !== undefined && existsSync(path));
/** For `skip` of `node:test`: false, or why. */
export const skip: string | false = chromiumPath === undefined && "chromium is not installed";

export const randomId = <T extends string>(): T => toHex(randomBytes(16)) as T;
export const nowSeconds = (): UnixSeconds => Math.floor(Date.now() / 1000) as UnixSeconds;

interface Party extends Identity {
  readonly hpke: HpkeKeyPair;
}
const party = async (actor: string, member: string): Promise<Party> => ({
  actor: actor as ActorId,
  member: member as MemberId,
  signer: nodeEd25519Signer(randomBytes(32)),
  hpke: await hpkeKeyPair(),
});
const publicKey = ({ signer }: Identity): { suite: SuiteId; key: Bytes } => ({ suite: "ed25519", key: signer.publicKey });

/** A patient as the registrars know it: a pseudonym at each hospital, and one record under each. */
export interface Patient {
  readonly link: string;
  readonly atA: { readonly patient: ActorId; readonly record: RecordId };
  readonly atB: { readonly patient: ActorId; readonly record: RecordId };
}

export interface Stage {
  readonly url: string;
  readonly ledger: Ledger;
  readonly client: ApiClient;
  readonly a: Party;
  readonly b: Party;
  /** Of hospital B, in neurology. */
  readonly doctor: Party;
  /** Registers a new patient at both hospitals; `seconds` is how long the link is good. */
  newPatient(seconds?: number): Promise<Patient>;
  /** A registrar's new link for a patient whose phone is gone. */
  recover(patient: Patient): Promise<string>;
  /** The doctor asks for the record at hospital A; the code of the refusal, or undefined. */
  read(patient: Patient, purpose?: "TREAT" | "HRESCH" | "ETREAT"): Promise<string | undefined>;
  submit(by: Identity, ...operations: Operation[]): Promise<Receipt>;
  /** Stops the server, and starts it again at the same address. */
  stopServer(): Promise<void>;
  startServer(): Promise<void>;
  /** The other members' nodes, if the stage has them. */
  readonly peers: Peers | undefined;
  close(): Promise<void>;
}

/** With `withPeers`, two other nodes are there, and the server names them to the page. */
export async function openStage(withPeers = false): Promise<Stage> {
  await buildPage();
  const directory = await mkdtemp(join(tmpdir(), "xinglin-portal-"));
  const port = await freePort();
  const a = await party("hospital-a", "hospital-a");
  const b = await party("hospital-b", "hospital-b");
  const doctor = await party(randomId(), "hospital-b");
  const custodians = await Promise.all([party("custodian-a", "hospital-a"), party("custodian-b", "hospital-b")]);
  const validator = nodeEd25519Signer(randomBytes(32));
  const member = (p: Party, zh: string, en: string) => ({
    id: p.member,
    member: { kind: "hospital" as const, name: { zh, en }, status: "active" as const, hpke: p.hpke.publicKey },
    key: publicKey(p),
  });
  const document: Genesis = {
    type: "xinglin-genesis/1",
    name: "portal-test",
    time: nowSeconds(),
    parameters: {
      maxValiditySeconds: 600,
      maxValidityBlocks: 10_000,
      maxBlockGapSeconds: 10,
      permitSeconds: 600,
      memberQuota: 10_000,
      maxTransactionBytes: 1_048_576,
      maxBlockBytes: 4_194_304,
      logEpochEntries: 1024,
      election: SOLO_ELECTION,
      webauthn: { origins: [`http://localhost:${port}`], rpIdHash: sha256(utf8("localhost")) },
    },
    members: [member(a, "杏林市第一医院", "Xinglin First Hospital"), member(b, "杏林市第二医院", "Xinglin Second Hospital")],
    custodians: custodians.map((p) => ({ id: p.actor, member: p.member, key: publicKey(p), hpke: p.hpke.publicKey })),
    validators: [{ publicKey: validator.publicKey, power: 1, member: "hospital-a" as MemberId }],
    matrix: LEVELS.flatMap((level) => CATEGORIES.map((category) => ({ level, category, basis: "consent" as const }))),
  };
  const ledger = await openLedger({ directory: join(directory, "ledger"), genesis: encodeGenesis(document), validator });
  const index = await ReadModel.open({
    location: { kind: "embedded", template: await emptyDatabase() },
    source: ledgerSource(ledger),
  });
  const peers = withPeers ? await openPeers(ledger, index, validator, await freePort()) : undefined;
  let api: Api | undefined;
  const startServer = async (): Promise<void> => {
    api = await createApi({
      ledger,
      index,
      portalDirectory: DIST,
      host: "127.0.0.1",
      port,
      limits: { heartbeatMs: 1_000 },
      ...(peers === undefined ? {} : { peers: peers.urls }),
    });
    await api.listen();
  };
  const stopServer = async (): Promise<void> => {
    await api?.close();
    api = undefined;
  };
  await startServer();
  const url = `http://localhost:${port}`;
  const client = new ApiClient({ url, language: "en" });
  const submit: Stage["submit"] = (by, ...operations) => client.submit(by, operations);
  const accepted = async (by: Identity, ...operations: Operation[]): Promise<void> => {
    const refused = (await submit(by, ...operations)).results.find(({ outcome }) => outcome === "refused");
    if (refused !== undefined) throw new Error(`set-up refused: ${refused.code}`);
  };

  const credential = randomId<CredentialId>();
  await accepted(
    b,
    { op: "registerActor", id: doctor.actor, kind: "staff", key: publicKey(doctor) },
    {
      op: "issueCredential",
      id: credential,
      subject: doctor.actor,
      role: "doctor",
      department: "NEURO",
      notBefore: (nowSeconds() - 60) as UnixSeconds,
      notAfter: (nowSeconds() + YEAR_SECONDS) as UnixSeconds,
    },
  );

  const register = async (at: Party, seconds: number) => {
    const patient = randomId<ActorId>();
    const record = randomId<RecordId>();
    const { seed, publicKey: oneTime } = oneTimeKey();
    await accepted(
      at,
      {
        op: "registerPatient",
        id: patient,
        enrolment: { publicKey: oneTime, notAfter: (nowSeconds() + seconds) as UnixSeconds },
      },
      {
        op: "anchorRecord",
        record,
        patient,
        class: { level: "sensitive", category: "imaging" },
        format: "dicom",
        object: { id: randomBytes(16), manifest: randomBytes(32), root: randomBytes(32), sizeClass: 20, code: { k: 10, m: 4 } },
        custody: { epoch: 1, threshold: 2, custodians: custodians.map(({ actor }) => actor), commitments: randomBytes(32) },
      },
    );
    return { patient, record, seed, member: at.member };
  };
  const linkOf = (pseudonyms: readonly { patient: ActorId; member: MemberId; seed: Bytes }[]): string =>
    encodeEnrolmentLink(`${url}/`, {
      chain: ledger.chainId,
      pseudonyms: pseudonyms.map(({ patient, member: at, seed }) => ({ patient, member: at, seed })),
    });

  return {
    url,
    ledger,
    client,
    a,
    b,
    doctor,
    submit,
    startServer,
    stopServer,
    peers,
    async newPatient(seconds = 3_600) {
      const [atA, atB] = [await register(a, seconds), await register(b, seconds)];
      return { link: linkOf([atA, atB]), atA, atB };
    },
    async recover({ atA, atB }) {
      const again = async (at: Party, patient: ActorId) => {
        const { seed, publicKey: oneTime } = oneTimeKey();
        const enrolment = { publicKey: oneTime, notAfter: (nowSeconds() + 600) as UnixSeconds, replace: true };
        await accepted(at, { op: "authorizeEnrolment", actor: patient, enrolment });
        return { patient, member: at.member, seed };
      };
      return linkOf([await again(a, atA.patient), await again(b, atB.patient)]);
    },
    async read({ atA: { patient, record } }, purpose = "TREAT") {
      const { results } = await submit(doctor, {
        op: "requestAccess",
        patient,
        purpose,
        class: { level: "sensitive", category: "imaging" },
        target: { kind: "record", record, version: 1 },
        hpke: doctor.hpke.publicKey,
        credential,
      });
      return results[0]?.code;
    },
    async close() {
      await stopServer();
      await peers?.close();
      await index.close();
      await ledger.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** As the launcher does: builds the page if what it is made of has changed since. */
async function buildPage(): Promise<void> {
  const code = await buildPortal(ROOT, process.execPath, speaker("en"));
  if (code !== 0) throw new Error(`the page did not build: ${code}`);
}

/** An image of an empty read model, made once: starting from it takes a tenth of the time. */
async function emptyDatabase(): Promise<string> {
  const folder = join(ROOT, "node_modules", ".cache", "xinglin");
  const file = join(folder, "portal-test-empty.tar.gz");
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const source = { chain: "none", size: async () => 0, read: async () => [] };
  const model = await ReadModel.open({ location: { kind: "embedded" }, source });
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, await model.dump());
  await model.close();
  await rename(partial, file);
  return file;
}
