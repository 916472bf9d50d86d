/**
 * What a custodian lets itself be told about the chain: only what a fresh header, signed by the validators that it follows from the genesis,
 * proves. Source: design.md, "Proofs", "Time", "Consent, access, custody" (Release).
 */
import { decodeGenesis, type Genesis } from "@xinglin/contracts";
import type { Curves } from "@xinglin/crypto";
import { type Bytes, cbor, Fault, type Schema, type UnixSeconds } from "@xinglin/primitives";
import { genesisTrust, LightClient, type VerifiedHeader, verifyState } from "@xinglin/verifier";
import type { ProvenState } from "./contract.ts";

/** A header may be this far ahead of the custodian's own clock. */
const MAX_CLOCK_SKEW_SECONDS = 5;

/** State at one height, as far as the proofs that came with it reach. */
export interface ChainView {
  readonly height: number;
  /** Block time of the header that proves it. */
  readonly time: UnixSeconds;
  /** The proven value; `undefined` if proven absent. Throws `Fault("proof_missing")` for a key without proof. */
  read<T>(key: string, shape: Schema<T>): T | undefined;
}

export interface ChainTrust {
  readonly genesis: Bytes;
  /** Checks signatures: those of `@xinglin/crypto/node` in a custodian's process. */
  readonly curves: Curves;
  /** The custodian's own clock. */
  readonly now: () => UnixSeconds;
  /** The newest light block that the custodian's own node knows; a proof that is older is refused. */
  readonly newest?: () => Promise<Bytes>;
}

export class ChainFollower {
  readonly chain: string;
  readonly genesis: Genesis;
  readonly #client: LightClient;
  readonly #trust: ChainTrust;
  #newestHeight = 0;

  constructor(trust: ChainTrust) {
    this.#trust = trust;
    this.genesis = decodeGenesis(trust.genesis);
    const start = genesisTrust(trust.genesis);
    this.chain = start.chainId;
    this.#client = new LightClient(start, trust.curves.ed25519);
  }

  /** Verifies header and proofs. Refuses with `wrong_chain`, `header_unverified`, `header_stale`, `header_superseded`, `proof_wrong`, `ledger_unavailable`. */
  async view(chain: string, state: ProvenState): Promise<ChainView> {
    if (chain !== this.chain) throw new Fault("wrong_chain", { chain });
    const header = await this.#advance(state.lightBlock);
    if (header.height !== state.height + 1) throw new Fault("proof_wrong", { height: state.height, header: header.height });
    this.#requireFresh(header);
    await this.#requireNewest(header);
    const proven = new Map<string, Bytes | undefined>();
    for (const { key, value, proof } of state.proofs) {
      if (!verifyState(header, { key, ...(value === undefined ? {} : { value }), proof }))
        throw new Fault("proof_wrong", { key });
      proven.set(key, value);
    }
    return {
      height: state.height,
      time: header.time.seconds as UnixSeconds,
      read(key, shape) {
        if (!proven.has(key)) throw new Fault("proof_missing", { key });
        const value = proven.get(key);
        return value === undefined ? undefined : shape.parse(cbor.decode(value, value.length));
      },
    };
  }

  async #advance(lightBlock: Bytes): Promise<VerifiedHeader> {
    try {
      return await this.#client.advance(lightBlock);
    } catch (cause) {
      const reason = cause instanceof Fault ? cause.code : "unreadable";
      if (reason === "header_not_newer")
        throw new Fault("header_superseded", { newest: this.#client.height }, { cause, retry: true });
      throw new Fault("header_unverified", { reason }, { cause });
    }
  }

  #requireFresh(header: VerifiedHeader): void {
    const age = this.#trust.now() - header.time.seconds;
    const { maxBlockGapSeconds } = this.genesis.parameters;
    if (age > maxBlockGapSeconds || age < -MAX_CLOCK_SKEW_SECONDS)
      throw new Fault(
        "header_stale",
        { height: header.height, ageSeconds: age, maxSeconds: maxBlockGapSeconds },
        { retry: true },
      );
  }

  /** A proof below the newest header seen could hide a revocation. */
  async #requireNewest(header: VerifiedHeader): Promise<void> {
    this.#newestHeight = Math.max(this.#newestHeight, header.height);
    if (this.#trust.newest !== undefined) {
      let newest: Bytes;
      try {
        newest = await this.#trust.newest();
      } catch (cause) {
        throw new Fault("ledger_unavailable", {}, { cause, retry: true });
      }
      this.#newestHeight = Math.max(this.#newestHeight, (await this.#advance(newest)).height);
    }
    if (header.height < this.#newestHeight)
      throw new Fault("header_superseded", { height: header.height, newest: this.#newestHeight }, { retry: true });
  }
}
