/**
 * The sealed manifest: what an object holds, readable with its content key only. Salts of everything on the chain that is computed
 * from content live here and nowhere else, so destroying the key destroys them.
 * Source: design.md, "Ledger" (256-bit salts) and "Archive" (content-addressed, sealed).
 */
import { cbor, equal, Fault, type Infer, schema } from "@xinglin/primitives";
import { codeParameters, layoutFor, sizeClassOf } from "./layout.ts";
import { firstBadPath } from "./paths.ts";
import type { PieceTable } from "./piece-table.ts";
import { OBJECT_ID_BYTES, type ObjectReference } from "./reference.ts";
import { openManifestBytes, sealManifestBytes } from "./seal.ts";

/** Bytes of a salt. */
export const SALT_BYTES = 32;
/** Bounds of a file table: no study comes near. */
const MAX_FILES = 1_000_000;
export const MAX_MANIFEST_BYTES = 256 * 2 ** 20;

const fileEntry = schema.object({
  path: schema.text(1024),
  sizeBytes: schema.uint(),
  sha256: schema.bytes(32),
  /** IANA media type, for example `application/dicom`. */
  mediaType: schema.text(127, /^[\x21-\x7e]+\/[\x21-\x7e]+(; ?[\x20-\x7e]+)*$/),
});
/** One file of an object. Files follow one another in the byte stream without gaps, in the order of the table. */
export type FileEntry = Infer<typeof fileEntry>;

const manifestSchema = schema.object({
  version: schema.uint(1, 1),
  objectId: schema.bytes(OBJECT_ID_BYTES),
  sizeBytes: schema.uint(Number.MAX_SAFE_INTEGER, 1),
  code: codeParameters,
  /** Root of the piece table, so that a manifest cannot be paired with other pieces. */
  root: schema.bytes(32),
  /** Salts every commitment on the chain to what the object holds; for more than one, derive a salt for each from it. */
  salt: schema.bytes(SALT_BYTES),
  files: schema.list(fileEntry, MAX_FILES, 1),
});
/** The plain form of a sealed manifest. */
export type Manifest = Infer<typeof manifestSchema>;

/** The sealed form of a manifest under a content key. Its SHA-256 is anchored. */
export const sealManifest = (manifest: Manifest, contentKey: Uint8Array): Uint8Array =>
  sealManifestBytes(cbor.encode(manifest), contentKey, manifest.objectId);

/**
 * Opens a sealed manifest whose hash was checked against the reference, and holds it against the table and the reference.
 * Faults: `content_key_wrong`, `malformed`, `manifest_mismatch` (which part lies), `path_refused`.
 */
export function openManifest(
  sealed: Uint8Array,
  contentKey: Uint8Array,
  reference: ObjectReference,
  table: PieceTable,
): Manifest {
  const plain = openManifestBytes(sealed, contentKey, table.header.objectId);
  if (plain === undefined) throw new Fault("content_key_wrong");
  const manifest = manifestSchema.parse(cbor.decode(plain, MAX_MANIFEST_BYTES));
  const lie = firstLie(manifest, reference, table);
  if (lie !== undefined) throw new Fault("manifest_mismatch", { part: lie });
  const bad = firstBadPath(manifest.files.map((file) => file.path));
  if (bad >= 0) throw new Fault("path_refused", { file: bad });
  return manifest;
}

function firstLie(manifest: Manifest, reference: ObjectReference, table: PieceTable): string | undefined {
  const { header } = table;
  const sameCode = (code: { k: number; m: number }): boolean => code.k === header.code.k && code.m === header.code.m;
  if (!equal(manifest.objectId, header.objectId)) return "object_id";
  if (!sameCode(manifest.code) || !sameCode(reference.code)) return "code";
  if (!equal(manifest.root, reference.root)) return "root";
  if (sizeClassOf(manifest.sizeBytes) !== reference.sizeClass) return "size_class";
  const layout = layoutFor(manifest.sizeBytes, header.code);
  if (layout.stripes !== header.stripes || layout.chunkBytes !== header.chunkBytes) return "size";
  let sum = 0;
  for (const file of manifest.files) sum += file.sizeBytes;
  return sum === manifest.sizeBytes ? undefined : "file_table";
}
