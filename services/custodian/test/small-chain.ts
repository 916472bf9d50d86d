/** A real ledger, a solo one unless it is told otherwise, with two hospitals, four custodians, a doctor, a patient, one record under custody 3 of 4, and a consent. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signTransaction } from "@xinglin/client";
import {
  CATEGORIES,
  encodeGenesis,
  type Genesis,
  keys,
  LEVELS,
  type Operation,
  type Permit,
  permit as permitSchema,
  SOLO_ELECTION,
  type SuiteId,
} from "@xinglin/contracts";
import { type HpkeKeyPair, hpkeKeyPair, randomBytes } from "@xinglin/crypto";
import { nodeCurves, nodeEd25519Signer } from "@xinglin/crypto/node";
import { sha256 } from "@xinglin/crypto/pure";
import { Custodian, type ProvenState } from "@xinglin/custody";
import { prepareDeposits } from "@xinglin/custody/client";
import { type Ledger, openLedger } from "@xinglin/ledger";
import {
  type ActorId,
  type Bytes,
  type CredentialId,
  cbor,
  type MemberId,
  type RecordId,
  toHex,
  type UnixSeconds,
  utf8,
} from "@xinglin/primitives";

export const id = <T extends string>(): T => toHex(randomBytes(16)) as T;
export const nowSeconds = (): UnixSeconds => Math.floor(Date.now() / 1000) as UnixSeconds;

export interface Party {
  readonly actor: ActorId;
  readonly member: MemberId;
  readonly signer: ReturnType<typeof nodeEd25519Signer>;
  readonly hpke: HpkeKeyPair;
}

const party = async (actor: string, member: string): Promise<Party> => ({
  actor: actor as ActorId,
  member: member as MemberId,
  signer: nodeEd25519Signer(randomBytes(32)),
  hpke: await hpkeKeyPair(),
});
const publicKey = ({ signer }: Party): { suite: SuiteId; key: Bytes } => ({ suite: "ed25519", key: signer.publicKey });

export interface SmallChain {
  readonly ledger: Ledger;
  readonly directory: string;
  readonly genesis: Bytes;
  readonly a: Party;
  readonly b: Party;
  readonly custodians: readonly { readonly party: Party; readonly custodian: Custodian }[];
  readonly doctor: Party;
  readonly patient: Party;
  readonly credential: CredentialId;
  readonly contentKey: Bytes;
  readonly record: RecordId;
  submit(by: Party, ...operations: Operation[]): Promise<{ code?: string; number: number; height: number }>;
  prove(...names: string[]): ProvenState;
  /** A permit of the doctor with its own fresh key. */
  permit(): Promise<{ number: number; permit: Permit; pair: HpkeKeyPair }>;
  close(): Promise<void>;
}

export interface SmallChainOptions {
  readonly name?: string;
  /** The custodians' own clock. */
  readonly now?: () => UnixSeconds;
  /** Whether custodians ask their own node for the newest state. */
  readonly ownNode?: boolean;
  /** What that node answers instead while it is behind. */
  readonly behind?: () => ProvenState | undefined;
  readonly maxBlockGapSeconds?: number;
  /** Another ledger than the solo one: its genesis follows from this one, and its folder lies in `directory`. */
  readonly over?: {
    genesis(document: Genesis): Genesis;
    open(genesis: Bytes, directory: string): Promise<{ readonly ledger: Ledger; close(): Promise<void> }>;
  };
}

export const THRESHOLD = 3;

