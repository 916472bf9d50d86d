/** Making an object's table of files: in the manifest's root if they are few, else as nodes of files and of an index by name. */
import { cbor } from "@xinglin/primitives";
import type { FileEntry } from "./file-entry.ts";
import { shrink } from "./filter/entropy.ts";
import type { ManifestNode, ManifestNodes } from "./manifest.ts";
import type { Profile } from "./profile/profile.ts";
import { storedBytesOf } from "./segments.ts";

/** What stands in the root: it is copied to every store, so no more than a few hundred files. */
const INLINE_BYTES = 2 ** 16;
/** More than this stands in the root of large objects only: where pixels are kept elsewhere, its copies would be most of what is stored. */
const FEW_BYTES = 2 ** 13;
const LARGE = 64;
/** What is read to get at one file of many. */
const NODE_BYTES = 3 * 2 ** 16;

/** Sizes that tests make small. */
export interface TableSizes {
  readonly inlineBytes: number;
  readonly nodeBytes: number;
}

/** The finished table: what the manifest's root says, and the bytes that follow the files in the stream. */
export type FileTable =
  | { readonly files: FileEntry[] }
  | { readonly nodes: ManifestNodes; readonly bytes: readonly Uint8Array[] };

/** One entry of the index: a key, see `keysOf`, and the place of a file among the object's files. */
export type IndexEntry = [key: string, file: number];

/** The names by which a file is found: its path, and what DICOM calls it and its series. */
export function keysOf({ path, series, instance }: FileEntry): string[] {
  const keys = [`p${path}`];
  if (series !== undefined) keys.push(`s${series}`);
  if (instance !== undefined) keys.push(`i${instance}`);
  return keys;
}

const sumOf = (files: readonly FileEntry[], bytes: (file: FileEntry) => number): number =>
  files.reduce((total, file) => total + bytes(file), 0);

/** Takes the files in the order of the stream. Memory: what is finished is kept shrunk; the index takes its names. */
export class FileTableBuilder {
  readonly #profile: Profile;
  readonly #sizes: TableSizes;
  readonly #index: IndexEntry[] = [];
  readonly #finished: ManifestNodes["files"] = [];
  readonly #bytes: Uint8Array[] = [];
  #files: FileEntry[] = [];
  #roughBytes = 0;
  #count = 0;

  constructor(profile: Profile, sizes: TableSizes = { inlineBytes: INLINE_BYTES, nodeBytes: NODE_BYTES }) {
    this.#profile = profile;
    this.#sizes = sizes;
  }

  add(file: FileEntry): void {
    for (const key of keysOf(file)) this.#index.push([key, this.#count]);
    this.#count++;
    this.#files.push(file);
    this.#roughBytes += 250 + 2 * file.path.length + 4 * (file.segments?.length ?? 0);
    const limit = this.#finished.length === 0 ? Math.max(this.#sizes.inlineBytes, this.#sizes.nodeBytes) : this.#sizes.nodeBytes;
    if (this.#roughBytes > limit) this.#finishNode();
  }

  finish(): FileTable {
    if (this.#finished.length === 0 && this.#fitsRoot()) return { files: this.#files };
    if (this.#files.length > 0) this.#finishNode();
    return { nodes: { files: this.#finished, keys: this.#finishIndex() }, bytes: this.#bytes };
  }

  #fitsRoot(): boolean {
    if (this.#roughBytes <= Math.min(FEW_BYTES, this.#sizes.inlineBytes)) return true;
    return this.#roughBytes <= this.#sizes.inlineBytes && LARGE * this.#roughBytes <= sumOf(this.#files, storedBytesOf);
  }

  #finishNode(): void {
    const files = this.#files;
    const storedBytes = sumOf(files, storedBytesOf);
    const sizeBytes = sumOf(files, (file) => file.sizeBytes);
    this.#finished.push({ files: files.length, storedBytes, sizeBytes, node: this.#write(files) });
    this.#files = [];
    this.#roughBytes = 0;
  }

  #finishIndex(): ManifestNodes["keys"] {
    this.#index.sort(([a, i], [b, j]) => (a < b ? -1 : a > b ? 1 : i - j));
    const keys: ManifestNodes["keys"] = [];
    let roughBytes = 0;
    for (let from = 0, to = 1; to <= this.#index.length; to++) {
      roughBytes += 8 + 2 * this.#index[to - 1]![0].length;
      if (roughBytes < this.#sizes.nodeBytes && to < this.#index.length) continue;
      const run = this.#index.slice(from, to);
      keys.push({ first: run[0]![0], last: run.at(-1)![0], node: this.#write(run) });
      from = to;
      roughBytes = 0;
    }
    return keys;
  }

  #write(value: FileEntry[] | IndexEntry[]): ManifestNode {
    const plain = cbor.encode(value);
    const stored = shrink(plain);
    this.#bytes.push(stored);
    return { digest: this.#profile.digest(plain), plainBytes: plain.length, storedBytes: stored.length };
  }
}
