/**
 * The consortium that the ledger's benchmark runs on, and the transactions of its load. Keys and ids follow from names, so that the thread that
 * signs the load and the one that is measured have the same.
 */
import { hash, randomBytes } from "node:crypto";
import {
  CATEGORIES,
  CONSORTIUM_ELECTION,
  encodeBody,
  encodeGenesis,
  encodeTransaction,
  genesis as genesisSchema,
  LEVELS,
  type Operation,
  SOLO_ELECTION,
  type TransactionBody,
} from "@xinglin/contracts";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { keyId } from "@xinglin/crypto/pure";

/** Members that send the load in turn. */
export const HOSPITALS = ["hospital-a", "hospital-b"] as const;
const CUSTODIANS = ["custodian-a", "custodian-b", "custodian-c"] as const;
/** Operations of the transactions that fill the state before anything is measured. */
export const FILLING_OPERATIONS = 2_000;
/** Records under one batch anchor. */
export const RECORDS_A_BATCH = 1_000;

const bytesOf = (name: string): Uint8Array => hash("sha256", `bench ${name}`, "buffer");
const idOf = (name: string): string => hash("sha256", `bench id ${name}`).slice(0, 32);
export const keyOf = (name: string): ReturnType<typeof nodeEd25519Signer> => nodeEd25519Signer(bytesOf(name));
const suiteKey = (name: string) => ({ suite: "ed25519", key: keyOf(name).publicKey });

/** Each validator of a consortium belongs to a member of its own; the only one of a solo chain to a hospital. */
const siteOf = (index: number): string => `site-${index}`;

/** Canonical bytes of the genesis document: of a solo chain, or of one with these validators' public keys. */
export function genesisBytes(validators: readonly Uint8Array[] = [keyOf("validator").publicKey]): Uint8Array {
  const solo = validators.length === 1;
  const sites = solo ? [] : validators.map((_, index) => siteOf(index));
  const hpke = new Uint8Array(1216).fill(1);
  return encodeGenesis(
    genesisSchema.parse({
      type: "xinglin-genesis/1",
      name: "bench",
      time: 1_700_000_000,
      parameters: {
        maxValiditySeconds: 3_600,
        maxValidityBlocks: 1_000_000,
        maxBlockGapSeconds: 10,
        permitSeconds: 300,
        memberQuota: 1_000_000,
        maxTransactionBytes: 4_194_304,
        maxBlockBytes: 16_777_216,
        logEpochEntries: 1_048_576,
        election: solo ? SOLO_ELECTION : { ...CONSORTIUM_ELECTION, minSeats: Math.min(4, validators.length) },
        webauthn: { origins: ["https://localhost"], rpIdHash: new Uint8Array(32) },
      },
      members: [...HOSPITALS, ...sites].map((id) => ({
        id,
        member: { kind: "hospital", name: { zh: id, en: id }, status: "active", hpke },
        key: suiteKey(id),
      })),
      custodians: CUSTODIANS.map((id) => ({ id, member: HOSPITALS[0], key: suiteKey(id), hpke })),
      validators: validators.map((publicKey, i) => ({ publicKey, power: 10, member: sites[i] ?? HOSPITALS[0] })),
      matrix: CATEGORIES.flatMap((category) => LEVELS.map((level) => ({ category, level, basis: "consent" }))),
    }),
  );
}

const signers = HOSPITALS.map((id) => ({ id, key: keyOf(id), keyId: keyId("ed25519", keyOf(id).publicKey) }));

/** A transaction of the hospital whose turn it is, signed by its administration. */
function signed(chain: string, turn: number, operations: readonly unknown[]): Uint8Array {
  const { id, key, keyId: name } = signers[turn % signers.length]!;
  const body = encodeBody({
    type: "xinglin-transaction/1",
    chain,
    signer: { actor: id, key: name, suite: "ed25519" },
    sponsor: id,
    notAfter: { time: Math.floor(Date.now() / 1000) + 3_000, height: 900_000 },
    nonce: new Uint8Array(randomBytes(16)),
    operations: operations as Operation[],
  } as unknown as TransactionBody);
  return encodeTransaction(body, key.signSync(body));
}

const patientOf = (turn: number, i: number): string => idOf(`patient ${turn % signers.length} ${i}`);

/** The kinds of transactions: patients that fill the state, single records of those patients, anchors of batches. */
export type Kind = "patients" | "record" | "batch";

/**
 * Transaction `i` of its kind, with so many operations where it holds records. Records are of patients among the first `patients`, spread evenly;
 * their numbers follow from `i`, so whoever asks for other envelopes must go on from a higher one.
 */
export function transaction(chain: string, kind: Kind, i: number, patients: number, operations = 1): Uint8Array {
  if (kind === "batch") return signed(chain, i, [{ op: "anchorBatch", root: bytesOf(`root ${i}`), count: RECORDS_A_BATCH }]);
  if (kind === "patients") {
    const enrolment = { publicKey: suiteKey("patient"), notAfter: Math.floor(Date.now() / 1000) + 86_400 };
    const first = Math.floor(i / signers.length) * FILLING_OPERATIONS;
    const ids = Array.from({ length: FILLING_OPERATIONS }, (_, n) => patientOf(i, first + n));
    return signed(
      chain,
      i,
      ids.map((id) => ({ op: "registerPatient", id, enrolment })),
    );
  }
  const each = Math.floor(patients / signers.length);
  const records = Array.from({ length: operations }, (_, n) => i * operations + n);
  return signed(
    chain,
    i,
    records.map((number) => anchorRecord(number, patientOf(i, (number * 7_919) % each))),
  );
}

const anchorRecord = (number: number, patient: string) => ({
  op: "anchorRecord",
  record: idOf(`record ${number}`),
  patient,
  class: { level: "sensitive", category: CATEGORIES[number % 9]! },
  format: "dicom",
  object: {
    id: bytesOf(`object ${number}`).subarray(0, 16),
    manifest: bytesOf(`manifest ${number}`),
    root: bytesOf(`pieces ${number}`),
    sizeClass: 29,
    code: { k: 10, m: 4 },
  },
  custody: { epoch: 1, threshold: 2, custodians: [...CUSTODIANS], commitments: bytesOf(`commitments ${number}`) },
});