export async function openSmallChain(options: SmallChainOptions = {}): Promise<SmallChain> {
  const directory = await mkdtemp(join(tmpdir(), "xinglin-custody-"));
  const a = await party("hospital-a", "hospital-a");
  const b = await party("hospital-b", "hospital-b");
  const doctor = await party(id(), "hospital-b");
  const patient = await party(id(), "hospital-a");
  const parties = await Promise.all([0, 1, 2, 3].map((i) => party(`custodian-${i}`, i < 2 ? "hospital-a" : "hospital-b")));
  const validator = nodeEd25519Signer(randomBytes(32));
  const member = (p: Party) => ({
    id: p.member,
    member: {
      kind: "hospital" as const,
      name: { zh: p.member, en: p.member },
      status: "active" as const,
      hpke: p.hpke.publicKey,
    },
    key: publicKey(p),
  });
  const document: Genesis = {
    type: "xinglin-genesis/1",
    name: options.name ?? "small",
    time: nowSeconds(),
    parameters: {
      maxValiditySeconds: 600,
      maxValidityBlocks: 10_000,
      maxBlockGapSeconds: options.maxBlockGapSeconds ?? 10,
      permitSeconds: 600,
      memberQuota: 10_000,
      maxTransactionBytes: 1_048_576,
      maxBlockBytes: 4_194_304,
      logEpochEntries: 1024,
      election: SOLO_ELECTION,
      webauthn: { origins: ["http://localhost"], rpIdHash: sha256(utf8("localhost")) },
    },
    members: [member(a), member(b)],
    custodians: parties.map((p) => ({ id: p.actor, member: p.member, key: publicKey(p), hpke: p.hpke.publicKey })),
    validators: [{ publicKey: validator.publicKey, power: 1, member: "hospital-a" as MemberId }],
    matrix: LEVELS.flatMap((level) => CATEGORIES.map((category) => ({ level, category, basis: "consent" as const }))),
  };
  const { over } = options;
  const genesis = encodeGenesis(over === undefined ? document : over.genesis(document));
  const solo = async (): Promise<{ ledger: Ledger; close(): Promise<void> }> => {
    const validatorKey = { publicKey: validator.publicKey, sign: (bytes: Bytes) => validator.signSync(bytes) };
    const opened = await openLedger({ directory: join(directory, "ledger"), genesis, validator: validatorKey });
    return { ledger: opened, close: () => opened.close() };
  };
  const { ledger, close } = await (over?.open(genesis, directory) ?? solo());

  const submit: SmallChain["submit"] = async (by, ...operations) => {
    const tip = { chainId: ledger.chainId, height: ledger.height(), time: nowSeconds() };
    const transaction = await signTransaction(tip, by, operations);
    await ledger.submit(transaction.bytes);
    const receipt = await ledger.receipt(transaction.id, "provable");
    const [result] = receipt.results;
    return {
      ...(result?.code === undefined ? {} : { code: result.code }),
      number: result?.subject.number ?? 0,
      height: receipt.height,
    };
  };
  const prove: SmallChain["prove"] = (...names) => {
    const height = ledger.provableHeight();
    const proofs = names.map((key) => ledger.prove(key, height));
    return {
      height: height as ProvenState["height"],
      lightBlock: proofs[0]?.lightBlock as Bytes,
      proofs: proofs.map(({ key, value, proof }) => ({ key, proof, ...(value === undefined ? {} : { value }) })),
    };
  };

  const custodians = parties.map((p) => ({
    party: p,
    custodian: new Custodian({
      id: p.actor,
      member: p.member,
      directory: join(directory, "shares", p.actor),
      signer: p.signer,
      hpkePrivateKey: p.hpke.privateKey,
      trust: {
        genesis,
        curves: nodeCurves,
        now: options.now ?? nowSeconds,
        ...(options.ownNode === true
          ? { newest: async (names: readonly string[]) => options.behind?.() ?? prove(...names) }
          : {}),
      },
    }),
  }));

  const contentKey = randomBytes(32);
  const record = id<RecordId>();
  const credential = id<CredentialId>();
  const enrolment = nodeEd25519Signer(randomBytes(32));
  const year = 365 * 86_400;
  const expectAccepted = async (by: Party, ...operations: Operation[]): Promise<void> => {
    const { code } = await submit(by, ...operations);
    if (code !== undefined) throw new Error(`set-up refused: ${code}`);
  };
  await expectAccepted(
    b,
    { op: "registerActor", id: doctor.actor, kind: "staff", key: publicKey(doctor) },
    {
      op: "issueCredential",
      id: credential,
      subject: doctor.actor,
      role: "doctor",
      department: "NEURO",
      notBefore: (nowSeconds() - 60) as UnixSeconds,
      notAfter: (nowSeconds() + year) as UnixSeconds,
    },
  );
  await expectAccepted(a, {
    op: "registerPatient",
    id: patient.actor,
    enrolment: { publicKey: { suite: "ed25519", key: enrolment.publicKey }, notAfter: (nowSeconds() + 3600) as UnixSeconds },
  });
  await expectAccepted({ ...patient, signer: enrolment }, { op: "enrolKey", publicKey: publicKey(patient) });
  const deposits = await prepareDeposits({
    chain: ledger.chainId,
    record,
    version: 1,
    epoch: 1,
    contentKey,
    threshold: THRESHOLD,
    recipients: parties.map((p) => ({ id: p.actor, hpke: p.hpke.publicKey })),
    depositor: { actor: a.actor, signer: a.signer },
    time: nowSeconds(),
  });
  for (const { party: p, custodian } of custodians)
    await custodian.deposit(deposits.request(p.actor, prove(keys.actor(a.actor), keys.member(a.member))));
  const object = { id: randomBytes(16), manifest: randomBytes(32), root: randomBytes(32), sizeClass: 20, code: { k: 10, m: 4 } };
  await expectAccepted(a, {
    op: "anchorRecord",
    record,
    patient: patient.actor,
    class: { level: "sensitive", category: "imaging" },
    format: "dicom",
    object,
    custody: deposits.custody,
  });
  await expectAccepted(patient, {
    op: "grantConsent",
    patient: patient.actor,
    terms: {
      effect: "permit",
      grantees: [{ kind: "institution", member: "hospital-b" as MemberId }],
      purposes: ["TREAT"],
      categories: ["imaging"],
      levels: ["sensitive"],
      notBefore: (nowSeconds() - 60) as UnixSeconds,
      notAfter: (nowSeconds() + year) as UnixSeconds,
    },
    pointers: [],
  });

  return {
    ledger,
    directory,
    genesis,
    a,
    b,
    custodians,
    doctor,
    patient,
    credential,
    contentKey,
    record,
    submit,
    prove,
    async permit() {
      const pair = await hpkeKeyPair();
      const { code, number } = await submit(doctor, {
        op: "requestAccess",
        patient: patient.actor,
        purpose: "TREAT",
        class: { level: "sensitive", category: "imaging" },
        target: { kind: "record", record, version: 1 },
        hpke: pair.publicKey,
        credential,
      });
      if (code !== undefined) throw new Error(`request refused: ${code}`);
      const { value } = ledger.prove(keys.access(patient.actor, number));
      return { number, permit: permitSchema.parse(cbor.decodeTrusted(value as Bytes)), pair };
    },
    async close() {
      await close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
