/**
 * The light blocks and blocks of the chain in our own database, so that they stay when CometBFT has pruned its own: fetched from its RPC as each block
 * is decided, and checked by their hashes before they are kept.
 * Source: CometBFT v0.40 `rpc/core/blocks.go`, `consensus/state.go` (finalizeCommit saves the block before it is executed); design.md, "Proofs".
 */
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type BlockStore, storageKeys } from "@xinglin/ledger";
import { type Bytes, cbor, equal, Fault, schema } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import { blockOf, signedHeaderOf, statusOf, validatorsOf } from "../rpc/decode-json.ts";
import type { RpcClient } from "../rpc/rpc-client.ts";
import { votesOf } from "./clock-watch.ts";

const PAGE = 100;
const tipShape = schema.object({ height: schema.uint() });

/** A block that was fetched and checked, ready to be kept. */
export interface Fetched {
  readonly height: number;
  readonly time: cometbft.Time;
  readonly lightBlock: Bytes;
  /** When the validators voted for it. */
  readonly votes: readonly cometbft.Time[];
  readonly rows: readonly BatchOperation[];
}

export class LightBlocks {
  readonly #chainId: string;
  readonly #store: BlockStore;
  readonly #rpc: RpcClient;
  #tip: number;
  #validators: readonly cometbft.Validator[] = [];
  #validatorsHash: Bytes = new Uint8Array(0);

  constructor(chainId: string, store: BlockStore, rpc: RpcClient) {
    this.#chainId = chainId;
    this.#store = store;
    this.#rpc = rpc;
    const bytes = store.read(storageKeys.lightTip);
    this.#tip = bytes === undefined ? 0 : tipShape.parse(cbor.decodeTrusted(bytes)).height;
  }

  /** The newest height that is kept; 0 before the first. */
  get tip(): number {
    return this.#tip;
  }
  /** Validators of the block that was fetched last. */
  get validators(): readonly cometbft.Validator[] {
    return this.#validators;
  }

  lightBlock(height: number): Bytes | undefined {
    return height <= this.#tip ? this.#store.read(storageKeys.lightBlock(height)) : undefined;
  }
  block(height: number): Bytes | undefined {
    return height <= this.#tip ? this.#store.read(storageKeys.block(height)) : undefined;
  }

  /** The height to fetch next: the one after the newest, or the oldest that the engine still has. */
  async next(): Promise<number> {
    const { earliestHeight } = statusOf(await this.#rpc.call("status"));
    return Math.max(this.#tip + 1, earliestHeight);
  }

  /**
   * Fetches a block that was decided; `txs` are its transactions, if they are at hand. Rejects with `Fault`: `engine_unreachable`, and `malformed`
   * when the answer contradicts itself.
   */
  async fetch(height: number, txs?: readonly Bytes[]): Promise<Fetched> {
    const { header, commit } = signedHeaderOf(await this.#rpc.call("commit", { height }));
    const isIt = header.height === height && header.chainId === this.#chainId;
    if (!isIt || commit.height !== height || !equal(cometbft.headerHash(header), commit.blockId.hash))
      throw contradiction("commit");
    const validators = await this.#validatorsOf(header);
    const lightBlock = cometbft.encodeLightBlock({ header, commit, validators });
    const block = await this.#blockBytes(header, commit.blockId, txs);
    const rows: BatchOperation[] = [
      { type: "put", key: storageKeys.lightBlock(height), value: lightBlock },
      { type: "put", key: storageKeys.lightTip, value: cbor.encode({ height }) },
    ];
    if (block !== undefined) rows.push({ type: "put", key: storageKeys.block(height), value: block });
    return { height, time: header.time, lightBlock, votes: votesOf(commit), rows };
  }

  /** The transactions of a block that CometBFT has. Rejects with `Fault("engine_unreachable")`. */
  async transactions(height: number): Promise<readonly Bytes[]> {
    return blockOf(await this.#rpc.call("block", { height })).txs;
  }

  /** The rows of `fetched` are on disk. */
  adopt({ height }: Fetched): void {
    this.#tip = height;
  }

  async #validatorsOf({ height, validatorsHash }: cometbft.Header): Promise<readonly cometbft.Validator[]> {
    if (equal(validatorsHash, this.#validatorsHash)) return this.#validators;
    const all: cometbft.Validator[] = [];
    for (let page = 1; ; page++) {
      const { validators, total } = validatorsOf(await this.#rpc.call("validators", { height, page, per_page: PAGE }));
      all.push(...validators);
      if (all.length >= total || validators.length === 0) break;
    }
    const sorted = cometbft.sortValidators(all);
    if (!equal(cometbft.validatorsHash(sorted), validatorsHash)) throw contradiction("validators");
    this.#validators = sorted;
    this.#validatorsHash = validatorsHash;
    return sorted;
  }

  /** The block's own bytes, put together from what is at hand; the block id says whether they are the ones that were voted for. */
  async #blockBytes(header: cometbft.Header, id: cometbft.BlockId, txs?: readonly Bytes[]): Promise<Bytes | undefined> {
    if (txs !== undefined) {
      const lastCommit = this.#commitSeen(header) ?? (await this.#commitCarried(header));
      const bytes = lastCommit === undefined ? undefined : cometbft.encodeBlock({ header, txs, lastCommit });
      if (bytes !== undefined && isBlock(header, bytes, id)) return bytes;
    }
    const whole = blockOf(await this.#rpc.call("block", { height: header.height }));
    const bytes = cometbft.encodeBlock({ header, ...whole });
    // Evidence of misbehaviour is not put together again: such a block, a rare one, is left to CometBFT.
    return isBlock(header, bytes, id) ? bytes : undefined;
  }

  /** The commit that this block carries, if it is the one we saw: the proposer may have waited for more votes. */
  #commitSeen({ height, lastCommitHash }: cometbft.Header): cometbft.Commit | undefined {
    const bytes = this.lightBlock(height - 1);
    const commit = bytes === undefined ? cometbft.NO_COMMIT : cometbft.decodeLightBlock(bytes).commit;
    return equal(cometbft.commitHash(commit), lastCommitHash) ? commit : undefined;
  }

  /** The same from CometBFT, which has it once the block is saved; undefined where it has not the block before. */
  async #commitCarried({ height }: cometbft.Header): Promise<cometbft.Commit | undefined> {
    try {
      return signedHeaderOf(await this.#rpc.call("commit", { height: height - 1 })).commit;
    } catch (error) {
      if (error instanceof Fault && error.facts.reason !== "no_answer") return undefined;
      throw error;
    }
  }
}

const contradiction = (element: string): Fault => new Fault("malformed", { element });

function isBlock(header: cometbft.Header, bytes: Bytes, id: cometbft.BlockId): boolean {
  const { hash, partSetHeader } = cometbft.blockId(header, bytes, nodeSha256);
  return (
    equal(hash, id.hash) && partSetHeader.total === id.partSetHeader.total && equal(partSetHeader.hash, id.partSetHeader.hash)
  );
}
