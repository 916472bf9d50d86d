/**
 * A consortium on a real ledger behind a real listening server, and callers that sign as a client does. Keys follow from names.
 */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  CATEGORIES,
  encodeBody,
  encodeGenesis,
  encodeTransaction,
  type Genesis,
  genesis as genesisSchema,
  LEVELS,
  type Operation,
  SOLO_ELECTION,
  type TransactionBody,
} from "@xinglin/contracts";
import { hpkeKeyPair, type Signer } from "@xinglin/crypto";
import { contentDigest, signatureBase, signatureHeaders } from "@xinglin/crypto/http";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { keyId } from "@xinglin/crypto/pure";
import { ReadModel } from "@xinglin/index";
import { type Ledger, openLedger } from "@xinglin/ledger";
import type { ActorId, Bytes, CredentialId, MemberId, RecordId, UnixSeconds } from "@xinglin/primitives";
import { encodeSessionRequest, encodeSessionStatement, type SessionStatement, sessionId } from "@xinglin/verifier/session";
import { type Api, createApi } from "../src/create-api.ts";
import type { ApiOptions, LogLine } from "../src/options.ts";
import { ledgerSource } from "../src/projection.ts";

export const sha = (text: string): Bytes => new Uint8Array(createHash("sha256").update(text).digest());
export const keyOf = (name: string): Signer => nodeEd25519Signer(sha(`test key ${name}`));
export const idOf = <Id extends string>(name: string): Id =>
  createHash("sha256").update(`test id ${name}`).digest("hex").slice(0, 32) as Id;
const publicKey = (name: string) => ({ suite: "ed25519" as const, key: keyOf(name).publicKey });

export const COMMISSION = "commission" as MemberId;
export const A = "hospital-a" as MemberId;
export const B = "hospital-b" as MemberId;
export const CUSTODIANS = ["custodian-a", "custodian-b"] as ActorId[];
export const seconds = (): number => Math.floor(Date.now() / 1000);

/** Who acts in the tests, by name: the id in the chain and the member. Members and custodians have their name as id. */
export const people = {
  doctorA: { id: idOf<ActorId>("doctor a"), member: A, credential: idOf<CredentialId>("credential a") },
  doctorB: { id: idOf<ActorId>("doctor b"), member: B, credential: idOf<CredentialId>("credential b") },
  patient: { id: idOf<ActorId>("patient"), member: A },
  stranger: { id: idOf<ActorId>("stranger"), member: A },
} as const;
export type Name = keyof typeof people | "commission" | "hospital-a" | "hospital-b" | "custodian-a" | "custodian-b";
export const actorOf = (name: Name): { id: ActorId; member: MemberId } => {
  if (name in people) return people[name as keyof typeof people];
  const member = name === "custodian-a" ? A : name === "custodian-b" ? B : (name as string as MemberId);
  return { id: name as string as ActorId, member };
};

async function genesisOf(): Promise<Genesis> {
  const { publicKey: hpke } = await hpkeKeyPair(sha("hpke"));
  return genesisSchema.parse({
    type: "xinglin-genesis/1",
    name: "test",
    time: seconds() - 100,
    parameters: {
      maxValiditySeconds: 600,
      maxValidityBlocks: 100_000,
      maxBlockGapSeconds: 10,
      permitSeconds: 300,
      memberQuota: 10_000,
      maxTransactionBytes: 1_048_576,
      maxBlockBytes: 8_388_608,
      logEpochEntries: 1024,
      election: SOLO_ELECTION,
      webauthn: { origins: ["https://localhost"], rpIdHash: new Uint8Array(32) },
    },
    members: [COMMISSION, A, B].map((id) => ({
      id,
      member: { kind: id === COMMISSION ? "commission" : "hospital", name: { zh: id, en: id }, status: "active", hpke },
      key: publicKey(id),
    })),
    custodians: CUSTODIANS.map((id, i) => ({ id, member: i === 0 ? A : B, key: publicKey(id), hpke })),
    validators: [{ publicKey: keyOf("validator").publicKey, power: 1, member: COMMISSION }],
    matrix: CATEGORIES.flatMap((category) =>
      LEVELS.map((level) => ({ category, level, basis: level === "public" ? "free" : "consent" })),
    ),
  });
}

/** What a test changes about a signed request, to see it refused. */
export interface Tampering {
  method?: string;
  path?: string;
  body?: Bytes;
  created?: number;
  nonce?: Bytes;
  session?: string;
  headers?: Record<string, string>;
  /** Signs with another request key. */
  key?: Signer;
}
export interface Caller {
  readonly session: string;
  readonly statement: SessionStatement;
  headers(method: string, path: string, body?: Bytes, other?: Tampering): Promise<Record<string, string>>;
  get(path: string, headers?: Record<string, string>): Promise<Response>;
  json(path: string): Promise<Json>;
}

