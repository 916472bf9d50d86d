/**
 * What is imported: files in order, read as one byte stream, each hashed as it passes. A file that is not what it was when the import
 * began stops the import, since a study half old and half new is no one's record.
 */
import { createHash, type Hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Fault } from "@xinglin/primitives";
import { firstBadPath } from "./paths.ts";
import { errnoOf } from "./store/disk-fault.ts";

/** A file to import: where it lies (or its bytes), and its name inside the object (relative, with `/`). */
export type SourceFile = { readonly path: string; readonly mediaType?: string } & (
  | { readonly location: string }
  | { readonly content: Uint8Array }
);

/** A file of which it is known what it must be when it is read. Plain data, for a worker. */
export interface PlannedFile {
  readonly path: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly from: { readonly content: Uint8Array } | { readonly location: string; readonly stamp: Stamp };
}

/** What a change of a file changes. */
interface Stamp {
  readonly inode: bigint;
  readonly modifiedNs: bigint;
}

const DEFAULT_MEDIA_TYPE = "application/octet-stream";

/**
 * Looks at every file once. Faults name a file by its place in the list, since names can tell of patients: `path_refused`,
 * `source_unreadable`, `source_empty` (no byte in all).
 */
export async function planSource(source: readonly SourceFile[]): Promise<PlannedFile[]> {
  const bad = firstBadPath(source.map((file) => file.path));
  if (bad >= 0) throw new Fault("path_refused", { file: bad });
  const files: PlannedFile[] = [];
  for (const [index, file] of source.entries()) {
    const { path, mediaType = DEFAULT_MEDIA_TYPE } = file;
    if ("content" in file) {
      files.push({ path, mediaType, sizeBytes: file.content.length, from: { content: file.content } });
      continue;
    }
    const found = await stat(file.location, { bigint: true }).catch((cause: unknown) => {
      throw new Fault("source_unreadable", { file: index, errno: errnoOf(cause) });
    });
    if (!found.isFile()) throw new Fault("source_unreadable", { file: index, errno: "not_a_file" });
    const stamp = { inode: found.ino, modifiedNs: found.mtimeNs };
    files.push({ path, mediaType, sizeBytes: Number(found.size), from: { location: file.location, stamp } });
  }
  if (files.every((file) => file.sizeBytes === 0)) throw new Fault("source_empty");
  return files;
}

/** Time spent, in milliseconds of wall time; a worker does one thing at a time. */
export interface SourceClock {
  readMs: number;
  fileHashMs: number;
}

/** Reads planned files as one stream, once. Faults: `source_changed`, `source_unreadable`. */
export class SourceReader {
  /** SHA-256 of each file that was read to its end, in order. */
  readonly digests: Uint8Array[] = [];
  readonly #files: readonly PlannedFile[];
  readonly #clock: SourceClock;
  #descriptor: number | undefined;
  #hash: Hash = createHash("sha256");
  #index = 0;
  #offset = 0;

  constructor(files: readonly PlannedFile[], clock: SourceClock) {
    this.#files = files;
    this.#clock = clock;
  }

  /** Fills `into` as far as the stream goes and returns how far that was. */
  read(into: Uint8Array): number {
    let filled = 0;
    for (let file = this.#files[this.#index]; file !== undefined; file = this.#files[this.#index]) {
      const wanted = Math.min(into.length - filled, file.sizeBytes - this.#offset);
      if (wanted > 0) {
        const part = into.subarray(filled, filled + wanted);
        const start = performance.now();
        this.#readPart(file, part);
        const between = performance.now();
        this.#hash.update(part);
        this.#clock.readMs += between - start;
        this.#clock.fileHashMs += performance.now() - between;
        filled += wanted;
        this.#offset += wanted;
      }
      if (this.#offset < file.sizeBytes) break; // `into` is full
      this.#end(file);
    }
    return filled;
  }

  /** Whether every file was read to its end. */
  get isAtEnd(): boolean {
    return this.#index === this.#files.length;
  }

  /** Gives back what is open, whatever happened. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #readPart(file: PlannedFile, part: Uint8Array): void {
    if ("content" in file.from) {
      part.set(file.from.content.subarray(this.#offset, this.#offset + part.length));
      return;
    }
    try {
      this.#descriptor ??= this.#open(file.from.location);
      for (let done = 0; done < part.length; ) {
        const count = readSync(this.#descriptor, part, done, part.length - done, this.#offset + done);
        if (count === 0) throw this.#changed();
        done += count;
      }
    } catch (cause) {
      throw this.#fault(cause);
    }
  }

  #end(file: PlannedFile): void {
    if (this.#descriptor !== undefined) this.#check(this.#descriptor, file);
    this.close();
    this.digests.push(this.#hash.digest());
    this.#hash = createHash("sha256");
    this.#index++;
    this.#offset = 0;
  }

  #open(location: string): number {
    const descriptor = openSync(location, "r");
    this.#descriptor = descriptor;
    this.#check(descriptor, this.#files[this.#index]!);
    return descriptor;
  }

  /** Compares what is open with what was planned: before the first byte, and after the last. */
  #check(descriptor: number, file: PlannedFile): void {
    if ("content" in file.from) return;
    const { stamp } = file.from;
    const found = fstatSync(descriptor, { bigint: true });
    const same = Number(found.size) === file.sizeBytes && found.ino === stamp.inode && found.mtimeNs === stamp.modifiedNs;
    if (!same) throw this.#changed();
  }

  #changed(): Fault {
    return new Fault("source_changed", { file: this.#index }, { retry: true });
  }

  #fault(cause: unknown): Fault {
    if (cause instanceof Fault) return cause;
    const errno = errnoOf(cause);
    return errno === "ENOENT" ? this.#changed() : new Fault("source_unreadable", { file: this.#index, errno });
  }
}
