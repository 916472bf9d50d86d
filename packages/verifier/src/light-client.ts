/**
 * Follows a chain by headers and commits alone, from validators or a header that the caller trusts. It believes a header only if more than
 * two thirds of the voting power of its validators signed it, and these validators only if the chain itself named them.
 * Source: CometBFT v0.40 `light/verifier.go`, `types/validation.go`; design.md, "Proofs".
 */
import { verifyEd25519 } from "@xinglin/crypto";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import { powerThatSigned, type VerifySignature, verifyCommit } from "./commit.ts";

declare const verified: unique symbol;

/** A header that a `LightClient` verified; nothing else makes one. */
export type VerifiedHeader = cometbft.Header & { readonly [verified]: true };

/** Where trust begins: the validators of the genesis, or the hash of one header, learnt from a place that the caller trusts. */
export type Trust =
  | { readonly chainId: string; readonly validators: readonly cometbft.Validator[] }
  | { readonly chainId: string; readonly height: number; readonly headerHash: Bytes };

/** How a client follows changes of the validators. */
export interface LightClientOptions {
  /**
   * Whether a jump over changes of the validators is enough when validators with more than a third of the trusted power signed
   * (CometBFT's skipping verification). Without it, every header at which they change must be shown. Default: true.
   */
  readonly skipping?: boolean;
}

/** A header may be this far ahead of the clock that the caller gives. */
export const MAX_CLOCK_DRIFT_SECONDS = 10;

/** What is known of the newest header that was verified. `validators` are its own, `nextHash` names those of the next height. */
interface Trusted {
  readonly height: number;
  readonly hash: Bytes | undefined;
  readonly time: cometbft.Time | undefined;
  readonly validators: readonly cometbft.Validator[];
  readonly nextHash: Bytes;
}

/** Holds the newest verified header of one chain and moves on from there, never back. */
export class LightClient {
  readonly chainId: string;
  readonly #verify: VerifySignature;
  readonly #skipping: boolean;
  #trusted: Trusted | undefined;
  readonly #checkpoint: { readonly height: number; readonly headerHash: Bytes } | undefined;

  /** `verify` checks Ed25519 signatures; without one, the portable implementation does. Throws `Fault("malformed")` on a set that is none. */
  constructor(trust: Trust, verify: VerifySignature = verifyEd25519, options: LightClientOptions = {}) {
    this.chainId = trust.chainId;
    this.#verify = verify;
    this.#skipping = options.skipping ?? true;
    if ("validators" in trust) {
      const validators = cometbft.sortValidators(trust.validators);
      this.#trusted = { height: 0, hash: undefined, time: undefined, validators, nextHash: cometbft.validatorsHash(validators) };
    } else this.#checkpoint = { height: trust.height, headerHash: trust.headerHash };
  }

  /** Height of the newest verified header; 0 before the first. */
  get height(): number {
    return this.#trusted?.height ?? 0;
  }

  /**
   * Verifies a light block (or its bytes) and moves on to it. The block at the trusted height is answered again; from a checkpoint the first
   * block must be the checkpoint itself. `now`, in seconds UTC, refuses headers of the future.
   *
   * Throws `Fault`: `malformed`, `header_protocol`, `header_chain`, `header_not_newer`, `header_conflict`, `header_time`, `header_future`,
   * `header_validators`, `checkpoint_differs`, `validators_unproven`, and those of `verifyCommit`.
   */
  async advance(lightBlock: Bytes | cometbft.LightBlock, now?: number): Promise<VerifiedHeader> {
    const block = lightBlock instanceof Uint8Array ? cometbft.decodeLightBlock(lightBlock) : lightBlock;
    const { header, validators } = block;
    const hash = cometbft.headerHash(header);
    const { height } = header;
    if (header.version.block !== cometbft.BLOCK_PROTOCOL)
      throw new Fault("header_protocol", { height, version: header.version.block });
    if (header.chainId !== this.chainId)
      throw new Fault("header_chain", { height, chain: header.chainId, expected: this.chainId });
    if (now !== undefined && header.time.seconds > now + MAX_CLOCK_DRIFT_SECONDS)
      throw new Fault("header_future", { height, aheadSeconds: header.time.seconds - now }, { retry: true });
    const trusted = this.#trusted;
    if (trusted?.hash !== undefined && height === trusted.height && equal(hash, trusted.hash)) return header as VerifiedHeader;

    if (trusted === undefined) this.#requireCheckpoint(height, hash);
    else requireNewer(header, trusted);
    cometbft.checkValidators(validators);
    if (!equal(cometbft.validatorsHash(validators), header.validatorsHash)) throw new Fault("header_validators", { height });
    if (trusted !== undefined) this.#requireProven(block, trusted);
    await verifyCommit(block, hash, this.#verify);
    this.#moveTo(block, hash);
    return header as VerifiedHeader;
  }

  #requireCheckpoint(height: number, hash: Bytes): void {
    const checkpoint = this.#checkpoint;
    if (checkpoint !== undefined && height === checkpoint.height && equal(hash, checkpoint.headerHash)) return;
    throw new Fault("checkpoint_differs", { height, expected: checkpoint?.height ?? 0 });
  }

  /** The validators are those that the trusted header named for the next height, or overlap enough with the trusted ones. */
  #requireProven(block: cometbft.LightBlock, trusted: Trusted): void {
    const { header } = block;
    if (equal(header.validatorsHash, trusted.nextHash)) return;
    const facts = { height: header.height, trusted: trusted.height };
    if (!this.#skipping || header.height === trusted.height + 1) throw new Fault("validators_unproven", facts);
    const overlap = powerThatSigned(trusted.validators, block);
    const total = cometbft.totalPower(trusted.validators);
    if (3 * overlap <= total) throw new Fault("validators_unproven", { ...facts, overlap, total });
  }

  // Another call may have moved on while signatures were being verified: what both verified stands, but never goes back or apart.
  #moveTo({ header, validators }: cometbft.LightBlock, hash: Bytes): void {
    const { height, time } = header;
    const newest = this.#trusted;
    if (newest?.hash !== undefined && newest.height === height && !equal(newest.hash, hash))
      throw new Fault("header_conflict", { height });
    if (newest !== undefined && newest.height > height) return;
    this.#trusted = { height, hash, time, validators, nextHash: header.nextValidatorsHash };
  }
}

function requireNewer(header: cometbft.Header, trusted: Trusted): void {
  const { height, time } = header;
  if (height === trusted.height) throw new Fault("header_conflict", { height });
  if (height < trusted.height) throw new Fault("header_not_newer", { height, trusted: trusted.height });
  if (trusted.time !== undefined && !isLater(time, trusted.time))
    throw new Fault("header_time", { height, trusted: trusted.height });
}

const isLater = (a: cometbft.Time, b: cometbft.Time): boolean =>
  a.seconds > b.seconds || (a.seconds === b.seconds && a.nanos > b.nanos);
