/**
 * The consortium that a simulation runs: a commission, three hospitals with staff and patients, and clinics that only run a node. Keys and ids follow from names, so that
 * every run of a seed signs the same bytes.
 */
import { createHash } from "node:crypto";
import {
  CATEGORIES,
  CONSORTIUM_ELECTION,
  type ElectionParameters,
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
import type { ActorId, Bytes, CredentialId, MemberId, RecordId } from "@xinglin/primitives";

type Key = ReturnType<typeof nodeEd25519Signer>;
const keysByName = new Map<string, Key>();

/** The signing key of this name. */
export function keyOf(name: string): Key {
  const known = keysByName.get(name);
  if (known !== undefined) return known;
  const key = nodeEd25519Signer(createHash("sha256").update(`simulated key ${name}`).digest());
  keysByName.set(name, key);
  return key;
}

/** 32 hex digits that follow from a name. */
const idOf = (name: string): string => createHash("sha256").update(`simulated id ${name}`).digest("hex").slice(0, 32);
export const actorOf = (name: string): ActorId => idOf(name) as ActorId;
export const credentialOf = (name: string): CredentialId => idOf(`credential ${name}`) as CredentialId;
export const recordOf = (name: string): RecordId => idOf(`record ${name}`) as RecordId;

export const COMMISSION = "commission" as MemberId;
export const HOSPITALS = ["hospital-a", "hospital-b", "hospital-c"] as unknown as readonly MemberId[];
const CLINICS = ["clinic-d", "clinic-e", "clinic-f"] as unknown as readonly MemberId[];
/** Every member; the first so many run the validators. */
export const MEMBERS: readonly MemberId[] = [COMMISSION, ...HOSPITALS, ...CLINICS];
export const CUSTODIAN = "custodian-a" as ActorId;
/** The administration of a member acts under the member's own name. */
export const administration = (member: MemberId): ActorId => member as string as ActorId;
export const validatorName = (index: number): string => `validator ${index}`;

/** Seconds since 1970 at which every simulation begins. */
export const GENESIS_TIME = 1_800_000_000;
const HPKE = new Uint8Array(1216).fill(7);
const publicKey = (name: string) => ({ suite: "ed25519" as const, key: keyOf(name).publicKey });

/** Epochs of few blocks, so that powers change within a run. */
function electionOf(validators: number, epochBlocks: number): ElectionParameters {
  const base = validators === 1 ? SOLO_ELECTION : CONSORTIUM_ELECTION;
  if (validators === 1) return { ...base, epochBlocks };
  return { ...base, minSeats: Math.min(4, validators), maxSeats: MEMBERS.length, epochBlocks };
}

/** What a simulation chooses of the genesis. */
export interface GenesisChoice {
  /** Voting power of each validator. */
  readonly powers: readonly number[];
  readonly epochBlocks: number;
  readonly memberQuota: number;
  readonly logEpochEntries: number;
  readonly maxValiditySeconds: number;
}

/** Canonical bytes of the genesis. */
export function genesisOf({ powers, epochBlocks, ...choice }: GenesisChoice): Bytes {
  const { memberQuota, logEpochEntries, maxValiditySeconds } = choice;
  const genesis = genesisSchema.parse({
    type: "xinglin-genesis/1",
    name: "simulated",
    time: GENESIS_TIME,
    parameters: {
      maxValiditySeconds,
      maxValidityBlocks: 1_000,
      maxBlockGapSeconds: 10,
      permitSeconds: 300,
      memberQuota,
      maxTransactionBytes: 16_384,
      maxBlockBytes: 65_536,
      logEpochEntries,
      election: electionOf(powers.length, epochBlocks),
      webauthn: { origins: ["https://localhost"], rpIdHash: new Uint8Array(32) },
    },
    members: MEMBERS.map((id) => ({
      id,
      member: {
        kind: id === COMMISSION ? "commission" : (CLINICS as readonly string[]).includes(id) ? "clinic" : "hospital",
        name: { zh: id, en: id },
        status: "active",
        hpke: HPKE,
      },
      key: publicKey(id),
    })),
    custodians: [{ id: CUSTODIAN, member: HOSPITALS[0], key: publicKey(CUSTODIAN), hpke: HPKE }],
    validators: powers.map((power, i) => ({
      publicKey: keyOf(validatorName(i)).publicKey,
      power,
      member: MEMBERS[i],
    })),
    matrix: CATEGORIES.flatMap((category) =>
      LEVELS.map((level) => ({ category, level, basis: level === "public" ? "free" : "consent" })),
    ),
  });
  return encodeGenesis(genesis);
}

/** What a transaction is made of. */
export interface Draft {
  readonly chain: string;
  /** Name of the key that signs. */
  readonly key: string;
  readonly actor: ActorId;
  readonly sponsor: MemberId;
  readonly operations: readonly Operation[];
  readonly notAfter: { readonly time: number; readonly height: number };
  readonly nonce: Bytes;
  /** Name of the key that signs instead of the one that the transaction names. */
  readonly forgedBy?: string;
}

/** The signed bytes of a transaction. */
export function signed({ chain, key, actor, sponsor, operations, notAfter, nonce, forgedBy }: Draft): Bytes {
  const body = encodeBody({
    type: "xinglin-transaction/1",
    chain,
    signer: { actor, key: keyId("ed25519", keyOf(key).publicKey), suite: "ed25519" },
    sponsor,
    notAfter,
    nonce,
    operations,
  } as unknown as TransactionBody);
  return encodeTransaction(body, keyOf(forgedBy ?? key).signSync(body));
}
