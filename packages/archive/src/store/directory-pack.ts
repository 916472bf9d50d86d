/** Packs of a store in a folder: one being written, and one that is published. */
import { closeSync, fstatSync, ftruncateSync, openSync, readFileSync, readSync, statSync, writeSync } from "node:fs";
import { rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Fault } from "@xinglin/primitives";
import { errnoOf, readFault, writeFault } from "./disk-fault.ts";
import { syncFile, syncFolder, writeDurably } from "./durable.ts";
import type { DocumentName, StagedPack, StoredPack } from "./store.ts";

const PACK_NAME = /^pieces\.([0-9]{1,2})$/;

/**
 * A pack under `folder`, published as `target`. Writing more than `budget` bytes is `disk_full`. One that `replaces` takes the place of
 * a folder whose pack is lost; any other finds none.
 */
export class DirectoryStagedPack implements StagedPack {
  readonly #store: string;
  readonly #folder: string;
  readonly #target: string;
  readonly #pack: string;
  readonly #replaces: boolean;
  #budget: number;
  #published = false;
  #descriptor: number | undefined;

  constructor(store: string, folder: string, target: string, slot: number, options: { budget: number; replaces: boolean }) {
    this.#store = store;
    this.#folder = folder;
    this.#target = target;
    this.#pack = join(folder, `pieces.${slot}`);
    this.#budget = options.budget;
    this.#replaces = options.replaces;
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    this.#spend(bytes.length);
    try {
      this.#descriptor ??= openSync(this.#pack, "wx");
      writeAll(this.#descriptor, position, bytes);
    } catch (cause) {
      throw writeFault(this.#store, cause);
    }
  }

  async writeDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    this.#spend(bytes.length);
    try {
      await writeDurably(join(this.#folder, name), bytes);
    } catch (cause) {
      throw writeFault(this.#store, cause);
    }
  }

  async settle(): Promise<void> {
    try {
      this.#close();
      await syncFile(this.#pack);
      await syncFolder(this.#folder);
    } catch (cause) {
      throw writeFault(this.#store, cause);
    }
  }

  async publish(): Promise<void> {
    try {
      if (this.#replaces) await rm(this.#target, { recursive: true, force: true });
      await rename(this.#folder, this.#target);
      this.#published = true;
      await Promise.all([syncFolder(dirname(this.#target)), syncFolder(dirname(this.#folder))]);
    } catch (cause) {
      // Somebody else was first: a folder that holds something is never replaced by a rename.
      if (!this.#published && ["ENOTEMPTY", "EEXIST"].includes(errnoOf(cause)))
        throw new Fault("object_exists", { store: this.#store });
      throw writeFault(this.#store, cause);
    }
  }

  async discard(): Promise<void> {
    this.#close();
    await rm(this.#published ? this.#target : this.#folder, { recursive: true, force: true });
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw new Fault("disk_full", { store: this.#store });
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** A published pack in `folder`, open for reading, and for writing from its first repair on. */
export class DirectoryStoredPack implements StoredPack {
  readonly slot: number;
  readonly isNear = true;
  readonly #store: string;
  readonly #folder: string;
  readonly #pack: string;
  #descriptor: number;
  #writable = false;

  /** The pack among the files `names` of an object's folder, or `undefined` if there is none. */
  static open(store: string, folder: string, names: readonly string[]): DirectoryStoredPack | undefined {
    for (const name of names) {
      const slot = PACK_NAME.exec(name)?.[1];
      if (slot === undefined) continue;
      try {
        return new DirectoryStoredPack(store, folder, name, Number(slot), openSync(join(folder, name), "r"));
      } catch (cause) {
        throw readFault(store, cause);
      }
    }
    return undefined;
  }

  private constructor(store: string, folder: string, name: string, slot: number, descriptor: number) {
    this.slot = slot;
    this.#store = store;
    this.#folder = folder;
    this.#pack = join(folder, name);
    this.#descriptor = descriptor;
  }

  isCurrent(): boolean {
    try {
      const [now, open] = [statSync(this.#pack), fstatSync(this.#descriptor)];
      return now.ino === open.ino && now.dev === open.dev;
    } catch {
      return false;
    }
  }

  async read(position: number, into: Uint8Array): Promise<boolean> {
    try {
      let done = 0;
      while (done < into.length) {
        const count = readSync(this.#descriptor, into, done, into.length - done, position + done);
        if (count === 0) return false;
        done += count;
      }
      return true;
    } catch (cause) {
      throw readFault(this.#store, cause);
    }
  }

  async readDocument(name: DocumentName, maxBytes: number): Promise<Uint8Array | undefined> {
    const path = join(this.#folder, name);
    try {
      return statSync(path).size > maxBytes ? undefined : new Uint8Array(readFileSync(path));
    } catch (cause) {
      if (errnoOf(cause) === "ENOENT") return undefined;
      throw readFault(this.#store, cause);
    }
  }

  async rewrite(position: number, bytes: Uint8Array): Promise<void> {
    try {
      if (!this.#writable) {
        const descriptor = openSync(this.#pack, "r+");
        closeSync(this.#descriptor);
        this.#descriptor = descriptor;
        this.#writable = true;
      }
      writeAll(this.#descriptor, position, bytes);
    } catch (cause) {
      throw writeFault(this.#store, cause);
    }
  }

  async rewriteDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    const fresh = join(this.#folder, `${name}.new`);
    try {
      await rm(fresh, { force: true });
      await writeDurably(fresh, bytes);
      await rename(fresh, join(this.#folder, name));
      await syncFolder(this.#folder);
    } catch (cause) {
      throw writeFault(this.#store, cause);
    }
  }

  async settle(length: number): Promise<void> {
    if (!this.#writable) return;
    try {
      if (statSync(this.#pack).size > length) ftruncateSync(this.#descriptor, length);
      await syncFile(this.#pack);
    } catch (cause) {
      throw writeFault(this.#store, cause);
    }
  }

  async close(): Promise<void> {
    closeSync(this.#descriptor);
  }
}

function writeAll(descriptor: number, position: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(descriptor, bytes, done, bytes.length - done, position + done);
}
