/**
 * What is imported: files in order, each read once and hashed as it passes. A file that is not what it was when the import
 * began stops the import, since a study half old and half new is no one's record.
 */
import type { Hash } from "node:crypto";
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { stat } from "node:fs/promises";
import { Fault, invariant } from "@xinglin/primitives";
import type { SharedRegion } from "./file-entry.ts";
import type { Pixels } from "./filter/part10.ts";
import { firstBadPath } from "./paths.ts";
import type { Profile } from "./profile/profile.ts";
import { errnoOf } from "./store/disk-fault.ts";

/** Part of a file: its pixels, without what stands around them. Source: docs/decisions/0012-shared-pixels.md. */
export interface PixelRegion {
  readonly at: number;
  readonly sizeBytes: number;
  readonly samples: Pixels;
  /** Digest that they had when they were looked at. */
  readonly digest: Uint8Array;
}

/**
 * A file to import: where it lies (or its bytes), and its name inside the object (relative, with `/`). With `only`, these bytes of it and
 * no others; with `shared`, its pixels are kept in another object and here only said where.
 */
export type SourceFile = {
  readonly path: string;
  readonly mediaType?: string;
  readonly only?: PixelRegion;
  readonly shared?: { readonly region: PixelRegion; readonly entry: SharedRegion };
} & ({ readonly location: string } | { readonly content: Uint8Array });

/** A file of which it is known what it must be when it is read. Plain data, for a worker. */
export interface PlannedFile {
  readonly only?: PixelRegion;
  readonly shared?: SourceFile["shared"];
  readonly path: string;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly from: { readonly content: Uint8Array } | { readonly location: string; readonly stamp: Stamp };
}

/** What a change of a file changes. */
interface Stamp {
  readonly inode: bigint;
  readonly modifiedNs: bigint;
  readonly sizeBytes: number;
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
    const { path, mediaType = DEFAULT_MEDIA_TYPE, only, shared } = file;
    const part = { ...(only === undefined ? {} : { only }), ...(shared === undefined ? {} : { shared }) };
    if ("content" in file) {
      const sizeBytes = only?.sizeBytes ?? file.content.length;
      files.push({ path, mediaType, sizeBytes, from: { content: file.content }, ...part });
      continue;
    }
    const found = await stat(file.location, { bigint: true }).catch((cause: unknown) => {
      throw new Fault("source_unreadable", { file: index, errno: errnoOf(cause) });
    });
    if (!found.isFile()) throw new Fault("source_unreadable", { file: index, errno: "not_a_file" });
    const stamp = { inode: found.ino, modifiedNs: found.mtimeNs, sizeBytes: Number(found.size) };
    const sizeBytes = only?.sizeBytes ?? stamp.sizeBytes;
    files.push({ path, mediaType, sizeBytes, from: { location: file.location, stamp }, ...part });
  }
  if (files.every((file) => file.sizeBytes === 0)) throw new Fault("source_empty");
  return files;
}

/** Time spent, in milliseconds of wall time; a worker does one thing at a time. */
export interface SourceClock {
  readMs: number;
  fileHashMs: number;
}

/** Reads planned files one after another, once. Faults: `source_changed`, `source_unreadable`. */
export class SourceReader {
  /** Bytes read so far, of all files. */
  readBytes = 0;
  readonly profile: Profile;
  readonly #files: readonly PlannedFile[];
  readonly #clock: SourceClock;
  #descriptor: number | undefined;
  #hash: Hash;
  #index = 0;
  #offset = 0;

  constructor(profile: Profile, files: readonly PlannedFile[], clock: SourceClock) {
    this.profile = profile;
    this.#hash = profile.startDigest();
    this.#files = files;
    this.#clock = clock;
  }

  /** The file being read; `undefined` after the last. */
  get file(): PlannedFile | undefined {
    return this.#files[this.#index];
  }

  /** Fills `into`, which is no longer than what is left of the file. */
  read(into: Uint8Array): void {
    const start = performance.now();
    this.#readPart(this.#offset, into);
    const between = performance.now();
    this.#hash.update(into);
    this.#clock.readMs += between - start;
    this.#clock.fileHashMs += performance.now() - between;
    this.#offset += into.length;
    this.readBytes += into.length;
  }

  /** Fills `into` from `position` of the file and says how far that went; what is read stays to be read. */
  peek(position: number, into: Uint8Array): number {
    const length = Math.min(into.length, Math.max(0, this.#files[this.#index]!.sizeBytes - position));
    this.#readPart(position, into.subarray(0, length));
    return length;
  }

  /** Goes to the next file, whatever was read of this one. */
  skip(): void {
    this.close();
    this.#index++;
    this.#offset = 0;
  }

  /** Ends the file, which was read to its end, goes to the next one, and returns the digest of the ended. */
  next(): Uint8Array {
    const file = this.#files[this.#index]!;
    invariant(this.#offset === file.sizeBytes, "a file is read to its end");
    if (this.#descriptor !== undefined) this.#check(this.#descriptor, file);
    this.close();
    const digest = this.#hash.digest();
    this.#hash = this.profile.startDigest();
    this.#index++;
    this.#offset = 0;
    return digest;
  }

  /** Gives back what is open, whatever happened. */
  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }

  #readPart(offset: number, part: Uint8Array): void {
    const { from, only } = this.#files[this.#index]!;
    const position = offset + (only?.at ?? 0);
    if ("content" in from) {
      part.set(from.content.subarray(position, position + part.length));
      return;
    }
    try {
      this.#descriptor ??= this.#open(from.location);
      for (let done = 0; done < part.length; ) {
        const count = readSync(this.#descriptor, part, done, part.length - done, position + done);
        if (count === 0) throw this.#changed();
        done += count;
      }
    } catch (cause) {
      throw this.#fault(cause);
    }
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
    const same = Number(found.size) === stamp.sizeBytes && found.ino === stamp.inode && found.mtimeNs === stamp.modifiedNs;
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
