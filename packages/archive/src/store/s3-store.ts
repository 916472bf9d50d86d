/**
 * A store in an S3 bucket, or below a prefix of one. S3 neither renames nor writes in place, but it writes a small object all at once and
 * only where there is none: that object, the marker, decides what is there. See `s3-layout.ts` for what stands where.
 *
 * Each write is announced by a stage before anything of it is there, and the stage goes last. So one listing of the stages finds whatever
 * a process that died has left, however many objects the store has.
 */
import { Fault, fromHex, toHex } from "@xinglin/primitives";
import { type S3Description, type Site, siteOf } from "./description.ts";
import { isStale, stageOwner } from "./owner.ts";
import type { S3Pace } from "./s3-client.ts";
import {
  decodeOwner,
  encodeNote,
  MAX_NOTE_BYTES,
  markerKey,
  OBJECTS,
  OWNER_KEY,
  objectOfMarker,
  PACKS,
  packOfKey,
  packsOf,
  type S3Owner,
  stageKey,
} from "./s3-layout.ts";
import { type FoundStage, S3Objects } from "./s3-objects.ts";
import { S3StagedPack } from "./s3-staged-pack.ts";
import { S3StoredPack } from "./s3-stored-pack.ts";
import type { StagedPack, StagePurpose, StaleStage, Store, StoredPack, StoreRoom } from "./store.ts";

/** The store that a bucket is. Nothing is asked or made until a method is called. Faults of the constructor: `s3_url_wrong`. */
export class S3Store implements Store {
  readonly description: S3Description;
  readonly id: string;
  readonly member: string;
  readonly site: Site;
  readonly #objects: S3Objects;

  constructor(description: S3Description, pace?: S3Pace) {
    this.description = description;
    this.id = description.id;
    this.member = description.member;
    this.site = siteOf(description);
    this.#objects = new S3Objects(description, pace);
  }

