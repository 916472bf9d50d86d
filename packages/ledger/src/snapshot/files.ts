/**
 * Snapshots on disk: a folder a height, whole or not there. Files are the owner's only, since they hold the state.
 */
import { mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Bytes, cbor, Fault, schema } from "@xinglin/primitives";
import { SNAPSHOT_FORMAT, type Snapshot } from "./contract.ts";
import { MAX_METADATA_BYTES } from "./metadata.ts";

const PARTIAL = ".partial";
const SAYS = "snapshot";
const chunkName = (index: number): string => `chunk-${String(index).padStart(6, "0")}`;

const shape = schema.object({
  height: schema.uint(),
  format: schema.uint(),
  chunks: schema.uint(),
  hash: schema.bytes(32),
  metadata: schema.bytes(1, MAX_METADATA_BYTES),
});

/** A snapshot that is being written; nobody sees it before `finish`. */
export class SnapshotWriter {
  readonly #directory: string;
  readonly #partial: string;
  #chunks = 0;

  private constructor(directory: string, height: number) {
    this.#directory = join(directory, String(height));
    this.#partial = `${this.#directory}${PARTIAL}`;
  }

  static async begin(directory: string, height: number): Promise<SnapshotWriter> {
    const writer = new SnapshotWriter(directory, height);
    await rm(writer.#partial, { recursive: true, force: true });
    await mkdir(writer.#partial, { recursive: true, mode: 0o700 });
    return writer;
  }

  /** Writes the next chunk. */
  async add(bytes: Bytes): Promise<void> {
    await writeWhole(join(this.#partial, chunkName(this.#chunks++)), bytes);
  }

  async finish(snapshot: Snapshot): Promise<void> {
    await writeWhole(join(this.#partial, SAYS), cbor.encode(snapshot));
    await rm(this.#directory, { recursive: true, force: true });
    await rename(this.#partial, this.#directory);
  }

  async discard(): Promise<void> {
    await rm(this.#partial, { recursive: true, force: true });
  }
}

async function writeWhole(path: string, bytes: Bytes): Promise<void> {
  const file = await open(path, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The whole snapshots of a folder, the newest first; what is not whole, or not of this format, is removed. */
export async function readSnapshots(directory: string): Promise<Snapshot[]> {
  const found: Snapshot[] = [];
  for (const name of await namesIn(directory)) {
    const snapshot = name.endsWith(PARTIAL) ? undefined : await readSnapshot(join(directory, name));
    if (snapshot?.format === SNAPSHOT_FORMAT) found.push(snapshot);
    else await rm(join(directory, name), { recursive: true, force: true });
  }
  return found.sort((a, b) => b.height - a.height);
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return []; // made with the first snapshot
    throw error;
  }
}

async function readSnapshot(path: string): Promise<Snapshot | undefined> {
  try {
    return shape.parse(cbor.decode(await readFile(join(path, SAYS)), 2 * MAX_METADATA_BYTES));
  } catch {
    return undefined; // a folder that is no snapshot
  }
}

/** Chunk `index` of the snapshot of `height`. Throws `Fault("snapshot_unreadable")`. */
export async function readChunk(directory: string, height: number, index: number): Promise<Bytes> {
  try {
    return await readFile(join(directory, String(height), chunkName(index)));
  } catch (cause) {
    throw new Fault("snapshot_unreadable", { height, chunk: index }, { cause });
  }
}

/** Removes the snapshot of `height`. */
export const removeSnapshot = (directory: string, height: number): Promise<void> =>
  rm(join(directory, String(height)), { recursive: true, force: true });