/** A decoded answer, as loose as JSON is. */
export type Json = Awaited<ReturnType<Response["json"]>>;
export interface Result {
  readonly outcome: string;
  readonly code?: string;
  readonly sequence: number;
  readonly subject: Readonly<Record<string, string | number>>;
  readonly reason: { readonly because: readonly unknown[] };
}

export class Stage {
  readonly ledger: Ledger;
  readonly index: ReadModel;
  readonly api: Api;
  readonly log: LogLine[] = [];
  readonly #folder: string;

  private constructor(ledger: Ledger, index: ReadModel, api: Api, folder: string, log: LogLine[]) {
    this.ledger = ledger;
    this.index = index;
    this.api = api;
    this.#folder = folder;
    this.log = log;
  }

  static async open(options: Partial<ApiOptions> = {}): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), "xinglin-api-"));
    const validator = keyOf("validator");
    const ledger = await openLedger({
      directory: join(folder, "ledger"),
      genesis: encodeGenesis(await genesisOf()),
      validator: { publicKey: validator.publicKey, sign: (bytes) => validator.sign(bytes) },
      verifyWorkers: 1,
    });
    const template = fileURLToPath(new URL("../../../node_modules/.cache/xinglin/pglite-empty-0.5.14.tar.gz", import.meta.url));
    const index = await ReadModel.open({ location: { kind: "embedded", template }, source: ledgerSource(ledger) });
    const log: LogLine[] = [];
    const api = await createApi({ ledger, index, host: "localhost", port: 0, log: (line) => log.push(line), ...options });
    await api.listen();
    return new Stage(ledger, index, api, folder, log);
  }

  async close(): Promise<void> {
    await this.api.close();
    await this.index.close();
    await this.ledger.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  fetch(path: string, init?: RequestInit): Promise<Response> {
    return fetch(this.api.url + path, init);
  }
  post(path: string, body: Bytes | string, type = "application/cbor", headers: Record<string, string> = {}): Promise<Response> {
    return this.fetch(path, {
      method: "POST",
      body: body as Uint8Array<ArrayBuffer>,
      headers: { "content-type": type, ...headers },
    });
  }

  /** A signed transaction of `name`; `change` alters its body. */
  async transaction(
    name: Name,
    operations: readonly Operation[],
    change: Partial<TransactionBody> = {},
    key: Signer = keyOf(name),
  ): Promise<Bytes> {
    const { id, member } = actorOf(name);
    const body = encodeBody({
      type: "xinglin-transaction/1",
      chain: this.ledger.chainId,
      signer: { actor: id, key: keyId(key.suite, key.publicKey), suite: key.suite },
      sponsor: member,
      notAfter: { time: seconds() + 300, height: this.ledger.height() + 5_000 },
      nonce: new Uint8Array(randomBytes(16)),
      operations: [...operations],
      ...change,
    } as TransactionBody);
    return encodeTransaction(body, await key.sign(body));
  }

  /** Submits through the API and returns the first operation's result. */
  async submit(name: Name, operation: Operation, wait = "committed", key?: Signer): Promise<Result> {
    const answer = await this.post(`/v1/transactions?wait=${wait}`, await this.transaction(name, [operation], {}, key));
    const json = await answer.json();
    if (answer.status !== 200) throw new Error(`${operation.op}: ${answer.status} ${JSON.stringify(json)}`);
    return json.receipt.results[0];
  }

  /** As `submit`, and the rules must accept. */
  async accepted(name: Name, operation: Operation, key?: Signer): Promise<Result> {
    const result = await this.submit(name, operation, "committed", key);
    if (result.outcome !== "accepted") throw new Error(`${operation.op}: ${result.code}`);
    return result;
  }

  statement(name: Name, requestKey: Signer, change: Partial<SessionStatement> = {}): SessionStatement {
    const key = keyOf(name);
    return {
      type: "xinglin-session/1",
      chain: this.ledger.chainId,
      actor: actorOf(name).id,
      key: keyId(key.suite, key.publicKey),
      suite: key.suite,
      requestKey: { suite: "ed25519", key: requestKey.publicKey },
      notBefore: (seconds() - 10) as UnixSeconds,
      notAfter: (seconds() + 600) as UnixSeconds,
      ...change,
    };
  }

  async openSession(name: Name, change: Partial<SessionStatement> = {}, signer: Signer = keyOf(name)): Promise<Response> {
    const statement = encodeSessionStatement(this.statement(name, nodeEd25519Signer(sha(`request key ${name}`)), change));
    return this.post("/v1/sessions", encodeSessionRequest({ statement, signature: await signer.sign(statement) }));
  }

  /** Opens a session as `name`. */
  async as(name: Name): Promise<Caller> {
    const requestKey = nodeEd25519Signer(new Uint8Array(randomBytes(32)));
    const statement = this.statement(name, requestKey);
    const bytes = encodeSessionStatement(statement);
    const opened = await this.post(
      "/v1/sessions",
      encodeSessionRequest({ statement: bytes, signature: await keyOf(name).sign(bytes) }),
    );
    if (opened.status !== 201) throw new Error(`session of ${name}: ${await opened.text()}`);
    const session = sessionId(bytes);
    const authority = new URL(this.api.url).host;
    const headers: Caller["headers"] = async (method, path, body, other = {}) => {
      const [plain = "", query = ""] = (other.path ?? path).split("?");
      const covered = other.body ?? body;
      const digest =
        covered === undefined ? undefined : contentDigest(new Uint8Array(createHash("sha256").update(covered).digest()));
      const parameters = {
        created: other.created ?? seconds(),
        nonce: other.nonce ?? new Uint8Array(randomBytes(16)),
        session: other.session ?? session,
        suite: "ed25519" as const,
        hasBody: covered !== undefined,
      };
      const base = signatureBase(
        {
          method: other.method ?? method,
          authority,
          path: plain,
          query,
          ...(digest === undefined ? {} : { contentDigest: digest }),
        },
        parameters,
      );
      return {
        ...signatureHeaders(parameters, await (other.key ?? requestKey).sign(base)),
        ...(digest === undefined ? {} : { "content-digest": digest }),
        ...other.headers,
      };
    };
    const get: Caller["get"] = async (path, extra = {}) =>
      this.fetch(path, { headers: { ...(await headers("GET", path)), ...extra } });
    return {
      session,
      statement,
      headers,
      get,
      json: async (path) => {
        const answer = await get(path);
        const json = await answer.json();
        if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${JSON.stringify(json)}`);
        return json;
      },
    };
  }

  /** Registers staff, two patients at A with their keys, and a record of `patient`. */
  async populate(): Promise<void> {
    const validity = { notBefore: (seconds() - 100) as UnixSeconds, notAfter: (seconds() + 100_000) as UnixSeconds };
    for (const [name, member] of [
      ["doctorA", "hospital-a"],
      ["doctorB", "hospital-b"],
    ] as const) {
      const { id, credential } = people[name];
      await this.accepted(member, { op: "registerActor", id, kind: "staff", key: publicKey(name) });
      await this.accepted(member, {
        op: "issueCredential",
        id: credential,
        subject: id,
        role: "doctor",
        department: "RAD",
        ...validity,
      });
    }
    for (const name of ["patient", "stranger"] as const) {
      const enrolment = { publicKey: publicKey(`enrolment ${name}`), notAfter: (seconds() + 1000) as UnixSeconds };
      await this.accepted("hospital-a", { op: "registerPatient", id: people[name].id, enrolment });
      await this.accepted(name, { op: "enrolKey", publicKey: publicKey(name) }, keyOf(`enrolment ${name}`));
    }
    await this.accepted("doctorA", anchor("record"));
  }
}

export const record = idOf<RecordId>("record");
export const anchor = (name: string, patient: "patient" | "stranger" = "patient"): Operation => ({
  op: "anchorRecord",
  record: idOf<RecordId>(name),
  patient: people[patient].id,
  class: { level: "sensitive", category: "imaging" },
  format: "dicom",
  object: {
    id: sha(`${name} id`).subarray(0, 16),
    manifest: sha(`${name} manifest`),
    root: sha(`${name} root`),
    sizeClass: 20,
    code: { k: 10, m: 4 },
  },
  custody: { epoch: 1, threshold: 2, custodians: [...CUSTODIANS], commitments: sha(`${name} commitments`) },
  credential: people.doctorA.credential,
});
export const readRecord = (hpke: Bytes = new Uint8Array(1216)): Operation => ({
  op: "requestAccess",
  patient: people.patient.id,
  purpose: "TREAT",
  class: { level: "sensitive", category: "imaging" },
  target: { kind: "record", record, version: 1 },
  hpke,
  credential: people.doctorB.credential,
});
export const grantToB = (): Operation => ({
  op: "grantConsent",
  patient: people.patient.id,
  terms: {
    effect: "permit",
    grantees: [{ kind: "institution", member: B }],
    purposes: ["TREAT"],
    categories: ["imaging"],
    levels: ["sensitive"],
    notBefore: (seconds() - 10) as UnixSeconds,
    notAfter: (seconds() + 10_000) as UnixSeconds,
  },
  pointers: [{ member: B, sealed: new Uint8Array(1136) }],
});
