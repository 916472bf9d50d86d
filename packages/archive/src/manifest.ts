/**
 * The sealed manifest: what an object holds, readable with its content key only. It is a tree under one name: its root stands beside
 * the pieces on every store and lists few files itself; of many it names nodes, which stand at the end of the object's sealed stream
 * and so are coded, audited and repaired with it. Salts of everything on the chain that is computed from content live here and nowhere
 * else, so destroying the key destroys them.
 * Source: design.md, "Ledger" (256-bit salts) and "Archive" (content-addressed, sealed).
 */
import { cbor, equal, Fault, type Infer, schema } from "@xinglin/primitives";
import { DIGEST_BYTES } from "./digest.ts";
import { checkFiles, fileEntry, MAX_SHARED_OBJECTS } from "./file-entry.ts";
import { codeParameters, layoutFor, sizeClassOf } from "./layout.ts";
import type { PieceTable } from "./piece-table.ts";
import { profileMark, profileOf } from "./profile/profile.ts";
import { CONTENT_KEY_BYTES, OBJECT_ID_BYTES, type ObjectReference, objectReference } from "./reference.ts";
import { openManifestBytes, sealManifestBytes } from "./seal.ts";

/** Bytes of a salt. */
export const SALT_BYTES = 32;
/** Bounds of a tree: no study comes near. */
export const MAX_FILES = 1_000_000;
const MAX_NODES = 8192;
export const MAX_NODE_BYTES = 4 * 2 ** 20;
export const MAX_MANIFEST_BYTES = 4 * 2 ** 20;
/** A file's name in the tree's index: one letter for what it is, then a path or an identifier. */
export const indexKey = schema.text(1025, /^[pis]/, 2);

/** A node: canonical DAG-CBOR, shrunk. Its digest is of the plain form. */
const node = schema.object({
  digest: schema.bytes(DIGEST_BYTES),
  plainBytes: schema.uint(MAX_NODE_BYTES, 1),
  storedBytes: schema.uint(MAX_NODE_BYTES, 1),
});
/** A run of files, in the order of the stream. */
const filesNode = schema.object({
  files: schema.uint(MAX_FILES, 1),
  /** Bytes that they take in the stream, and their own. */
  storedBytes: schema.uint(),
  sizeBytes: schema.uint(),
  node,
});
/** A run of index entries, in the order of their keys. */
const keysNode = schema.object({ first: indexKey, last: indexKey, node });

/** Another object of the same institution, see `shared/`. */
const sharedObject = schema.object({
  objectId: schema.bytes(OBJECT_ID_BYTES),
  reference: objectReference,
  key: schema.bytes(CONTENT_KEY_BYTES),
});
export type SharedObject = Infer<typeof sharedObject>;

const manifestSchema = schema.object({
  version: schema.uint(3, 3),
  objectId: schema.bytes(OBJECT_ID_BYTES),
  /** Bytes of the stream: files as they are stored, then nodes. */
  streamBytes: schema.uint(Number.MAX_SAFE_INTEGER, 1),
  /** Bytes of all files as they were. */
  sizeBytes: schema.uint(Number.MAX_SAFE_INTEGER, 1),
  fileCount: schema.uint(MAX_FILES, 1),
  code: codeParameters,
  profile: profileMark,
  /** Root of the piece table, so that a manifest cannot be paired with other pieces. */
  root: schema.bytes(32),
  /** Salts every commitment on the chain to what the object holds; for more than one, derive a salt for each from it. */
  salt: schema.bytes(SALT_BYTES),
  /** Objects that files have bytes in, with their keys: who may open this version may read those. */
  shared: schema.optional(schema.list(sharedObject, MAX_SHARED_OBJECTS, 1)),
  /** Either the files themselves, */
  files: schema.optional(schema.list(fileEntry, MAX_FILES, 1)),
  /** or nodes of them, and of their index; in the stream they follow in this order. */
  nodes: schema.optional(
    schema.object({ files: schema.list(filesNode, MAX_NODES, 1), keys: schema.list(keysNode, MAX_NODES, 1) }),
  ),
});
/** The plain form of the root of a sealed manifest. */
export type Manifest = Infer<typeof manifestSchema>;
export type ManifestNode = Infer<typeof node>;
/** The nodes that a manifest of many files names. */
export type ManifestNodes = NonNullable<Manifest["nodes"]>;

/** The sealed form of a manifest's root under a content key. Its digest is anchored. */
export const sealManifest = (manifest: Manifest, contentKey: Uint8Array): Uint8Array =>
  sealManifestBytes(profileOf(manifest), cbor.encode(manifest), contentKey, manifest.objectId);

/** Whether these bytes are the sealed manifest that the reference names. */
export const isManifest = (sealed: Uint8Array, reference: Pick<ObjectReference, "manifest" | "profile">): boolean =>
  equal(profileOf(reference).digest(sealed), reference.manifest);

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
  const plain = openManifestBytes(profileOf(reference), sealed, contentKey, table.header.objectId);
  if (plain === undefined) throw new Fault("content_key_wrong");
  const manifest = manifestSchema.parse(cbor.decode(plain, MAX_MANIFEST_BYTES));
  const lie = firstLie(manifest, reference, table);
  if (lie !== undefined) throw new Fault("manifest_mismatch", { part: lie });
  return manifest;
}

function firstLie(manifest: Manifest, reference: ObjectReference, table: PieceTable): string | undefined {
  const { header } = table;
  const sameCode = (code: { k: number; m: number }): boolean => code.k === header.code.k && code.m === header.code.m;
  if (!equal(manifest.objectId, header.objectId)) return "object_id";
  if (!sameCode(manifest.code) || !sameCode(reference.code)) return "code";
  const isOfProfile = ({ profile }: Pick<ObjectReference, "profile">): boolean => profile === reference.profile;
  // A version is read under the profile that its institution chose: pixels that it shares are too.
  const shared = manifest.shared?.map((object) => object.reference) ?? [];
  if (![manifest, header, ...shared].every(isOfProfile)) return "profile";
  if (!equal(manifest.root, reference.root)) return "root";
  if (sizeClassOf(manifest.streamBytes) !== reference.sizeClass) return "size_class";
  const layout = layoutFor(manifest.streamBytes, header.code);
  if (layout.stripes !== header.stripes || layout.chunkBytes !== header.chunkBytes) return "size";
  const sums = sumsOf(manifest);
  const same =
    sums?.files === manifest.fileCount && sums.sizeBytes === manifest.sizeBytes && sums.streamBytes === manifest.streamBytes;
  return same ? undefined : "file_table";
}

/** What files or nodes add up to; `undefined` if there are both or neither. */
function sumsOf({ files, nodes }: Manifest): { files: number; sizeBytes: number; streamBytes: number } | undefined {
  if ((files === undefined) === (nodes === undefined)) return undefined;
  if (files !== undefined) {
    const { storedBytes, sizeBytes } = checkFiles(files, 0);
    return { files: files.length, sizeBytes, streamBytes: storedBytes };
  }
  const sums = { files: 0, sizeBytes: 0, streamBytes: 0 };
  for (const run of nodes!.files) {
    sums.files += run.files;
    sums.sizeBytes += run.sizeBytes;
    sums.streamBytes += run.storedBytes + run.node.storedBytes;
  }
  for (const run of nodes!.keys) sums.streamBytes += run.node.storedBytes;
  return sums;
}
