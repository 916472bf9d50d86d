/**
 * Whole blocks: their bytes, the parts these are cut into, and the block id that commits vote for.
 * Source: CometBFT v0.40 `types/block.go` (ToProto, MakePartSet), `types/part_set.go`.
 */
import { type Bytes, concat } from "@xinglin/primitives";
import { leafHash, type Tree, treeOfHashes } from "../merkle.ts";
import { messageField } from "../protobuf.ts";
import { type Sha256, sha256 } from "../sha256.ts";
import { encodeCommit, encodeHeader } from "./encode.ts";
import { headerHash } from "./hash.ts";
import { type BlockId, type Commit, type Header, NO_BLOCK, type PartSetHeader } from "./types.ts";

/** Bytes of every part but the last. */
export const PART_BYTES = 65_536;

/** The empty commit that the first block carries. */
export const NO_COMMIT: Commit = { height: 0, round: 0, blockId: NO_BLOCK, signatures: [] };

/** A block without evidence of misbehaviour. The first block's `lastCommit` is `NO_COMMIT`. */
export interface Block {
  readonly header: Header;
  readonly txs: readonly Bytes[];
  readonly lastCommit: Commit;
}

/** Protobuf bytes of `tendermint.types.Block`. Each transaction is copied once. */
export const encodeBlock = (block: Block): Bytes => {
  const data = concat(...block.txs.map((tx) => messageField(1, tx)));
  const noEvidence = new Uint8Array(0);
  return concat(
    messageField(1, encodeHeader(block.header)),
    messageField(2, data),
    messageField(3, noEvidence),
    messageField(4, encodeCommit(block.lastCommit)),
  );
};

/** The parts of a block's bytes. `tree.path(i)` proves part i under `header.hash`. */
export interface PartSet {
  readonly header: PartSetHeader;
  readonly parts: readonly Bytes[];
  readonly tree: Tree;
}

/** Cuts a block's bytes into parts of `PART_BYTES`; the parts are views, not copies. */
export function makePartSet(blockBytes: Bytes, hash: Sha256 = sha256): PartSet {
  const parts: Bytes[] = [];
  for (let at = 0; at < blockBytes.length; at += PART_BYTES) parts.push(blockBytes.subarray(at, at + PART_BYTES));
  const tree = treeOfHashes(
    parts.map((part) => leafHash(part, hash)),
    hash,
  );
  return { header: { total: parts.length, hash: tree.root }, parts, tree };
}

/** The id of a block: the hash of its header and of the parts of its bytes. */
export const blockId = (header: Header, blockBytes: Bytes, hash: Sha256 = sha256): BlockId => ({
  hash: headerHash(header),
  partSetHeader: makePartSet(blockBytes, hash).header,
});
