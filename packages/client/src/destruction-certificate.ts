/**
 * The certificate of a record's end: one canonical DAG-CBOR value in which the institution signs what became of the pieces, store by store, with
 * the proofs that the chain holds of the record, its versions and the custodians' erasures. Anyone checks it offline, from the genesis alone.
 * It holds identifiers and nothing of the content.
 * Source: requirement D8; design.md, "Consent, access, custody" (Ending); docs/internals/archive.md, "The end of an object".
 */
import { type Actor, actor, erasure, keptObject, keys, type MedicalRecord, record as recordEntry } from "@xinglin/contracts";
import { type Curves, portableCurves, verifyWith } from "@xinglin/crypto";
import {
  type ActorId,
  type Bytes,
  cbor,
  equal,
  Fault,
  type Infer,
  type MemberId,
  type RecordId,
  type Schema,
  toHex,
} from "@xinglin/primitives";
import {
  type Assumption,
  type Claim,
  type EvidenceTrust,
  type Facts,
  type VerifySignature,
  verifyEvidence,
} from "@xinglin/verifier";
import type { ApiClient } from "./api-client.ts";
import {
  type DestroyedPixels,
  type DestroyedVersion,
  type DestructionStatement,
  destructionCertificate,
  destructionStatement,
  MAX_CERTIFICATE_BYTES,
  MAX_STATEMENT_BYTES,
} from "./destruction-statement.ts";
import { collectEvidence } from "./evidence.ts";
import { type Identity, signerReference } from "./identity.ts";

/** Of one version: what the chain proves of its key, and what the institution signed about its pieces. */
export interface CertifiedVersion extends DestroyedVersion {
  readonly custodians: number;
  readonly threshold: number;
  /** Custodians that signed that they erased their share, and the block that holds it. */
  readonly erased: readonly { readonly custodian: ActorId; readonly height: number }[];
  /** Fewer shares are left than restore the key. */
  readonly keyGone: boolean;
  /** Even if each store that was not asked held a pack of its own. */
  readonly undecodable: boolean;
}

/** Of pixels that no version relies on any more: the chain proves that they were dropped there, the institution signed the rest. */
export interface CertifiedPixels extends DestroyedPixels {
  readonly undecodable: boolean;
}

/** The verdict on a certificate. */
export type DestructionVerdict =
  | {
      readonly ok: true;
      readonly chainId: string;
      readonly record: RecordId;
      readonly source: MemberId;
      readonly by: ActorId;
      readonly at: number;
      readonly versions: readonly CertifiedVersion[];
      readonly pixels: readonly CertifiedPixels[];
      /** Objects with pixels of the record that stay for other versions. */
      readonly pixelsStay: number;
      readonly assumes: readonly Assumption[];
    }
  | { readonly ok: false; readonly code: string; readonly facts: Facts };

/** Signs what became of the pieces and adds the chain's proofs. Throws what the verdict would, `record_in_force` above all. */
export async function certifyDestruction(
  client: ApiClient,
  by: Identity,
  told: {
    readonly record: RecordId;
    readonly versions: readonly DestroyedVersion[];
    readonly pixels?: readonly DestroyedPixels[];
    readonly pixelsStay?: number;
    readonly custodians: readonly (readonly ActorId[])[];
  },
): Promise<Bytes> {
  const { record, versions, pixels = [], pixelsStay = 0, custodians } = told;
  const newest = Math.max(...versions.map((one) => one.version));
  const evidence = await collectEvidence(client, by, {
    keys: [
      keys.actor(by.actor),
      keys.record(record),
      ...versions.filter((one) => one.version < newest).map((one) => keys.recordVersion(record, one.version)),
      ...pixels.map(({ object }) => keys.object(by.member, toHex(object))),
      ...versions.flatMap((one, i) => (custodians[i] ?? []).map((custodian) => keys.erasure(record, one.version, custodian))),
    ],
    sequences: [],
  });
  const { chainId, time } = await client.tip();
  const signed = cbor.encode(
    destructionStatement.parse({
      type: "xinglin-destruction/1",
      chain: chainId,
      record,
      versions: [...versions],
      ...(pixels.length === 0 ? {} : { pixels: [...pixels] }),
      ...(pixelsStay === 0 ? {} : { pixelsStay }),
      by: signerReference(by),
      at: time,
    }),
  );
  return cbor.encode({ statement: signed, signature: await by.signer.sign(signed), evidence });
}

/**
 * Checks a certificate offline. Codes of a failure: those of `verifyEvidence`, `wrong_chain` (statement and evidence are of two chains),
 * `proof_missing` (the evidence lacks something), `record_in_force`, `object_in_force` (the chain keeps pixels that are said to be gone), `object_unknown` (another object than the version's), `signature_wrong`.
 */
