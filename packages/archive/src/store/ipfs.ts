/**
 * A store in an IPFS node that the member runs: a stock Kubo, or the small private one in `engine/ipfs`. Pieces are raw blocks under their own
 * hashes, one pinned root a pack names them, and a marker shows the object; `ipfs-names.ts` says how they are found again.
 * Source: design.md, "Archive" (stores behind one interface: directory, S3, IPFS); docs/internals/archive.md.
 */
import { Fault, toHex, utf8 } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";
import { type IpfsDescription, type Site, siteOf } from "./description.ts";
import { IpfsBlocks } from "./ipfs-blocks.ts";
import { IpfsRefusal, refusalFault } from "./ipfs-fault.ts";
import { type NamedStage, StoreNames } from "./ipfs-names.ts";
import { IpfsStoredPack } from "./ipfs-pack.ts";
import { pinAgain, releaseHolds } from "./ipfs-replace.ts";
import { IpfsRpc } from "./ipfs-rpc.ts";
import { IpfsStagedPack } from "./ipfs-stage.ts";
import { sweep, sweepPending } from "./ipfs-sweep.ts";
import { isStale } from "./owner.ts";
import type { StagedPack, StagePurpose, StaleStage, Store, StoredPack, StoreRoom } from "./store.ts";

/** The store that a node is. Nothing is asked or made until a method is called. */
export class IpfsStore implements Store {
  readonly description: IpfsDescription;
  readonly id: string;
  readonly member: string;
  readonly site: Site;
  readonly #blocks: IpfsBlocks;
  readonly #names: StoreNames;

  constructor(description: IpfsDescription) {
    this.description = description;
    this.id = description.id;
    this.member = description.member;
    this.site = siteOf(description);
    this.#blocks = new IpfsBlocks(new IpfsRpc(this.id, description.api));
    this.#names = new StoreNames(this.id);
  }

