/**
 * A small consortium for tests and benches: one commission, two hospitals, a custodian, one validator; keys that follow from their names,
 * so that a child process has the same.
 */
import { createHash, randomBytes } from "node:crypto";
import {
  CATEGORIES,
  chainIdOf,
  encodeBody,
  encodeGenesis,
  encodeTransaction,
  type Genesis,
  genesis as genesisSchema,
  LEVELS,
  type Operation,
  type Parameters,
  SOLO_ELECTION,
  type TransactionBody,
} from "@xinglin/contracts";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { keyId } from "@xinglin/crypto/pure";
import type { ActorId, Bytes, CredentialId, MemberId } from "@xinglin/primitives";

export type Key = ReturnType<typeof nodeEd25519Signer>;
/** The key of this name. */
export const keyOf = (name: string): Key => nodeEd25519Signer(createHash("sha256").update(`test key ${name}`).digest());

/** 32 hex digits that follow from a name. */
export const idOf = (name: string): string => createHash("sha256").update(`test id ${name}`).digest("hex").slice(0, 32);
export const actorIdOf = (name: string): ActorId => idOf(name) as ActorId;
export const credentialIdOf = (name: string): CredentialId => idOf(name) as CredentialId;

/** Members of the consortium. */
export const HOSPITAL_A = "hospital-a" as MemberId;
export const HOSPITAL_B = "hospital-b" as MemberId;
export const COMMISSION = "commission" as MemberId;

/** What governs the chain unless a test says otherwise. */
export const PARAMETERS: Parameters = {
  maxValiditySeconds: 600,
  maxValidityBlocks: 100_000,
  maxBlockGapSeconds: 10,
  permitSeconds: 300,
  memberQuota: 1_000_000,
  maxTransactionBytes: 1_048_576,
  maxBlockBytes: 8_388_608,
  logEpochEntries: 1_048_576,
  election: SOLO_ELECTION,
  webauthn: { origins: ["https://localhost"], rpIdHash: new Uint8Array(32) },
};

const hpke = new Uint8Array(1216).fill(7);
const suiteKey = (name: string) => ({ suite: "ed25519" as const, key: keyOf(name).publicKey });

/** A genesis with these parameters changed. */
export function genesisWith(parameters: Partial<Parameters> = {}, time = 1_700_000_000): Genesis {
  const kinds = { commission: "commission", "hospital-a": "hospital", "hospital-b": "hospital" } as const;
  return genesisSchema.parse({
    type: "xinglin-genesis/1",
    name: "test",
    time,
    parameters: { ...PARAMETERS, ...parameters },
    members: Object.entries(kinds).map(([id, kind]) => ({
      id,
      member: { kind, name: { zh: id, en: id }, status: "active", hpke },
      key: suiteKey(id),
    })),
    custodians: [{ id: "custodian-a", member: "hospital-a", key: suiteKey("custodian-a"), hpke }],
    validators: [{ publicKey: keyOf("validator").publicKey, power: 10, member: "commission" }],
    matrix: CATEGORIES.flatMap((category) =>
      LEVELS.map((level) => ({ category, level, basis: level === "public" ? "free" : "consent" })),
    ),
  });
}
export const genesisBytes = (parameters: Partial<Parameters> = {}): Bytes => encodeGenesis(genesisWith(parameters));

/** The key of the only validator. */
export const VALIDATOR = { publicKey: keyOf("validator").publicKey, sign: (bytes: Bytes) => keyOf("validator").signSync(bytes) };

/** What a transaction is made of; what is left out is as it should be. */
export interface Draft {
  readonly chain: string;
  readonly operations: readonly Operation[];
  /** Name of the key, which is also the actor unless `actor` says otherwise. */
  readonly key: string;
  readonly actor?: string;
  readonly sponsor?: string;
  readonly notAfter?: { readonly time: number; readonly height: number };
  readonly nonce?: Bytes;
}

/** A signed transaction. */
export function signed(draft: Draft): Bytes {
  const { chain, key, actor = key, sponsor = actor, operations, nonce = randomBytes(16) } = draft;
  const notAfter = draft.notAfter ?? { time: Math.floor(Date.now() / 1000) + 300, height: 90_000 };
  const signer = keyOf(key);
  const body = encodeBody({
    type: "xinglin-transaction/1",
    chain,
    signer: { actor, key: keyId("ed25519", signer.publicKey), suite: "ed25519" },
    sponsor,
    notAfter,
    nonce: new Uint8Array(nonce),
    operations,
  } as unknown as TransactionBody);
  return encodeTransaction(body, signer.signSync(body));
}

/** A batch of records whose root follows from a name: anchored by a member's administration. */
export const anchor = (name: string, count = 1): Operation => ({
  op: "anchorBatch",
  root: createHash("sha256").update(name).digest(),
  count,
});

export { chainIdOf };