  /**
   * Makes the bucket if there is none and the credentials allow it, and writes down whose store this is. Faults: `store_taken` (another
   * store's), `s3_conditions_ignored` and `s3_versions_kept` (what this server cannot do, or does too much).
   */
  async create(): Promise<void> {
    const { bucket } = this.#objects;
    try {
      await bucket.page("", 1);
    } catch (cause) {
      if (!(cause instanceof Fault && cause.code === "s3_bucket_missing")) throw cause;
      await bucket.make().catch((refusal: Fault) => {
        throw refusal.code === "s3_refused" ? cause : refusal;
      });
    }
    if ((await this.#holder()) === "us") return;
    if (await bucket.isVersioned()) throw new Fault("s3_versions_kept", { store: this.id });
    const note = encodeNote(this.#owner);
    const isFirst = (await bucket.put(OWNER_KEY, note, "absent")) !== undefined;
    if ((await this.#holder()) !== "us") throw new Fault("store_absent", { store: this.id }, { retry: true });
    if (!isFirst || (await bucket.put(OWNER_KEY, note, "absent")) === undefined) return;
    await bucket.remove(OWNER_KEY); // two imports of one object would overwrite each other
    throw new Fault("s3_conditions_ignored", { store: this.id });
  }

  async unclaim(): Promise<void> {
    const { bucket } = this.#objects;
    const left = (await this.list()).length + (await this.#objects.stages()).length;
    if (left > 0) throw new Fault("store_not_empty", { store: this.id, objects: left });
    await bucket.remove(OWNER_KEY);
  }

  async isPresent(): Promise<boolean> {
    return (await this.#holder().catch(() => undefined)) === "us";
  }

  async room(): Promise<StoreRoom> {
    await this.#requirePresent();
    const { quotaBytes } = this.description;
    const diskFreeBytes = Number.MAX_SAFE_INTEGER; // a bucket does not say; when its owner's quota is reached, writing is refused
    const freeBytes = quotaBytes === undefined ? diskFreeBytes : Math.max(0, quotaBytes - (await this.#objects.usage.bytes()));
    return { freeBytes, disk: `s3 ${this.description.url}`, diskFreeBytes };
  }

  async stage(objectId: Uint8Array, slot: number, purpose: StagePurpose, owner: string): Promise<StagedPack> {
    const { freeBytes } = await this.room();
    const stage = await this.#objects.begin(objectId, purpose, owner);
    return new S3StagedPack(this.#objects, stage, slot, freeBytes);
  }

  async open(objectId: Uint8Array): Promise<StoredPack | undefined> {
    const found = await this.#objects.marker(toHex(objectId));
    if (found === undefined) await this.#requirePresent();
    if (found?.marker === undefined) return undefined; // a damaged marker: the pack is lost, and a repair replaces it
    return new S3StoredPack(this.#objects, objectId, { marker: found.marker, etag: found.etag }, stageOwner);
  }

  async has(objectId: Uint8Array): Promise<boolean> {
    return (await this.#objects.marker(toHex(objectId))) !== undefined;
  }

  async list(): Promise<string[]> {
    await this.#requirePresent();
    const objects: string[] = [];
    for await (const { key } of this.#objects.bucket.list(OBJECTS)) {
      const object = objectOfMarker(key);
      if (object !== undefined) objects.push(object);
    }
    return objects;
  }

  async remove(objectId: Uint8Array): Promise<void> {
    const object = toHex(objectId);
    const { bucket } = this.#objects;
    await this.#requirePresent();
    const [marker, packs, stages] = await Promise.all([
      this.#objects.marker(object),
      bucket.page(packsOf(object), 1),
      this.#objects.stages(object),
    ]);
    if (marker === undefined && packs.entries.length === 0 && stages.length === 0) return;
    const removal = await this.#objects.begin(objectId, "removal", stageOwner);
    if (marker !== undefined) await bucket.remove(markerKey(object));
    await this.#objects.dropAll(object);
    for (const { stage } of stages) await this.#objects.end(stage);
    await this.#objects.end(removal);
  }

  async collect(): Promise<readonly StaleStage[]> {
    await this.#requirePresent();
    const { bucket } = this.#objects;
    const uploads = await bucket.uploads(PACKS); // before the stages: whoever began one of these has announced it
    const stages = await this.#objects.stages();
    const stale: StaleStage[] = [];
    for (const found of stages) {
      if (!(await this.#isStale(found))) continue;
      const { object, reason, generation } = found.stage;
      if (reason === "import") await this.#objects.unmark(object, generation);
      await this.#objects.dropUnnamed(object, found.stage);
      await this.#objects.end(found.stage);
      if (reason !== "removal") stale.push({ objectId: fromHex(object), purpose: reason });
    }
    for (const upload of uploads) {
      const pack = packOfKey(upload.key);
      // An answer that was lost on its way may leave an upload that its own writer does not know of.
      const isKnown = stages.some(
        ({ stage: { object, generation } }) => object === pack?.object && generation === pack.generation,
      );
      if (!isKnown) await bucket.abort(upload);
    }
    return stale;
  }

  /** Whether the stage's process is gone. A listing may be old: that an import is not over is asked of the stage itself. */
  async #isStale({ stage, touchedMs }: FoundStage): Promise<boolean> {
    return isStale(stage.owner, touchedMs) && (await this.#objects.bucket.get(stageKey(stage), 0)) !== undefined;
  }

  get #owner(): S3Owner {
    return { type: "xinglin-store/1", member: this.member, store: this.id };
  }

  /** Who has the prefix: this store or nobody yet. Faults: `store_taken`. */
  async #holder(): Promise<"us" | undefined> {
    const found = await this.#objects.bucket.get(OWNER_KEY, MAX_NOTE_BYTES);
    if (found === undefined) return undefined;
    const owner = decodeOwner(found.bytes);
    if (owner?.member === this.member && owner.store === this.id) return "us";
    throw new Fault("store_taken", { store: this.id, holder: owner === undefined ? "-" : `${owner.member}/${owner.store}` });
  }

  async #requirePresent(): Promise<void> {
    if ((await this.#holder()) !== "us") throw new Fault("store_absent", { store: this.id }, { retry: true });
  }
}
