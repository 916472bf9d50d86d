/** Markers, packs and stages of one store, as its packs and the store itself read and write them. */
import { equal, Fault, toHex } from "@xinglin/primitives";
import type { S3Description } from "./description.ts";
import { S3Bucket, type S3Condition, type S3Entry, type S3OpenUpload } from "./s3-bucket.ts";
import type { S3Pace } from "./s3-client.ts";
import {
  decodeMarker,
  documentKey,
  encodeNote,
  generationOf,
  INCOMING,
  MAX_NOTE_BYTES,
  markerKey,
  newGeneration,
  packsOf,
  piecesKey,
  type S3Marker,
  type S3Stage,
  stageKey,
  stageOfKey,
} from "./s3-layout.ts";
import { S3Usage } from "./s3-usage.ts";

/** What stands where an object's marker is, with the ETag under which it can be replaced. No marker: it is damaged. */
export interface FoundMarker {
  readonly marker: S3Marker | undefined;
  readonly etag: string;
}

/** A stage that a listing found, and when it was begun. */
export interface FoundStage {
  readonly stage: S3Stage;
  readonly touchedMs: number;
}

/** One store's keys. Faults: those of `S3Bucket`. */
export class S3Objects {
  readonly bucket: S3Bucket;
  readonly usage: S3Usage;

  constructor(description: S3Description, pace?: S3Pace) {
    this.bucket = new S3Bucket(description, pace);
    this.usage = new S3Usage(this.bucket, description.url);
  }

  get store(): string {
    return this.bucket.store;
  }

  /** The object's marker, or undefined if there is none. */
  async marker(object: string): Promise<FoundMarker | undefined> {
    const found = await this.bucket.get(markerKey(object), MAX_NOTE_BYTES);
    return found === undefined ? undefined : { marker: decodeMarker(found.bytes), etag: found.etag };
  }

  /**
   * Writes a marker under a condition and returns its ETag, or undefined if the condition does not hold. An answer that was lost on its
   * way may have been a yes: if the marker is this one, it was.
   */
  async mark(object: string, marker: S3Marker, condition: S3Condition): Promise<string | undefined> {
    const note = encodeNote(marker);
    const etag = await this.bucket.put(markerKey(object), note, condition);
    if (etag !== undefined) return etag;
    const found = await this.bucket.get(markerKey(object), MAX_NOTE_BYTES);
    return found !== undefined && equal(found.bytes, note) ? found.etag : undefined;
  }

  /** Removes the object's marker if it names one of this generation. */
  async unmark(object: string, generation: string): Promise<void> {
    const marker = (await this.marker(object))?.marker;
    if (marker?.pieces === generation || marker?.documents === generation) await this.bucket.remove(markerKey(object));
  }

  /** Says that a generation is about to be written or removed, so that it is found should this process die. */
  async begin(objectId: Uint8Array, reason: S3Stage["reason"], owner: string): Promise<S3Stage> {
    const stage = { object: toHex(objectId), reason, owner, generation: newGeneration() };
    await this.announce(stage);
    return stage;
  }

  /** Says so once more, of a stage that has ended. */
  async announce(stage: S3Stage): Promise<void> {
    await this.bucket.put(stageKey(stage), new Uint8Array(0));
  }

  /** Says that it is done, or undone. */
  async end(stage: S3Stage): Promise<void> {
    await this.bucket.remove(stageKey(stage));
  }

  /** Stages of one object, or of all. */
  async stages(object = ""): Promise<FoundStage[]> {
    const found: FoundStage[] = [];
    for await (const { key, touchedMs } of this.bucket.list(INCOMING + object)) {
      const stage = stageOfKey(key);
      if (stage !== undefined) found.push({ stage, touchedMs });
    }
    return found;
  }

  /** Removes all of one generation, uploads on their way included. Returns the bytes that this freed. */
  async drop({ object, generation }: Pick<S3Stage, "object" | "generation">): Promise<number> {
    return await this.#removeAll(await this.#contents(generationOf(object, generation)));
  }

  /** Removes all that an object has below `packs/`. */
  async dropAll(object: string): Promise<void> {
    await this.#removeAll(await this.#contents(packsOf(object)));
  }

  /** Removes what neither the object's marker nor a stage other than `done` names: what a replaced generation leaves. */
  async dropUnnamed(object: string, done: S3Stage): Promise<void> {
    // First the keys, then the stages, then the marker: what is begun after the listing is not in it, and what ends after it is in the marker.
    const contents = await this.#contents(packsOf(object));
    const others = (await this.stages(object)).filter(({ stage }) => stageKey(stage) !== stageKey(done));
    const growing = others.map(({ stage }) => generationOf(object, stage.generation));
    const marker = (await this.marker(object))?.marker;
    const named = marker === undefined ? [] : keysOf(object, marker);
    const isUnnamed = ({ key }: { key: string }): boolean =>
      !named.includes(key) && !growing.some((start) => key.startsWith(start));
    await this.#removeAll({ uploads: contents.uploads.filter(isUnnamed), entries: contents.entries.filter(isUnnamed) });
  }

  /** Uploads before keys: one that is completed in between shows in either. */
  async #contents(start: string): Promise<{ uploads: S3OpenUpload[]; entries: S3Entry[] }> {
    const uploads = await this.bucket.uploads(start);
    const entries: S3Entry[] = [];
    for await (const entry of this.bucket.list(start)) entries.push(entry);
    return { uploads, entries };
  }

  async #removeAll({ uploads, entries }: { uploads: readonly S3OpenUpload[]; entries: readonly S3Entry[] }): Promise<number> {
    let freed = 0;
    for (const upload of uploads) await this.bucket.abort(upload);
    for (const { key, sizeBytes } of entries) {
      await this.bucket.remove(key);
      this.usage.add(-sizeBytes);
      freed += sizeBytes;
    }
    return freed;
  }

  /** The fault of a write that something else stands in the way of. */
  refused(errno: string): Fault {
    return new Fault("store_unwritable", { store: this.store, errno });
  }
}

/** What a marker says is there. */
function keysOf(object: string, { pieces, documents }: S3Marker): string[] {
  return [piecesKey(object, pieces), documentKey(object, documents, "table"), documentKey(object, documents, "manifest")];
}
