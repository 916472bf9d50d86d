/**
 * A store in a folder. The folder is claimed once and never made anew by the way: where its disk is not mounted, an empty mount point would take what
 * the disk should. A published object is a folder `objects/ID` with `pieces.SLOT`, `table` and `manifest`; it is written as
 * `incoming/ID.PURPOSE.OWNER` and renamed when all of it is on disk, so a crash leaves a whole object or a stage that `collect` removes.
 * Pieces are read and written with blocking calls: use packs in a worker.
 */
import { readFileSync, statSync } from "node:fs";
import { mkdir, readdir, readFile, rm, rmdir, stat, statfs } from "node:fs/promises";
import { join } from "node:path";
import { Fault, fromHex, toHex } from "@xinglin/primitives";
import { type DirectoryDescription, type Site, siteOf } from "./description.ts";
import { DirectoryStagedPack, DirectoryStoredPack } from "./directory-pack.ts";
import { bytesBelow, forgetObjectBytes, objectBytes } from "./directory-usage.ts";
import { errnoOf, readFault, writeFault } from "./disk-fault.ts";
import { makeFolder, syncFolder, writeDurably } from "./durable.ts";
import { isStale } from "./owner.ts";
import type { StagedPack, StagePurpose, StaleStage, Store, StoredPack, StoreRoom } from "./store.ts";

/** Whose store a folder is. */
const OWNER_FILE = "store";
const STAGE_NAME = /^([0-9a-f]{32})\.(import|repair)\.([0-9a-f]{8}-[0-9]+-[0-9a-f]{8})$/;
const OBJECT_NAME = /^[0-9a-f]{32}$/;

/** The store that a folder is. Nothing is read or made until a method is called. */
export class DirectoryStore implements Store {
  readonly description: DirectoryDescription;
  readonly id: string;
  readonly member: string;
  readonly site: Site;
  readonly #objects: string;
  readonly #incoming: string;

  constructor(description: DirectoryDescription) {
    this.description = description;
    this.id = description.id;
    this.member = description.member;
    this.site = siteOf(description);
    this.#objects = join(description.path, "objects");
    this.#incoming = join(description.path, "incoming");
  }

