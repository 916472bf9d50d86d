/**
 * What a snapshot says before its first chunk, and how it is checked: everything in it follows from the app hash, so a peer that lies is found
 * before anything is fetched from it.
 * Source: design.md, "Ledger" (State, Audit log); ICS-23.
 */
import { keys } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { append, EMPTY_FRONTIER, type Frontier, ics23 } from "@xinglin/crypto/pure";
import { type Bytes, cbor, equal, Fault, schema, utf8 } from "@xinglin/primitives";
import { decodeCut, encodeCut, type PartPlace, rootOfCut } from "@xinglin/state";
import { levelsOf, TILE_LEAVES, TILE_LEVEL } from "../joined.ts";
import { decodeLogHead, type LogHead } from "../log-head.ts";
import { SNAPSHOT_FORMAT, type Snapshot } from "./contract.ts";

/** What CometBFT lets through as a message about a snapshot is 4 MB. */
export const MAX_METADATA_BYTES = 3_500_000;
const HASH_BYTES = 32;

const shape = schema.object({
  chain: schema.text(64),
  height: schema.uint(),
  /** Depth and hash of each part of the state: one a chunk. */
  cut: schema.bytes(0, MAX_METADATA_BYTES),
  log: schema.object({
    /** What the state holds under `log`; empty if nothing was logged yet. */
    head: schema.bytes(0, 4_096),
    /** ICS-23 proof of that. */
    proof: schema.bytes(1, 65_536),
    /** Leaf hashes behind the last full tile of the open epoch. */
    leaves: schema.bytes(0, HASH_BYTES * (TILE_LEAVES - 1)),
  }),
});

/** Everything that a snapshot says, see `checkedMetadata`. */
export interface SnapshotContent {
  readonly chain: string;
  readonly height: number;
  readonly parts: readonly PartPlace[];
  readonly log: { readonly head: Bytes; readonly proof: Bytes; readonly leaves: Bytes };
}

/** The snapshot with this content. Throws `Fault("snapshot_too_large")` if peers could not tell each other of it. */
export function snapshotOf({ chain, height, parts, log }: SnapshotContent): Snapshot {
  const metadata = cbor.encode({ chain, height, cut: encodeCut(parts), log });
  if (metadata.length > MAX_METADATA_BYTES) throw new Fault("snapshot_too_large", { parts: parts.length });
  return { height, format: SNAPSHOT_FORMAT, chunks: parts.length, hash: nodeSha256(metadata), metadata };
}

/** A snapshot that fits an app hash: the parts of the state, and the log's head with the leaf hashes that are needed to append to it. */
export interface CheckedSnapshot {
  readonly parts: readonly PartPlace[];
  readonly head: LogHead;
  readonly leaves: Bytes;
}

/** What a snapshot of `chain` says, if all of it follows from `appHash`; undefined if not, or if it is malformed. */
export function checkedMetadata(snapshot: Snapshot, chain: string, appHash: Bytes): CheckedSnapshot | undefined {
  if (snapshot.metadata.length > MAX_METADATA_BYTES || !equal(nodeSha256(snapshot.metadata), snapshot.hash)) return undefined;
  try {
    const said = shape.parse(cbor.decode(snapshot.metadata, MAX_METADATA_BYTES));
    const parts = decodeCut(said.cut);
    if (said.chain !== chain || said.height !== snapshot.height || parts?.length !== snapshot.chunks) return undefined;
    const root = rootOfCut(parts);
    if (root === undefined || !equal(root, appHash) || !isProven(said.log, appHash)) return undefined;
    const head = decodeLogHead(said.log.head.length === 0 ? undefined : said.log.head);
    return fits(head, said.log.leaves) ? { parts, head, leaves: said.log.leaves } : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function isProven({ head, proof }: SnapshotContent["log"], appHash: Bytes): boolean {
  const decoded = ics23.decodeProof(proof);
  const key = utf8(keys.log);
  return head.length === 0
    ? ics23.verifyNonMembership(appHash, decoded, key)
    : ics23.verifyMembership(appHash, decoded, key, head);
}

/** Whether the leaf hashes are those of the open tile: they make up the small subtrees of the head's frontier. */
function fits({ size, frontier }: LogHead, leaves: Bytes): boolean {
  if (leaves.length !== HASH_BYTES * (size % TILE_LEAVES)) return false;
  let tile: Frontier = EMPTY_FRONTIER;
  for (let at = 0; at < leaves.length; at += HASH_BYTES) tile = append(tile, leaves.subarray(at, at + HASH_BYTES), nodeSha256);
  const full = levelsOf(size).filter((level) => level >= TILE_LEVEL).length;
  return tile.nodes.every((node, i) => equal(node, frontier[full + i] as Bytes));
}
