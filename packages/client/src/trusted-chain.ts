/**
 * A reader that believes only what the validators signed: it starts from the genesis, follows headers, and checks every value and absence
 * against them. The patient's page and the reading hospital both use it. Source: requirements A2, A9; design.md, "Proofs".
 */
import { type Bytes, Fault } from "@xinglin/primitives";
import { type GenesisTrust, genesisTrust, LightClient, type VerifiedHeader, verifyState } from "@xinglin/verifier";
import type { ApiClient, StateProof } from "./api-client.ts";
import type { Identity } from "./identity.ts";

export class TrustedChain {
  readonly #client: ApiClient;
  readonly #light: LightClient;
  readonly #trust: GenesisTrust;

  private constructor(client: ApiClient, trust: GenesisTrust) {
    this.#client = client;
    this.#trust = trust;
    this.#light = new LightClient(trust);
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
    await this.check(proof, key);
    return proof;
  }

  /** Checks a proof that came by any way. */
  async check(proof: StateProof, key: string): Promise<void> {
    const header = await this.header(proof.lightBlock);
    const { value } = proof;
    const right = header.height === proof.height + 1 && proof.key === key;
    if (!right || !verifyState(header, { key, ...(value === undefined ? {} : { value }), proof: proof.proof }))
      throw new Fault("proof_wrong", { key });
  }

  /** The header of a light block, verified. An older one than the newest is checked from the genesis on. */
  async header(lightBlock: Bytes): Promise<VerifiedHeader> {
    try {
      return await this.#light.advance(lightBlock);
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== "header_not_newer") throw error;
      return new LightClient(this.#trust).advance(lightBlock);
    }
  }
}
