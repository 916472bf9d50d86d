/**
 * Follows a chain by headers and commits alone, from validators or a header that the caller trusts. It believes a header only if more than
 * two thirds of the voting power of its validators signed it, and these validators only if the chain itself named them.
 * Source: CometBFT v0.40 `light/verifier.go`, `types/validation.go`; design.md, "Proofs".
 */
import { verifyVote } from "@xinglin/crypto";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import { type VerifySignature, verifyCommit } from "./commit.ts";
import {
  type Anchor,
  anchorOf,
  genesisAnchor,
  requireHeader,
  requireOwnValidators,
  type StepRules,
  verifyStep,
} from "./light-step.ts";

declare const verified: unique symbol;

/** A header that a `LightClient` verified; nothing else makes one. */
export type VerifiedHeader = cometbft.Header & { readonly [verified]: true };

/** Where trust begins: the validators of the genesis, or the hash of one header, learnt from a place that the caller trusts. */
export type Trust =
  | {
      readonly chainId: string;
      readonly validators: readonly cometbft.Validator[];
      /** Of the genesis, in seconds UTC: trust in it ends with the trusting period, too. */
      readonly time?: number | undefined;
    }
  | { readonly chainId: string; readonly height: number; readonly headerHash: Bytes };

/** How a client follows changes of the validators, and for how long it trusts. */
export interface LightClientOptions {
  /**
   * Whether a jump over changes of the validators is enough when validators with more than a third of the trusted power signed
   * (CometBFT's skipping verification). Without it, every header at which they change must be shown. Default: true.
   */
  readonly skipping?: boolean;
  /** A trusted header older than this is no longer built on, if `advance` is given the time. Default: trust does not end. */
  readonly trustingPeriodSeconds?: number;
  /** How far ahead of the caller's clock a header may be. Default: `MAX_CLOCK_DRIFT_SECONDS`. */
  readonly clockDriftSeconds?: number;
}

/** Holds the newest verified header of one chain and moves on from there, never back. */
export class LightClient {
  readonly chainId: string;
  readonly #rules: StepRules;
  #trusted: Anchor | undefined;
  readonly #checkpoint: { readonly height: number; readonly headerHash: Bytes } | undefined;

  /** `verify` checks signatures of validators, of both types of key; without one, the portable implementation does. Throws `Fault("malformed")` on a set that is none. */
  constructor(trust: Trust, verify: VerifySignature = verifyVote, options: LightClientOptions = {}) {
    this.chainId = trust.chainId;
    const { skipping = true, trustingPeriodSeconds, clockDriftSeconds } = options;
    this.#rules = { verify, jumps: skipping ? "both" : "named", trustingPeriodSeconds, clockDriftSeconds };
    if ("validators" in trust) this.#trusted = genesisAnchor(trust);
    else this.#checkpoint = { height: trust.height, headerHash: trust.headerHash };
  }

  /** Height of the newest verified header; 0 before the first. */
  get height(): number {
    return this.#trusted?.height ?? 0;
  }

  /**
   * Verifies a light block (or its bytes) and moves on to it. The block at the trusted height is answered again; from a checkpoint the first
   * block must be the checkpoint itself. `now`, in seconds UTC, refuses headers of the future and trust that is over.
   *
   * Throws `Fault`: `checkpoint_differs` and those of `verifyStep`.
   */
  async advance(lightBlock: Bytes | cometbft.LightBlock, now?: number): Promise<VerifiedHeader> {
    const block = lightBlock instanceof Uint8Array ? cometbft.decodeLightBlock(lightBlock) : lightBlock;
    const { header } = block;
    const hash = cometbft.headerHash(header);
    const rules = { ...this.#rules, now };
    requireHeader(header, this.chainId, rules);
    const trusted = this.#trusted;
    if (trusted?.hash !== undefined && header.height === trusted.height && equal(hash, trusted.hash))
      return header as VerifiedHeader;
    if (trusted === undefined) {
      this.#requireCheckpoint(header.height, hash);
      requireOwnValidators(block);
      await verifyCommit(block, hash, rules.verify);
    } else await verifyStep(trusted, block, rules);
    this.#moveTo(anchorOf(block));
    return header as VerifiedHeader;
  }

  #requireCheckpoint(height: number, hash: Bytes): void {
    const checkpoint = this.#checkpoint;
    if (checkpoint !== undefined && height === checkpoint.height && equal(hash, checkpoint.headerHash)) return;
    throw new Fault("checkpoint_differs", { height, expected: checkpoint?.height ?? 0 });
  }

  // Another call may have moved on while signatures were being verified: what both verified stands, but never goes back or apart.
  #moveTo(anchor: Anchor): void {
    const { height, hash } = anchor;
    const newest = this.#trusted;
    if (newest?.hash !== undefined && newest.height === height && !equal(newest.hash, hash as Bytes))
      throw new Fault("header_conflict", { height });
    if (newest !== undefined && newest.height > height) return;
    this.#trusted = anchor;
  }
}
