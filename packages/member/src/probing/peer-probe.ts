/**
 * One peer's node, probed as any client could ask it: whether it answers with a right and fresh light block, what space it states, and how fast
 * it sends light blocks that both have.
 * Source: requirement A8; docs/internals/validators.md, "Probes".
 */
import { randomBytes } from "node:crypto";
import { ApiClient, ApiLightSource } from "@xinglin/client";
import { verifyVoteWith } from "@xinglin/crypto";
import { nodeCurves } from "@xinglin/crypto/node";
import { boundedFetch, fetchBounded } from "@xinglin/gateway";
import type { Ledger } from "@xinglin/ledger";
import { type Bytes, cbor, equal, Fault, type MemberId, schema, toHex } from "@xinglin/primitives";
import { anchorOf, decodeLightBlock, headerHash, type LightBlock, verifyStep } from "@xinglin/verifier";
import { NONCE_BYTES, readStatement } from "./node-statement.ts";

/** A member's node and where its API is. */
export interface Peer {
  readonly member: MemberId;
  readonly url: string;
}

/** The prober's own chain: what it judges answers by. */
export type OwnChain = Pick<Ledger, "chainId" | "get" | "height" | "lightBlock" | "newestLightBlock">;

/** What probing a peer needs beside it. */
export interface PeerProbeOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** Milliseconds that only go forward. */
  readonly now: () => number;
  /** At least 0, less than 1. */
  readonly random: () => number;
  readonly fetch?: typeof fetch;
}

/** A light block of a hundred validators with keys of ML-DSA-65 is 550 kB. */
const MAX_ANSWER_BYTES = 1_048_576;
/** A newest block so much older than the prober's own is not fresh. */
const FRESH_SECONDS = 30;
/** A transfer takes blocks that a peer has which is a little behind, and that one which joined lately or forgets old ones has too. */
const BEHIND_BLOCKS = 10;
const RECENT_BLOCKS = 1_000;
/** As many as the API gives at once. */
const MAX_RANGE_BLOCKS = 256;
/** Blocks of an answer that are looked at. */
const SAMPLES = 8;
const LEAST_MS = 1;
const blocksShape = schema.list(schema.bytes(1, MAX_ANSWER_BYTES), MAX_RANGE_BLOCKS, 1);
const verifyVote = verifyVoteWith(nodeCurves);

export class PeerProbe {
  readonly peer: Peer;
  readonly #chain: OwnChain;
  readonly #options: PeerProbeOptions & { readonly fetch: typeof fetch };
  readonly #client: ApiClient;
  readonly #source: ApiLightSource;

  constructor(peer: Peer, chain: OwnChain, options: PeerProbeOptions) {
    this.peer = peer;
    this.#chain = chain;
    this.#options = { fetch: globalThis.fetch.bind(globalThis), ...options };
    const bounded = boundedFetch({ ...this.#options, maxBytes: MAX_ANSWER_BYTES });
    this.#client = new ApiClient({ url: peer.url, chainId: chain.chainId, fetch: bounded });
    this.#source = new ApiLightSource(this.#client);
  }

  /** Whether its newest light block came in time, verifies against this node's chain, and is fresh. Never rejects. */
  async answers(): Promise<boolean> {
    const own = decodeLightBlock(this.#chain.newestLightBlock());
    this.#source.learn(own);
    try {
      const block = await this.#source.lightBlock("newest");
      if (block.header.height > own.header.height) await verifyStep(anchorOf(own), block, { verify: verifyVote, jumps: "both" });
      else this.#requireOwn(block, block.header.height);
      return block.header.time.seconds >= own.header.time.seconds - FRESH_SECONDS;
    } catch {
      return false;
    }
  }

  /** The free megabytes that it states; undefined where it states none that is signed as it must be. Never rejects. */
  async freeMegabytes(): Promise<number | undefined> {
    const nonce = new Uint8Array(randomBytes(NONCE_BYTES));
    const { member } = this.peer;
    const { chainId: chain } = this.#chain;
    try {
      const signed = await this.#client.getBytes(`/v1/node/statement?nonce=${toHex(nonce)}`);
      return readStatement(signed, this.#chain, { member, chain, nonce });
    } catch {
      return undefined;
    }
  }

  /**
   * Kilobytes a second of at most `maxBytes` of light blocks, from the first byte of the answer on, so that a long way is not taken for a narrow one.
   * 0 where they do not come whole, right and in time; undefined while this node has too few blocks to ask for. Never rejects.
   */
  async transfer(maxBytes: number): Promise<number | undefined> {
    const range = this.#range(maxBytes);
    if (range === undefined) return undefined;
    const { from, count } = range;
    const { now } = this.#options;
    try {
      let began = 0;
      const bounds = { ...this.#options, maxBytes: MAX_ANSWER_BYTES };
      const url = `${this.peer.url}/v1/light-blocks?from=${from}&count=${count}`;
      const { answer, body } = await fetchBounded(bounds, url, { headers: { "accept-encoding": "identity" } }, () => {
        began = now();
      });
      const tookMs = Math.max(LEAST_MS, now() - began);
      if (!answer.ok) return 0;
      this.#requireRange(blocksShape.parse(cbor.decode(body, MAX_ANSWER_BYTES)), from, count);
      return Math.floor(body.length / tookMs);
    } catch {
      return 0;
    }
  }

  /** Heights to ask for: somewhere among the recent ones, as many as fill `maxBytes`. */
  #range(maxBytes: number): { readonly from: number; readonly count: number } | undefined {
    const newest = this.#chain.height() - BEHIND_BLOCKS;
    const size = this.#chain.newestLightBlock().length;
    const count = Math.min(newest, MAX_RANGE_BLOCKS, Math.max(1, Math.floor(maxBytes / size)));
    if (count < 1) return undefined;
    const last = newest - count + 1;
    const first = Math.max(1, newest - Math.max(count, RECENT_BLOCKS) + 1);
    const from = first + Math.floor(this.#options.random() * (last - first + 1));
    // A node that joined by a snapshot has no blocks from before it.
    return this.#chain.lightBlock(from) === undefined ? undefined : { from, count };
  }

  /** Blocks differ by the votes that each node saw, so there may be a few less in as many bytes. */
  #requireRange(blocks: readonly Bytes[], from: number, count: number): void {
    if (4 * blocks.length < 3 * count || blocks.length > count) throw new Fault("malformed", { element: "/blocks" });
    const sampled = Array.from({ length: SAMPLES }, () => Math.floor(this.#options.random() * blocks.length));
    for (const index of new Set([0, blocks.length - 1, ...sampled]))
      this.#requireOwn(decodeLightBlock(blocks[index] as Bytes), from + index);
  }

  #requireOwn({ header }: LightBlock, height: number): void {
    const own = this.#chain.lightBlock(height);
    if (header.height !== height || own === undefined || !equal(headerHash(header), headerHash(decodeLightBlock(own).header)))
      throw new Fault("header_conflict", { height });
  }
}