  async create(): Promise<void> {
    await this.#doing("writing", async () => {
      const { link, bytes } = this.#names.storeMarker;
      await this.#blocks.keep(link, bytes, "recursive", this.#names.store);
    });
  }

  async unclaim(): Promise<void> {
    await this.#doing("writing", async () => {
      const left = (await this.list()).length;
      if (left > 0) throw new Fault("store_not_empty", { store: this.id, objects: left });
      await this.#blocks.unpin(this.#names.storeMarker.link, "recursive");
    });
  }

  async isPresent(): Promise<boolean> {
    const name = await this.#blocks.pinName(this.#names.storeMarker.link, "recursive").catch(() => undefined);
    return name !== undefined;
  }

  async room(): Promise<StoreRoom> {
    return await this.#doing("reading", async () => {
      await this.#requirePresent();
      await sweepPending(this.description.api, this.#blocks);
      const [stat] = await this.#blocks.rpc.call("repo/stat", { query: { "size-only": true } });
      const used = Number(stat?.RepoSize ?? 0);
      const limit = Number(stat?.StorageMax ?? 0) - used; // a stock node names 10 GB until it is told otherwise
      const diskFreeBytes = Math.max(0, Math.min((await this.#diskFree()) ?? Number.MAX_SAFE_INTEGER, limit));
      const { quotaBytes = Number.MAX_SAFE_INTEGER, api } = this.description;
      const disk = `ipfs-${toHex(sha256(utf8(api)).subarray(0, 8))}`; // members are told, and an address may be a path
      return { freeBytes: Math.max(0, Math.min(diskFreeBytes, quotaBytes - used)), disk, diskFreeBytes };
    });
  }

  async stage(objectId: Uint8Array, slot: number, purpose: StagePurpose, owner: string): Promise<StagedPack> {
    return await this.#doing("writing", async () => {
      const budget = this.description.quotaBytes === undefined ? Number.POSITIVE_INFINITY : (await this.room()).freeBytes;
      await this.#requirePresent();
      const context = { store: this.id, blocks: this.#blocks, names: this.#names, slot, budget, sweep: () => this.#sweep() };
      return await IpfsStagedPack.begin({ objectId, purpose, owner, startedMs: Date.now() }, context);
    });
  }

  async open(objectId: Uint8Array): Promise<StoredPack | undefined> {
    return await this.#doing("reading", async () => {
      const shown = await this.#shown(objectId);
      if (shown === undefined) {
        await this.#requirePresent();
        return undefined;
      }
      const { exchangeMs } = this.description;
      const context = { store: this.id, blocks: this.#blocks, names: this.#names, exchangeMs, sweep: () => this.#sweep() };
      return await IpfsStoredPack.open(objectId, shown.root, context);
    });
  }

  async has(objectId: Uint8Array): Promise<boolean> {
    return await this.#doing("reading", async () => (await this.#shown(objectId)) !== undefined);
  }

  async list(): Promise<string[]> {
    return await this.#doing("reading", async () => {
      await this.#requirePresent();
      const objects: string[] = [];
      for await (const { name } of this.#blocks.pins("recursive", this.#names.objects)) {
        const shown = this.#names.parseObject(name);
        if (shown !== undefined) objects.push(shown.objectId);
      }
      return objects;
    });
  }

  async remove(objectId: Uint8Array): Promise<void> {
    await this.#doing("writing", async () => {
      const shown = await this.#shown(objectId);
      if (shown !== undefined) {
        await this.#blocks.unpin(this.#names.objectMarker(objectId).link, "recursive");
        await this.#blocks.unpin(shown.root, "recursive");
        await releaseHolds(this.#blocks, this.#names, objectId);
      }
      let staged = false;
      for await (const { link, name } of this.#blocks.pins("direct", this.#names.stages(objectId))) {
        staged = true;
        const root = this.#names.parseStage(name)?.root;
        if (root !== undefined) await this.#blocks.unpin(root, "recursive");
        await this.#blocks.unpin(link, "direct");
      }
      if (shown !== undefined || staged) await this.#sweep();
    });
  }

  async collect(): Promise<readonly StaleStage[]> {
    return await this.#doing("writing", async () => {
      await this.#requirePresent();
      const stale = new Map<string, StaleStage>();
      for await (const { link, name } of this.#blocks.pins("direct", this.#names.stages())) {
        const stage = this.#names.parseStage(name);
        if (stage === undefined || !isStale(stage.owner, stage.startedMs)) continue;
        await this.#clear(stage);
        await this.#blocks.unpin(link, "direct");
        stale.set(`${toHex(stage.objectId)} ${stage.purpose}`, { objectId: stage.objectId, purpose: stage.purpose });
      }
      if (stale.size > 0) await this.#sweep();
      return [...stale.values()];
    });
  }

  /** Removes what a dead stage pinned and nobody sees. Of a repair that died, the object is kept by one pin again. */
  async #clear({ objectId, purpose, root }: NamedStage): Promise<void> {
    const shown = await this.#shown(objectId);
    if (root !== undefined && shown?.root.equals(root) !== true) await this.#blocks.unpin(root, "recursive");
    if (purpose === "import" || shown === undefined) return;
    if (await pinAgain(this.#blocks, this.#names, objectId, shown.root)) await releaseHolds(this.#blocks, this.#names, objectId);
    for await (const { link } of this.#blocks.pins("recursive", this.#names.root(objectId)))
      if (!link.equals(shown.root)) await this.#blocks.unpin(link, "recursive");
  }

  /** What the object's marker says, if it is pinned. */
  async #shown(objectId: Uint8Array): Promise<ReturnType<StoreNames["parseObject"]>> {
    const name = await this.#blocks.pinName(this.#names.objectMarker(objectId).link, "recursive");
    return name === undefined ? undefined : this.#names.parseObject(name);
  }

  async #requirePresent(): Promise<void> {
    const name = await this.#blocks.pinName(this.#names.storeMarker.link, "recursive");
    if (name === undefined) throw new Fault("store_absent", { store: this.id }, { retry: true });
  }

  /** Not every node tells: then the limits of store and node are all that is known. */
  async #diskFree(): Promise<number | undefined> {
    try {
      const [line] = await this.#blocks.rpc.call("diag/sys");
      const free = (line?.diskinfo as { free_space?: unknown } | undefined)?.free_space;
      return typeof free === "number" ? free : undefined;
    } catch (cause) {
      if (cause instanceof IpfsRefusal || (cause instanceof Fault && cause.code === "ipfs_answer_foreign")) return undefined;
      throw cause;
    }
  }

  async #sweep(): Promise<void> {
    await sweep(this.description.api, this.#blocks);
  }

  async #doing<T>(work: "reading" | "writing", run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (cause) {
      throw refusalFault(this.id, cause, work);
    }
  }
}
