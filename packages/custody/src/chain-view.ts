/**
 * What a custodian lets itself be told about the chain: only what a fresh header, signed by the validators that it follows from the genesis,
 * proves. Source: design.md, "Proofs", "Time", "Consent, access, custody" (Release).
 */
import { setTimeout } from "node:timers/promises";
import { decodeGenesis, type Genesis } from "@xinglin/contracts";
import { type Curves, verifyVoteWith } from "@xinglin/crypto";
import { type Bytes, cbor, Fault, type Schema, type UnixSeconds } from "@xinglin/primitives";
import { genesisTrust, type LightBlockSource, LightWalker, type VerifiedHeader, verifyState } from "@xinglin/verifier";
import type { ProvenState } from "./contract.ts";

/** A header may be this far ahead of the custodian's own clock. */
const MAX_CLOCK_SKEW_SECONDS = 5;

/** How often, and after how long each time, a custodian looks again whether its own node knows the state that it was shown. */
const NODE_BEHIND_TIMES = 8;
const NODE_BEHIND_MS = 250;

/** State at one height, as far as the proofs that came with it reach. */
export interface ChainView {
  readonly height: number;
  /** Block time of the header that proves it. */
  readonly time: UnixSeconds;
  /** The proven value; `undefined` if proven absent. Throws `Fault("proof_missing")` for a key without proof. */
  read<T>(key: string, shape: Schema<T>): T | undefined;
}

/** What a custodian holds true before anyone tells it anything: the genesis, its own clock, and how signatures are checked. */
export interface ChainTrust {
  readonly genesis: Bytes;
  /** Checks signatures: those of `@xinglin/crypto/node` in a custodian's process. */
  readonly curves: Curves;
  /** The custodian's own clock. */
  readonly now: () => UnixSeconds;
  /**
   * Asks the custodian's own node for the same keys at its newest height. The answer is verified like the caller's; with it a custodian decides
   * on the newest state even while blocks are made faster than a caller can prove. Without it, a proof older than the newest header seen is refused.
   */
  readonly newest?: (keys: readonly string[]) => Promise<ProvenState>;
  /** The custodian's own node, for the light blocks at which the validators changed. Without it, a chain whose validators all changed can't be followed. */
  readonly lightBlocks?: LightBlockSource;
}

/** Follows one chain by its headers alone, and believes of the state only what they prove. */
export class ChainFollower {
  readonly chain: string;
  readonly genesis: Genesis;
  readonly #light: LightWalker;
  readonly #trust: ChainTrust;

  constructor(trust: ChainTrust) {
    this.#trust = trust;
    this.genesis = decodeGenesis(trust.genesis);
    this.#light = new LightWalker(genesisTrust(trust.genesis), trust.lightBlocks, verifyVoteWith(trust.curves));
    this.chain = this.#light.chainId;
  }

  /**
   * Verifies header and proofs, then the same keys at the newest height. Refuses with `wrong_chain`, `header_unverified`, `header_stale`,
   * `header_superseded`, `proof_wrong`, `ledger_unavailable`.
   */
  async view(chain: string, state: ProvenState): Promise<ChainView> {
    if (chain !== this.chain) throw new Fault("wrong_chain", { chain });
    const { newest } = this.#trust;
    // A proof below the newest header seen could hide a revocation, unless the newest state is looked at as well.
    const newestSeen = this.#light.height;
    if (newest === undefined) return this.#verify(state, newestSeen);
    const asked = await this.#verify(state, 0);
    const keys = state.proofs.map(({ key }) => key);
    // The custodian's own node may be a block behind the one that was asked: what it does not know yet is not missing.
    let newer = await this.#newest(newest, keys);
    for (let times = 0; newer.height < state.height && times < NODE_BEHIND_TIMES; times++) {
      await setTimeout(NODE_BEHIND_MS);
      newer = await this.#newest(newest, keys);
    }
    return this.#verify(newer, Math.max(newestSeen, asked.height + 1));
  }

  async #newest(newest: NonNullable<ChainTrust["newest"]>, keys: readonly string[]): Promise<ProvenState> {
    return newest(keys).catch((cause: unknown) => {
      throw new Fault("ledger_unavailable", {}, { cause, retry: true });
    });
  }

  async #verify(state: ProvenState, floor: number): Promise<ChainView> {
    const header = await this.#header(state.lightBlock);
    if (header.height < floor) throw new Fault("header_superseded", { height: header.height, newest: floor }, { retry: true });
    if (header.height !== state.height + 1) throw new Fault("proof_wrong", { height: state.height, header: header.height });
    this.#requireFresh(header);
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

  async #header(lightBlock: Bytes): Promise<VerifiedHeader> {
    try {
      return await this.#light.header(lightBlock);
    } catch (cause) {
      if (cause instanceof Fault && cause.retry) throw new Fault("ledger_unavailable", {}, { cause, retry: true });
      throw new Fault("header_unverified", { reason: cause instanceof Fault ? cause.code : "unreadable" }, { cause });
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
}
