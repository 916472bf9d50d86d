/**
 * How an object of a given size becomes chunks, pieces and stripes, and which store slot holds which column.
 * Source: design.md, "Archive".
 */
import { Fault, type Infer, invariant, schema } from "@xinglin/primitives";

/** Data and parity pieces of a stripe: any k of the k + m restore it. */
export const codeParameters = schema.object({ k: schema.uint(64, 1), m: schema.uint(32, 0) });
export type CodeParameters = Infer<typeof codeParameters>;

/** Ten data and four parity pieces: 99.9999 % readable from stores that are up 99 % of the time, at 1.4 times the size. */
export const DEFAULT_CODE: CodeParameters = { k: 10, m: 4 };

/** Bytes of the object in one chunk, unless the object is smaller than a stripe. */
export const CHUNK_BYTES = 262_144;
/** What the seal adds to a chunk. */
export const TAG_BYTES = 16;
/** No object fills less than this a chunk. */
export const MIN_CHUNK_BYTES = 1024;
/** Below a stripe the chunk grows in eight steps a doubling: at most one eighth of padding, and no more than a rough size in public. */
const STEPS_PER_DOUBLING = 8;
/** Bounds of one object, so that a table from outside cannot ask for unbounded memory: 4.6 TB at 10+4. */
export const MAX_STRIPES = 1_760_000;
/** With more columns than 14 the table of hashes, which is as long as there are pieces, is the bound. */
const MAX_PIECES = MAX_STRIPES * 14;

/** The shape of one object, computed from its size and code alone. Columns count from 0, data before parity. */
export interface Layout {
  readonly code: CodeParameters;
  readonly chunkBytes: number;
  readonly stripes: number;
}

/** Chunk size of an object: `CHUNK_BYTES`, less for an object smaller than a stripe, always a multiple of 16. */
export function chunkBytesFor(sizeBytes: number, k: number): number {
  const wanted = Math.ceil(sizeBytes / k);
  if (wanted >= CHUNK_BYTES) return CHUNK_BYTES;
  if (wanted <= MIN_CHUNK_BYTES) return MIN_CHUNK_BYTES;
  const step = 2 ** (31 - Math.clz32(wanted - 1)) / STEPS_PER_DOUBLING;
  return Math.ceil(wanted / step) * step;
}

/** The layout of an object of `sizeBytes` (at least 1). Faults: `object_too_large`. */
export function layoutFor(sizeBytes: number, code: CodeParameters): Layout {
  invariant(Number.isSafeInteger(sizeBytes) && sizeBytes > 0, "an object has at least one byte");
  const chunkBytes = chunkBytesFor(sizeBytes, code.k);
  const stripes = Math.ceil(sizeBytes / (chunkBytes * code.k));
  const most = Math.min(MAX_STRIPES, Math.floor(MAX_PIECES / columnsOf({ code })));
  if (stripes > most) throw new Fault("object_too_large", { maxBytes: most * chunkBytes * code.k });
  return { code, chunkBytes, stripes };
}

/** Columns of a stripe, which is also the number of stores. */
export const columnsOf = (layout: Pick<Layout, "code">): number => layout.code.k + layout.code.m;
/** Bytes of a piece: a sealed chunk. */
export const pieceBytesOf = (layout: Pick<Layout, "chunkBytes">): number => layout.chunkBytes + TAG_BYTES;
/** Bytes of one store's pack: one piece a stripe. */
export const packBytesOf = (layout: Layout): number => layout.stripes * pieceBytesOf(layout);
/** Bytes of the object in one stripe. */
export const stripeBytesOf = (layout: Layout): number => layout.chunkBytes * layout.code.k;

/** The slot that holds `column` of `stripe`: columns move on by one slot a stripe, so that no store holds parity only. */
export const slotOf = (layout: Pick<Layout, "code">, stripe: number, column: number): number =>
  (column + stripe) % columnsOf(layout);
/** The column of `stripe` that `slot` holds. */
export function columnOf(layout: Pick<Layout, "code">, stripe: number, slot: number): number {
  const columns = columnsOf(layout);
  return (((slot - stripe) % columns) + columns) % columns;
}

/** Bit length of a size: all that the chain says of it. */
export const sizeClassOf = (sizeBytes: number): number => sizeBytes.toString(2).length; // a logarithm rounds near powers of two
