/**
 * The consortium that the ledger's benchmark runs on, and the transactions of its load. Keys and ids follow from names, so that the thread that
 * signs the load and the one that is measured have the same.
 */
import { hash, randomBytes } from "node:crypto";
import {
  CATEGORIES,
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

/** Canonical bytes of the genesis document. */
export function genesisBytes(): Uint8Array {
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
        election: SOLO_ELECTION,
        webauthn: { origins: ["https://localhost"], rpIdHash: new Uint8Array(32) },
      },
      members: HOSPITALS.map((id) => ({
        id,
        member: { kind: "hospital", name: { zh: id, en: id }, status: "active", hpke },
        key: suiteKey(id),
      })),
      custodians: CUSTODIANS.map((id) => ({ id, member: HOSPITALS[0], key: suiteKey(id), hpke })),
      validators: [{ publicKey: keyOf("validator").publicKey, power: 10, member: HOSPITALS[0] }],
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

/** Transaction `i` of its kind. Records are of patients among the first `patients`, spread evenly. */
export function transaction(chain: string, kind: Kind, i: number, patients: number): Uint8Array {
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
  return signed(chain, i, [
    {
      op: "anchorRecord",
      record: idOf(`record ${i}`),
      patient: patientOf(i, (i * 7_919) % each),
      class: { level: "sensitive", category: CATEGORIES[i % 9]! },
      format: "dicom",
      object: {
        id: bytesOf(`object ${i}`).subarray(0, 16),
        manifest: bytesOf(`manifest ${i}`),
        root: bytesOf(`pieces ${i}`),
        sizeClass: 29,
        code: { k: 10, m: 4 },
      },
      custody: { epoch: 1, threshold: 2, custodians: [...CUSTODIANS], commitments: bytesOf(`commitments ${i}`) },
    },
  ]);
}