  async create(): Promise<void> {
    try {
      if (statSync(this.description.path, { throwIfNoEntry: false })?.isDirectory() === false)
        throw new Fault("store_not_a_folder", { store: this.id });
      await makeFolder(this.#objects);
      await makeFolder(this.#incoming);
      await this.#claim();
      await syncFolder(this.description.path);
    } catch (cause) {
      // A file stands somewhere above it.
      throw errnoOf(cause) === "ENOTDIR" ? new Fault("store_not_a_folder", { store: this.id }) : writeFault(this.id, cause);
    }
  }

  async unclaim(): Promise<void> {
    await this.#writing(async () => {
      const left = [...(await readdir(this.#objects)), ...(await readdir(this.#incoming))].length;
      if (left > 0) throw new Fault("store_not_empty", { store: this.id, objects: left });
      await rm(join(this.description.path, OWNER_FILE));
      for (const folder of [this.#objects, this.#incoming]) await rmdir(folder);
      await syncFolder(this.description.path);
    });
  }

  /** Writes down whose folder this is, once: two stores in one folder would remove each other's objects. */
  async #claim(): Promise<void> {
    const path = join(this.description.path, OWNER_FILE);
    const owner = this.#owner;
    const found = await readFile(path, "utf8").catch(() => undefined);
    if (found === owner) return;
    // A crash while it was written leaves its beginning.
    if (found !== undefined && owner.startsWith(found)) await rm(path);
    if (found === undefined || owner.startsWith(found)) await writeDurably(path, Buffer.from(owner));
    else throw new Fault("store_taken", { store: this.id, holder: found.slice(0, 100) });
  }

  get #owner(): string {
    return `${this.member}/${this.id}`;
  }

  async isPresent(): Promise<boolean> {
    try {
      this.#requireClaim();
      return true;
    } catch {
      return false;
    }
  }

  /** Blocking, as pieces are: it is asked before each object, and the file is tiny. Throws `store_absent`, `store_unclaimed`, `store_unreadable`. */
  #requireClaim(): void {
    let found: string | undefined;
    try {
      found = readFileSync(join(this.description.path, OWNER_FILE), "utf8");
    } catch (cause) {
      const isThere = statSync(this.description.path, { throwIfNoEntry: false })?.isDirectory() === true;
      if (!isThere || errnoOf(cause) !== "ENOENT") throw readFault(this.id, cause);
    }
    if (found !== this.#owner) throw new Fault("store_unclaimed", { store: this.id }, { retry: true });
  }

  async room(): Promise<StoreRoom> {
    return await this.#reading(async () => {
      const [disk, { dev }] = await Promise.all([statfs(this.#objects), stat(this.#objects)]);
      const diskFreeBytes = disk.bavail * disk.bsize;
      const { quotaBytes } = this.description;
      if (quotaBytes === undefined) return { freeBytes: diskFreeBytes, disk: String(dev), diskFreeBytes };
      const used = (await objectBytes(this.#objects)) + (await bytesBelow(this.#incoming));
      return { freeBytes: Math.max(0, Math.min(diskFreeBytes, quotaBytes - used)), disk: String(dev), diskFreeBytes };
    });
  }

  async stage(objectId: Uint8Array, slot: number, purpose: StagePurpose, owner: string): Promise<StagedPack> {
    const budget = this.description.quotaBytes === undefined ? Number.POSITIVE_INFINITY : (await this.room()).freeBytes;
    const name = toHex(objectId);
    if (purpose === "repair") forgetObjectBytes(this.#objects, name);
    const folder = join(this.#incoming, `${name}.${purpose}.${owner}`);
    return await this.#writing(async () => {
      await mkdir(folder);
      return new DirectoryStagedPack(this.id, folder, join(this.#objects, name), slot, {
        budget,
        replaces: purpose === "repair",
      });
    });
  }

  async open(objectId: Uint8Array): Promise<StoredPack | undefined> {
    const folder = join(this.#objects, toHex(objectId));
    const names = await this.#reading(async () => {
      try {
        return await readdir(folder);
      } catch (cause) {
        if (errnoOf(cause) === "ENOENT") return undefined;
        throw cause;
      }
    });
    return names === undefined ? undefined : DirectoryStoredPack.open(this.id, folder, names);
  }

  async has(objectId: Uint8Array): Promise<boolean> {
    return await this.#reading(async () => {
      try {
        await stat(join(this.#objects, toHex(objectId)));
        return true;
      } catch (cause) {
        if (errnoOf(cause) === "ENOENT") return false;
        throw cause;
      }
    });
  }

  async list(): Promise<string[]> {
    return await this.#reading(async () => (await readdir(this.#objects)).filter((name) => OBJECT_NAME.test(name)));
  }

  async remove(objectId: Uint8Array): Promise<void> {
    const name = toHex(objectId);
    await this.#writing(async () => {
      for (const stage of await readdir(this.#incoming))
        if (stage.startsWith(`${name}.`)) await rm(join(this.#incoming, stage), { recursive: true, force: true });
      await rm(join(this.#objects, name), { recursive: true, force: true });
      await syncFolder(this.#objects);
    });
  }

  async collect(): Promise<readonly StaleStage[]> {
    return await this.#writing(async () => {
      const stale: StaleStage[] = [];
      for (const name of await readdir(this.#incoming)) {
        const parts = STAGE_NAME.exec(name);
        const path = join(this.#incoming, name);
        const touched = await stat(path).catch(() => undefined);
        if (parts === null || touched === undefined || !isStale(parts[3]!, touched.mtimeMs)) continue;
        stale.push({ objectId: fromHex(parts[1]!), purpose: parts[2] as StagePurpose });
        await rm(path, { recursive: true, force: true });
      }
      return stale;
    });
  }

  async #reading<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.#requireClaim();
      return await work();
    } catch (cause) {
      throw cause instanceof Fault ? cause : readFault(this.id, cause);
    }
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.#requireClaim();
      return await work();
    } catch (cause) {
      throw writeFault(this.id, cause);
    }
  }
}
