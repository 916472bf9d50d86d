/** Finding files in an object's manifest: in its root, or in the nodes that it names, reading no more of them than it takes. */
import { cbor, equal, Fault, type Schema, schema } from "@xinglin/primitives";
import { checkFiles, type FileEntry, fileEntry, type PlacedFile } from "../file-entry.ts";
import { type IndexEntry, keysOf } from "../file-table.ts";
import { unshrink } from "../filter/entropy.ts";
import { indexKey, MAX_FILES, MAX_NODE_BYTES, type Manifest, type ManifestNode } from "../manifest.ts";
import { profileOf } from "../profile/profile.ts";
import { storedBytesOf } from "../segments.ts";

/** Reads bytes of the object's stream. */
export type ReadStream = (from: number, to: number) => Promise<Uint8Array>;

const filesOfNode = schema.list(fileEntry, MAX_FILES, 1);
const pair: Schema<IndexEntry> = {
  parse: (value, path) => {
    if (!Array.isArray(value) || value.length !== 2)
      throw new Fault("malformed", { element: path ?? "/", expected: "key and file" });
    return [indexKey.parse(value[0], path), schema.uint(MAX_FILES - 1).parse(value[1], path)];
  },
};
const keysOfNode = schema.list(pair, 3 * MAX_FILES, 1);

/** A run of files, and where it stands. */
interface Run {
  readonly first: number;
  readonly files: number;
  readonly at: number;
  readonly storedBytes: number;
  readonly sizeBytes: number;
  readonly node: ManifestNode;
  readonly nodeAt: number;
}

/** The files of one object. Faults of every method: `manifest_mismatch`, `malformed`, `path_refused`, those of `ReadStream`. */
export class FileDirectory {
  readonly #manifest: Manifest;
  readonly #read: ReadStream;
  readonly #runs: Run[] = [];
  readonly #keysAt: number;

  constructor(manifest: Manifest, read: ReadStream) {
    this.#manifest = manifest;
    this.#read = read;
    const runs = manifest.nodes?.files ?? [];
    let first = 0;
    let at = 0;
    let nodeAt = runs.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
    for (const run of runs) {
      this.#runs.push({ ...run, first, at, nodeAt });
      first += run.files;
      at += run.storedBytes;
      nodeAt += run.node.storedBytes;
    }
    this.#keysAt = nodeAt;
  }

  /** All files in the order of the stream, some at a time. */
  async *all(): AsyncGenerator<PlacedFile[]> {
    if (this.#manifest.files !== undefined) yield place(this.#manifest.files, 0, 0);
    for (const run of this.#runs) yield await this.#filesOf(run);
  }

  /** The files of each of these names, see `keysOf`, in the order of the stream. Faults: `file_unknown` (a name of no file). */
  async find(keys: readonly string[]): Promise<PlacedFile[]> {
    const wanted = new Set(keys);
    const found =
      this.#manifest.files === undefined
        ? await this.#findInNodes(wanted)
        : place(this.#manifest.files, 0, 0).filter(({ entry }) => keysOf(entry).some((key) => wanted.has(key)));
    const known = new Set(found.flatMap(({ entry }) => keysOf(entry)));
    if (keys.some((key) => !known.has(key))) throw new Fault("file_unknown");
    return found;
  }

  async #findInNodes(wanted: ReadonlySet<string>): Promise<PlacedFile[]> {
    const numbers = new Map<number, string>();
    for (let at = this.#keysAt, i = 0; i < this.#manifest.nodes!.keys.length; i++) {
      const { first, last, node } = this.#manifest.nodes!.keys[i]!;
      if ([...wanted].some((key) => first <= key && key <= last))
        for (const [key, file] of keysOfNode.parse(await this.#open(node, at))) if (wanted.has(key)) numbers.set(file, key);
      at += node.storedBytes;
    }
    const found: PlacedFile[] = [];
    for (const run of this.#runs) {
      const inside = [...numbers].filter(([file]) => file >= run.first && file < run.first + run.files);
      if (inside.length === 0) continue;
      const files = await this.#filesOf(run);
      for (const [number, key] of inside.sort(([a], [b]) => a - b)) {
        const file = files[number - run.first]!;
        if (!keysOf(file.entry).includes(key)) throw new Fault("manifest_mismatch", { part: "index" });
        found.push(file);
      }
    }
    return found;
  }

  async #filesOf(run: Run): Promise<PlacedFile[]> {
    const files = filesOfNode.parse(await this.#open(run.node, run.nodeAt));
    const { storedBytes, sizeBytes } = checkFiles(files, run.first);
    if (files.length !== run.files || storedBytes !== run.storedBytes || sizeBytes !== run.sizeBytes)
      throw new Fault("manifest_mismatch", { part: "file_table" });
    return place(files, run.first, run.at);
  }

  async #open(node: ManifestNode, at: number): Promise<unknown> {
    const plain = unshrink(await this.#read(at, at + node.storedBytes), node.plainBytes);
    if (plain === undefined || !equal(profileOf(this.#manifest).digest(plain), node.digest))
      throw new Fault("manifest_mismatch", { part: "node" });
    return cbor.decode(plain, MAX_NODE_BYTES);
  }
}

function place(files: readonly FileEntry[], first: number, from: number): PlacedFile[] {
  let at = from;
  return files.map((entry, i) => {
    const file = { entry, number: first + i, at };
    at += storedBytesOf(entry);
    return file;
  });
}
