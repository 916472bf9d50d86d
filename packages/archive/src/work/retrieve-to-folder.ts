/** Reading an object into a folder, in a worker. The folder appears when all of it is there and checked, or not at all. */
import { closeSync, mkdirSync, openSync, writeSync } from "node:fs";
import { mkdir, readdir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "@xinglin/primitives";
import type { FileEntry } from "../file-entry.ts";
import { errnoOf } from "../store/disk-fault.ts";
import { type FileSink, type ReadOrder, type ReadOutcome, readObject } from "./read-object.ts";
import type { TaskContext } from "./tasks.ts";

/** What was sealed is plain here: for whoever fetched it and nobody else. */
const OWNER_FOLDER = 0o700;
const OWNER_FILE = 0o600;

/** A reading whose files go below `destination`; `partial` is a name beside it that does not exist yet. */
export interface FolderOrder extends ReadOrder {
  readonly destination: string;
  readonly partial: string;
}

/** Reads into a folder. Faults: those of `readObject`, `destination_exists`, `destination_unwritable`, `disk_full`. */
export async function retrieveToFolder(order: FolderOrder, context: TaskContext): Promise<ReadOutcome> {
  const { destination, partial } = order;
  const sink = new FolderSink(partial);
  try {
    await requireEmpty(destination);
    await mkdir(partial, { recursive: true, mode: OWNER_FOLDER });
    const outcome = await readObject(order, sink, context);
    await rmdir(destination).catch(() => undefined);
    await rename(partial, destination);
    return outcome;
  } catch (cause) {
    sink.close();
    await rm(partial, { recursive: true, force: true }).catch(() => undefined); // the first failure is what the caller hears of
    throw destinationFault(cause);
  }
}

async function requireEmpty(destination: string): Promise<void> {
  const names = await readdir(destination).catch((cause: unknown) => {
    if (errnoOf(cause) === "ENOENT") return [];
    throw errnoOf(cause) === "ENOTDIR" ? new Fault("destination_exists") : cause;
  });
  if (names.length > 0) throw new Fault("destination_exists");
}

function destinationFault(cause: unknown): unknown {
  if (cause instanceof Fault || (cause as NodeJS.ErrnoException).syscall === undefined) return cause;
  const errno = errnoOf(cause);
  if (errno === "ENOSPC" || errno === "EDQUOT") return new Fault("disk_full", { store: "destination" });
  return new Fault("destination_unwritable", { errno });
}

/** Writes files below a folder that is its own. Paths were checked with the manifest; files are made, never overwritten. */
class FolderSink implements FileSink {
  readonly #folder: string;
  #descriptor: number | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  begin(file: FileEntry): void {
    const path = join(this.#folder, file.path);
    mkdirSync(dirname(path), { recursive: true, mode: OWNER_FOLDER });
    this.#descriptor = openSync(path, "wx", OWNER_FILE);
  }

  write(bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) done += writeSync(this.#descriptor!, bytes, done, bytes.length - done);
  }

  end(): void {
    this.close();
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
