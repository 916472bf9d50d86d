/**
 * Verifies light blocks of any height, in any order, from one trust: each from the nearest verified block below it, with blocks in between
 * where the validators changed too much for one step. For readers who are shown single proofs of many heights.
 * Source: requirement A2; CometBFT v0.40 `light/client.go` (VerifyLightBlockAtHeight).
 */
import { verifyVote } from "@xinglin/crypto";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault } from "@xinglin/primitives";
import type { VerifySignature } from "./commit.ts";
import { bisect } from "./light-bisection.ts";
import type { VerifiedHeader } from "./light-client.ts";
import type { LightBlockSource } from "./light-source.ts";
import { type Anchor, anchorOf, genesisAnchor, requireHeader, type StepRules } from "./light-step.ts";

/** Verified blocks that are remembered; the oldest but the first leaves. */
const MAX_KEPT = 64;

/** For callers without a node to ask: whatever lies in between is not to be had. */
const NOWHERE: LightBlockSource = {
  name: "",
  lightBlock: async (height) => {
    throw new Fault("validators_unproven", { height: Number(height) });
  },
};

/** Verifies headers of one chain. */
export class LightWalker {
  readonly chainId: string;
  readonly #source: LightBlockSource;
  readonly #rules: StepRules;
  /** In rising order; the first is where trust begins. */
  #anchors: readonly Anchor[];

  /** Without a `source`, a header over more than one change of the validators is `validators_unproven`. */
  constructor(
    trust: { readonly chainId: string; readonly validators: readonly cometbft.Validator[] },
    source: LightBlockSource = NOWHERE,
    verify: VerifySignature = verifyVote,
  ) {
    this.chainId = trust.chainId;
    this.#source = source;
    this.#rules = { verify, jumps: "both" };
    // Genesis time does not count here: whoever needs trust to end uses a `LightFollower`.
    this.#anchors = [genesisAnchor(trust)];
  }

  /** Height of the highest verified header; 0 before the first. */
  get height(): number {
    return this.#anchors.at(-1)?.height ?? 0;
  }

  /** The header of a light block, verified. Throws the faults of `verifyStep` and those of the source. */
  async header(lightBlock: Bytes): Promise<VerifiedHeader> {
    const block = cometbft.decodeLightBlock(lightBlock);
    const { header } = block;
    requireHeader(header, this.chainId, this.#rules);
    const nearest = this.#anchors.findLast(({ height }) => height <= header.height) as Anchor;
    if (nearest.height === header.height) {
      if (nearest.hash === undefined || !equal(nearest.hash, cometbft.headerHash(header)))
        throw new Fault("header_conflict", { height: header.height });
      return header as VerifiedHeader;
    }
    for (const verified of await bisect(nearest, block, this.#source, this.#rules)) this.#keep(anchorOf(verified));
    return header as VerifiedHeader;
  }

  // Another call may have verified the same height meanwhile: two histories must not both pass.
  #keep(anchor: Anchor): void {
    const known = this.#anchors.find(({ height }) => height === anchor.height);
    if (known !== undefined) {
      if (!equal(known.hash as Bytes, anchor.hash as Bytes)) throw new Fault("header_conflict", { height: anchor.height });
      return;
    }
    const sorted = [...this.#anchors, anchor].sort((a, b) => a.height - b.height);
    this.#anchors = sorted.length > MAX_KEPT ? sorted.toSpliced(1, 1) : sorted;
  }
}
