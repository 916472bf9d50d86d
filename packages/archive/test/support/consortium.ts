/** Stores of a consortium in a temporary folder, and the ways in which disks fail. */
import { mkdtemp, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { toHex } from "@xinglin/primitives";
import { DirectoryStore } from "../../src/store/directory.ts";
import { openStores } from "../../src/store/open.ts";

/** Six members that bring 3+3+3+2+2+1 stores, as the first consortium does. */
export const FOURTEEN = ["a", "a", "a", "b", "b", "b", "c", "c", "c", "d", "d", "e", "e", "f"];

/** A folder that is gone after the test. */
export async function temporaryFolder(t: Pick<TestContext, "after">): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-archive-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Stores in folders below one temporary folder. */
export class Consortium {
  readonly folder: string;
  readonly stores: readonly DirectoryStore[];

  static async open(
    t: Pick<TestContext, "after">,
    members: readonly string[] = FOURTEEN,
    quotaBytes?: number,
  ): Promise<Consortium> {
    const folder = await temporaryFolder(t);
    const descriptions = members.map((member, i) => ({
      kind: "directory" as const,
      id: `${member}-${i}`,
      member,
      path: join(folder, `store-${i}`),
      ...(quotaBytes === undefined ? {} : { quotaBytes }),
    }));
    await openStores(descriptions, { create: true });
    return new Consortium(
      folder,
      descriptions.map((description) => new DirectoryStore(description)),
    );
  }

  private constructor(folder: string, stores: readonly DirectoryStore[]) {
    this.folder = folder;
    this.stores = stores;
  }

  store(id: string): DirectoryStore {
    const store = this.stores.find((candidate) => candidate.id === id);
    if (store === undefined) throw new Error(`no store ${id}`);
    return store;
  }

  /** Renames the folders of these stores away, and returns what renames them back. */
  async loseStores(lost: readonly DirectoryStore[]): Promise<() => Promise<void>> {
    for (const { description } of lost) await rename(description.path, `${description.path}.gone`);
    return async () => {
      for (const { description } of lost) await rename(`${description.path}.gone`, description.path);
    };
  }

  /** The folder of an object on one store. */
  objectFolder(store: DirectoryStore, objectId: Uint8Array): string {
    return join(store.description.path, "objects", toHex(objectId));
  }

  /** The pack of an object on one store: its path and its slot. */
  async pack(store: DirectoryStore, objectId: Uint8Array): Promise<{ path: string; slot: number }> {
    const folder = this.objectFolder(store, objectId);
    const name = (await readdir(folder)).find((entry) => entry.startsWith("pieces."));
    if (name === undefined) throw new Error("no pack");
    return { path: join(folder, name), slot: Number(name.slice("pieces.".length)) };
  }

  /** The store that holds a slot of an object. */
  async storeOfSlot(objectId: Uint8Array, slot: number): Promise<DirectoryStore> {
    for (const store of this.stores) if ((await this.pack(store, objectId)).slot === slot) return store;
    throw new Error("no such slot");
  }

  /** Every file below the stores, relative, but those that say whose store it is. */
  async files(): Promise<string[]> {
    const names: string[] = [];
    for (const { description } of this.stores)
      for (const entry of await readdir(description.path, { recursive: true, withFileTypes: true }))
        if (entry.isFile() && entry.name !== "store") names.push(join(entry.parentPath, entry.name).slice(this.folder.length));
    return names;
  }
}

/** Flips one bit of a file. */
export async function flipBit(path: string, position: number): Promise<void> {
  const file = await open(path, "r+");
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte[0]! ^= 1;
  await file.write(byte, 0, 1, position);
  await file.close();
}

/** Files below a folder with their content, by relative path with `/`. */
export async function contentBelow(folder: string): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    found.set(path.slice(folder.length + 1).replaceAll("\\", "/"), await readFile(path));
  }
  return found;
}

/** For `assert.rejects`: a fault with this code and, if given, these facts among others. */
export const fault =
  (code: string, facts: Record<string, string | number> = {}) =>
  (error: unknown) => {
    const found = error as { code?: string; facts?: Record<string, string | number> };
    if (found.code !== code) throw new Error(`expected ${code}, got ${error}`, { cause: error });
    for (const [name, value] of Object.entries(facts))
      if (found.facts?.[name] !== value) throw new Error(`expected ${name}=${value}, got ${error}`, { cause: error });
    return true;
  };
