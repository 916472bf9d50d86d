/**
 * A reader that believes only what the validators signed: it starts from the genesis, follows headers, and checks every value and absence
 * against them. The patient's page and the reading hospital both use it. Source: requirements A2, A9; design.md, "Proofs".
 */
import {
  type Actor,
  type AuditEntry,
  actor,
  admittedCustodians,
  type Custodian,
  custodian,
  decodeAuditEntry,
  keys,
  type Member,
  member,
} from "@xinglin/contracts";
import { type ActorId, type Bytes, cbor, Fault, type Infer, type MemberId, type Schema, schema } from "@xinglin/primitives";
import {
  type GenesisTrust,
  genesisTrust,
  LightWalker,
  readLogHead,
  type VerifiedHeader,
  verifyLogEntry,
  verifyState,
} from "@xinglin/verifier";
import { type ApiClient, type StateProof, stateProof } from "./api-client.ts";
import type { Identity } from "./identity.ts";
import { ApiLightSource } from "./light-source.ts";

const MAX_PROOF_BYTES = 4_194_304;

/** What the API answers for one entry: the entry, its path, and the proof of the log's head in the state. */
const entryProof = schema.object({
  sequence: schema.uint(),
  entry: schema.bytes(1, 65_536),
  epoch: schema.uint(),
  index: schema.uint(),
  size: schema.optional(schema.uint()),
  path: schema.list(schema.bytes(32), 53),
  head: stateProof,
});
export type EntryProof = Infer<typeof entryProof>;

/** An audit entry, the size of the log that holds it, and what proves it. */
export interface ProvenEntry {
  readonly entry: AuditEntry;
  readonly size: number;
  readonly proof: EntryProof;
}

export class TrustedChain {
  readonly #client: ApiClient;
  readonly #light: LightWalker;
  readonly #trust: GenesisTrust;

  private constructor(client: ApiClient, trust: GenesisTrust) {
    this.#client = client;
    this.#trust = trust;
    this.#light = new LightWalker(trust, new ApiLightSource(client));
  }

  get chainId(): string {
    return this.#trust.chainId;
  }

  /**
   * Starts from the server's genesis document. Its hash is in the chain id; pass `expectedChainId`, learnt elsewhere (an enrolment link, a
   * letter), so that a server with another genesis is found out: `wrong_chain`.
   */
  static async of(client: ApiClient, expectedChainId?: string): Promise<TrustedChain> {
    const trust = genesisTrust((await client.genesis()).bytes);
    if (expectedChainId !== undefined && expectedChainId !== trust.chainId)
      throw new Fault("wrong_chain", { chain: trust.chainId });
    return new TrustedChain(client, trust);
  }

  /** The proven value (or proven absence) of a key. Throws `Fault("proof_wrong")` if it is not what the validators signed. */
  async prove(identity: Identity, key: string, height?: number): Promise<StateProof> {
    const proof = await this.#client.prove(identity, key, height);
    if (height !== undefined && proof.height !== height) throw new Fault("proof_wrong", { key });
    await this.check(proof, key);
    return proof;
  }

  /** A member as the chain holds it. What is sealed to its `hpke` is for nobody else. Throws `unknown_member`, `proof_wrong`. */
  async member(identity: Identity, id: MemberId): Promise<Member> {
    const found = await this.#entry(identity, keys.member(id), member);
    if (found === undefined) throw new Fault("unknown_member", { member: id });
    return found;
  }

  /** A custodian as the chain holds it, with the key to which shares are sealed. Throws `not_a_custodian`, `proof_wrong`. */
  async custodian(identity: Identity, id: ActorId): Promise<Custodian> {
    const found = await this.#entry(identity, keys.custodian(id), custodian);
    if (found === undefined) throw new Fault("not_a_custodian", { custodian: id });
    return found;
  }

  /** Ids of all custodians, those of the genesis and those that the committee admitted since, whether retired or not. Throws `proof_wrong`. */
  async custodians(identity: Identity): Promise<readonly ActorId[]> {
    const { genesis } = await this.#client.genesis();
    const admitted = await this.#entry(identity, keys.admittedCustodians, admittedCustodians);
    return [...genesis.custodians.map(({ id }) => id), ...(admitted ?? [])];
  }

  /** Who signs under an id, with the history of keys. Throws `unknown_signer`, `proof_wrong`. */
  async actor(identity: Identity, id: ActorId): Promise<Actor> {
    const found = await this.#entry(identity, keys.actor(id), actor);
    if (found === undefined) throw new Fault("unknown_signer", { actor: id });
    return found;
  }

  async #entry<T>(identity: Identity, key: string, shape: Schema<T>): Promise<T | undefined> {
    const { value } = await this.prove(identity, key);
    return value === undefined ? undefined : shape.parse(cbor.decode(value, MAX_PROOF_BYTES));
  }

  /** An entry of the audit log, shown to stand in it. `size` is how many entries its epoch has. */
  async proveEntry(identity: Identity, sequence: number): Promise<ProvenEntry> {
    const proof = entryProof.parse(
      cbor.decode(await this.#client.getBytes(`/v1/entries/${sequence}/proof`, identity), MAX_PROOF_BYTES),
    );
    const { entry, epoch, index, path, head } = proof;
    await this.check(head, head.key);
    if (head.value === undefined) throw new Fault("proof_wrong", { key: head.key });
    const log = readLogHead(head.key, epoch, head.value);
    if (log.first + index !== sequence || !verifyLogEntry(entry, index, log.size, path, log.root))
      throw new Fault("proof_wrong", { key: head.key });
    return { entry: decodeAuditEntry(entry), size: log.size, proof };
  }

  /** Checks a proof that came by any way. */
  async check(proof: StateProof, key: string): Promise<void> {
    const header = await this.header(proof.lightBlock);
    const { value } = proof;
    const right = header.height === proof.height + 1 && proof.key === key;
    if (!right || !verifyState(header, { key, ...(value === undefined ? {} : { value }), proof: proof.proof }))
      throw new Fault("proof_wrong", { key });
  }

  /** The header of a light block of any height, verified from the nearest one that was; blocks in between are fetched where needed. */
  header(lightBlock: Bytes): Promise<VerifiedHeader> {
    return this.#light.header(lightBlock);
  }
}