export async function verifyDestruction(
  bytes: Bytes,
  trust: EvidenceTrust,
  { verify, curves = portableCurves }: { readonly verify?: VerifySignature; readonly curves?: Curves } = {},
): Promise<DestructionVerdict> {
  try {
    const parts = destructionCertificate.parse(cbor.decode(bytes, MAX_CERTIFICATE_BYTES));
    const told = destructionStatement.parse(cbor.decode(parts.statement, MAX_STATEMENT_BYTES));
    const evidence = await verifyEvidence(parts.evidence, trust, verify);
    if (!evidence.ok) return evidence;
    const { chainId, proves, assumes } = evidence;
    if (told.chain !== chainId) throw new Fault("wrong_chain", { chain: told.chain });
    const state = new ProvenEntries(proves);
    const newest = state.need(keys.record(told.record), recordEntry);
    if (newest.status !== "ending") throw new Fault("record_in_force", { record: told.record, version: newest.version });
    requireSigned(parts, told, state.need(keys.actor(told.by.actor), actor), newest.source, curves);
    requireEveryVersion(told, newest);
    const versions = told.versions.map((one) => certified(told.record, one, newest, state));
    const pixels = (told.pixels ?? []).map((one) => certifiedPixels(one, newest.source, state));
    const { record, pixelsStay = 0, at } = told;
    return { ok: true, chainId, record, source: newest.source, by: told.by.actor, at, versions, pixels, pixelsStay, assumes };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, code: error.code, facts: error.facts };
    throw error;
  }
}

/** What the evidence proves to stand, or not to stand, in the state. */
class ProvenEntries {
  readonly #values = new Map<string, Bytes | undefined>();

  constructor(claims: readonly Claim[]) {
    for (const claim of claims)
      if (claim.code !== "log_entry") this.#values.set(claim.key, claim.code === "state_held" ? claim.value : undefined);
  }

  /** Throws `proof_missing` for a key without proof. */
  find<T>(key: string, shape: Schema<T>): T | undefined {
    if (!this.#values.has(key)) throw new Fault("proof_missing", { key });
    const value = this.#values.get(key);
    return value === undefined ? undefined : shape.parse(cbor.decode(value, value.length));
  }

  need<T>(key: string, shape: Schema<T>): T {
    const found = this.find(key, shape);
    if (found === undefined) throw new Fault("proof_missing", { key });
    return found;
  }
}

/** The signer is of the institution that the record stems from, with a key that was in force where the evidence was taken. */
function requireSigned(
  { statement: signed, signature }: Infer<typeof destructionCertificate>,
  { by }: DestructionStatement,
  signer: Actor,
  source: MemberId,
  curves: Curves,
): void {
  const key = signer.keys.find(({ id, until }) => id === by.key && until === undefined);
  const isRight =
    signer.member === source &&
    by.suite !== "webauthn" &&
    key?.publicKey.suite === by.suite &&
    verifyWith(curves, by.suite, key.publicKey.key, signed, signature);
  if (!isRight) throw new Fault("signature_wrong", { actor: by.actor });
}

/** A certificate that leaves out a version says nothing: its key would still open the record. */
function requireEveryVersion({ record, versions }: DestructionStatement, newest: MedicalRecord): void {
  versions.forEach((one, i) => {
    if (one.version !== newest.version - i)
      throw new Fault("proof_missing", { key: keys.recordVersion(record, newest.version - i) });
  });
  if (versions.length !== newest.version)
    throw new Fault("proof_missing", { key: keys.recordVersion(record, newest.version - versions.length) });
}

function certified(id: RecordId, one: DestroyedVersion, newest: MedicalRecord, state: ProvenEntries): CertifiedVersion {
  const named = one.version === newest.version ? newest : state.need(keys.recordVersion(id, one.version), recordEntry);
  if (!equal(named.object.id, one.object)) throw new Fault("object_unknown", { record: id, version: one.version });
  const { custodians, threshold } = named.custody;
  const erased = custodians.flatMap((custodian) => {
    const found = state.find(keys.erasure(id, one.version, custodian), erasure);
    return found === undefined ? [] : [{ custodian, height: found.at.height }];
  });
  const { probe } = one;
  return {
    ...one,
    custodians: custodians.length,
    threshold,
    erased,
    keyGone: custodians.length - erased.length < threshold,
    undecodable: probe !== undefined && isUndecodable(probe),
  };
}

function certifiedPixels(one: DestroyedPixels, source: MemberId, state: ProvenEntries): CertifiedPixels {
  const object = toHex(one.object);
  if (state.need(keys.object(source, object), keptObject).status !== "dropped") throw new Fault("object_in_force", { object });
  return { ...one, undecodable: isUndecodable(one.probe) };
}

const isUndecodable = ({ packs, unseen, needed }: DestroyedPixels["probe"]): boolean => packs + unseen < needed;
