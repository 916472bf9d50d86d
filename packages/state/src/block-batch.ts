/**
 * The rows of one block.
 */
import type { BlockApplication } from "./block-application.ts";
import { type BlockRecord, encodeHeader, recordOf, type VersionHeader } from "./block-record.ts";
import { encodeMeta, type Meta, type WriteBatch } from "./database.ts";
import type { PageStore } from "./page-store.ts";
import { blockKey, headerKey, META_KEY, pageKey } from "./rows.ts";
import { writeValues } from "./values.ts";

/** A block whose changes are in the tree and not yet on disk. */
export interface AppliedBlock {
  readonly height: number;
  readonly root: Uint8Array;
  readonly application: BlockApplication;
  /** Oldest block record that a leaf page may lack once the block is committed. */
  readonly windowStart: number;
}

/** What is committed with a block; a block without effect has no version, hence no header and no record. */
export interface WrittenBlock {
  readonly meta: Meta;
  readonly header?: VersionHeader;
  readonly record?: BlockRecord;
}

/** Adds the rows of a block to `batch`. `before` are the counters of the block before, with what is kept from now on. */
export function writeBlock(batch: WriteBatch, pages: PageStore, before: Meta, block: AppliedBlock): WrittenBlock {
  const { application, height, root, windowStart } = block;
  if (!application.effective) {
    const meta = { ...before, height };
    batch.put(META_KEY, encodeMeta(meta));
    return { meta };
  }
  const { version, changes, counters, rootRow, stalePages, writes } = application;
  const grown = writeValues(batch, changes);
  for (const [row, page] of writes) {
    batch.put(pageKey(row), "leaves" in page ? pages.leaves.encode(page.leaves) : pages.branches.encode(page.branch));
  }
  const { record, row } = recordOf(version, changes, stalePages);
  const header = { version, height, root, rootRow, windowStart };
  const meta = { ...before, ...counters, height, version, keys: before.keys + grown };
  batch.put(blockKey(version), row);
  batch.put(headerKey(version), encodeHeader(header));
  batch.put(META_KEY, encodeMeta(meta));
  return { meta, header, record };
}
