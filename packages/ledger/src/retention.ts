/**
 * What of old blocks may go. State and log answer for the past; of blocks only so many are kept as somebody may still need: a node that
 * joins by a snapshot, evidence of an offence, a receipt, the read model.
 *
 * Light blocks are thinned out instead: the headers where validators change, and one in `LIGHT_BLOCK_SPACING`, so that a light client finds
 * its way from any of them; proofs and evidence files use the newest headers only. Figures are in docs/scale.md.
 * Source: design.md, "Ledger"; CometBFT v0.40 spec, ABCI++ (`CommitResponse.retain_height`); requirement A2.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, equal, schema } from "@xinglin/primitives";
import type { BatchOperation } from "@xinglin/state";
import { decodeResults } from "./block-results.ts";
import type { Time } from "./block-time.ts";
import { readJoined } from "./joined.ts";
import { storageKeys } from "./storage-keys.ts";

/** One light block in so many is kept where no validators change. */
export const LIGHT_BLOCK_SPACING = 1_024;
/** Blocks that one block lets go at most, so that no block pays for a long past. */
const MOST_A_BLOCK = 64;

/** How a node is configured. */
export interface RetentionPolicy {
  /** Blocks that are kept at least. */
  readonly keepBlocks: number;
  /** Evidence of an offence counts while it is younger than either: the chain's own consensus parameters. */
  readonly evidence: { readonly maxAgeBlocks: number; readonly maxAgeSeconds: number };
  /** Height of the oldest block that somebody else here has still to read, as the read model does. */
  readonly neededFrom?: () => number;
}

/** What the ledger itself still needs, as heights. */
export interface RetentionNeeds {
  /** Oldest block with a transaction whose receipt may be asked for. */
  readonly oldestReceipt: number | undefined;
  /** Oldest snapshot that peers may be taking: they go on with the block above. */
  readonly oldestSnapshot: number | undefined;
  /** Oldest block that the driver has still to tell of. */
  readonly oldestUntold: number | undefined;
}

/** What goes with a block. */
export interface Retained {
  /** Blocks below this height are not needed any more; 0 or 1: all are. */
  readonly retainHeight: number;
  /** Deletions for the block's own batch. */
  readonly operations: readonly BatchOperation[];
}

const cursorShape = schema.object({
  /** Blocks below are gone. */
  height: schema.uint(),
  /** Whether the block before that one announced other validators. */
  isChange: schema.bool,
});

type Read = (key: Bytes) => Bytes | undefined;

/** Height below which this node lets blocks go, or never had them. */
export function retainedFrom(read: Read): number {
  return readCursor(read).height;
}

/** What may go with the block at `height`, which is about to be committed. */
export function retain(
  policy: RetentionPolicy,
  read: Read,
  block: { readonly height: number; readonly time: Time },
  needs: RetentionNeeds,
): Retained {
  const { keepBlocks, evidence, neededFrom } = policy;
  const { height, time } = block;
  const limit = Math.min(
    height + 1 - Math.max(keepBlocks, 1),
    // Older than that, not as old: CometBFT passes over what it lets go too early, and then keeps its header for ever.
    height - evidence.maxAgeBlocks,
    needs.oldestReceipt ?? height,
    needs.oldestSnapshot ?? height,
    needs.oldestUntold ?? height,
    neededFrom?.() ?? height,
  );
  let { height: at, isChange } = readCursor(read);
  const from = at;
  const operations: BatchOperation[] = [];
  for (; at < limit && at < from + MOST_A_BLOCK; at++) {
    const results = read(storageKeys.results(at));
    if (results !== undefined && decodeResults(results).time.seconds + evidence.maxAgeSeconds >= time.seconds) break;
    operations.push({ type: "del", key: storageKeys.block(at) }, { type: "del", key: storageKeys.results(at) });
    const light = read(storageKeys.lightBlock(at));
    if (light === undefined) continue;
    const { validatorsHash, nextValidatorsHash } = cometbft.decodeLightBlock(light).header;
    const announces = !equal(validatorsHash, nextValidatorsHash);
    if (!isChange && !announces && at % LIGHT_BLOCK_SPACING !== 0)
      operations.push({ type: "del", key: storageKeys.lightBlock(at) });
    isChange = announces;
  }
  if (at > from) operations.push({ type: "put", key: storageKeys.retained, value: cbor.encode({ height: at, isChange }) });
  return { retainHeight: at, operations };
}

function readCursor(read: Read): { height: number; isChange: boolean } {
  const bytes = read(storageKeys.retained);
  const joined = (readJoined(read)?.height ?? 0) + 1;
  // A node that joined again, by a newer snapshot.
  const cursor = bytes === undefined ? undefined : cursorShape.parse(cbor.decodeTrusted(bytes));
  return cursor !== undefined && cursor.height >= joined ? cursor : { height: joined, isChange: true };
}
