/** A pack being written to an S3 store: the generation that its stage announces, visible once the object's marker names it. */
import { Fault } from "@xinglin/primitives";
import { documentKey, piecesKey, type S3Marker, type S3Stage } from "./s3-layout.ts";
import type { S3Objects } from "./s3-objects.ts";
import { S3Upload } from "./s3-upload.ts";
import type { DocumentName, StagedPack } from "./store.ts";

/** Pieces go to the server in rising position; those that come early wait here. */
const EARLY_BYTES = 2 * 2 ** 20;
const ZEROS = new Uint8Array(65_536);

/** A pack of `stage`. Writing more than `budget` bytes is `disk_full`. */
export class S3StagedPack implements StagedPack {
  readonly #objects: S3Objects;
  readonly #stage: S3Stage;
  readonly #slot: number;
  readonly #upload: S3Upload;
  readonly #early = new Map<number, Uint8Array>();
  #earlyBytes = 0;
  #budget: number;
  #spent = 0;
  #isOver = false;

  constructor(objects: S3Objects, stage: S3Stage, slot: number, budget: number) {
    this.#objects = objects;
    this.#stage = stage;
    this.#slot = slot;
    this.#budget = budget;
    this.#upload = new S3Upload(objects.bucket, piecesKey(stage.object, stage.generation));
  }

  async write(position: number, bytes: Uint8Array): Promise<void> {
    this.#spend(bytes.length);
    if (position < this.#upload.lengthBytes) throw this.#objects.refused("EEXIST");
    if (position > this.#upload.lengthBytes) {
      this.#earlyBytes += bytes.length;
      if (this.#earlyBytes > EARLY_BYTES) throw this.#objects.refused("ESPIPE");
      this.#early.set(position, new Uint8Array(bytes));
      return;
    }
    await this.#upload.append(bytes);
    for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#upload.append(next);
  }

  async writeDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    this.#spend(bytes.length);
    await this.#objects.bucket.put(documentKey(this.#stage.object, this.#stage.generation, name), bytes);
  }

  async settle(): Promise<void> {
    for (const position of [...this.#early.keys()].sort((a, b) => a - b)) {
      // A folder's file has zeros where nothing was written.
      for (let gap = position - this.#upload.lengthBytes; gap > 0; gap = position - this.#upload.lengthBytes)
        await this.#upload.append(ZEROS.subarray(0, gap));
      const piece = this.#take();
      if (piece !== undefined) await this.#upload.append(piece);
    }
    await this.#upload.finish();
  }

  async publish(): Promise<void> {
    const { object, generation, reason } = this.#stage;
    const marker: S3Marker = {
      type: "xinglin-object/1",
      slot: this.#slot,
      lengthBytes: this.#upload.lengthBytes,
      pieces: generation,
      documents: generation,
    };
    const old = reason === "repair" ? await this.#objects.marker(object) : undefined;
    const condition = old === undefined ? "absent" : { etag: old.etag };
    if ((await this.#objects.mark(object, marker, condition)) === undefined) throw this.#objects.refused("EEXIST");
    if (reason === "repair") await this.#objects.dropUnnamed(object, this.#stage);
    // As long as the stage is there the import counts as under way and would be rolled back: it is over when this is done, not before.
    this.#isOver = true;
    await this.#objects.end(this.#stage);
  }

  async discard(): Promise<void> {
    await this.#upload.rest();
    if (this.#isOver) await this.#objects.announce(this.#stage);
    await this.#objects.unmark(this.#stage.object, this.#stage.generation);
    const freed = await this.#objects.drop(this.#stage);
    this.#objects.usage.add(freed - this.#spent); // parts of an upload are in no listing
    this.#spent = 0;
    await this.#objects.end(this.#stage);
  }

  /** The piece that comes next, if it came early. */
  #take(): Uint8Array | undefined {
    const next = this.#early.get(this.#upload.lengthBytes);
    if (next === undefined) return undefined;
    this.#early.delete(this.#upload.lengthBytes);
    this.#earlyBytes -= next.length;
    return next;
  }

  #spend(bytes: number): void {
    this.#budget -= bytes;
    if (this.#budget < 0) throw new Fault("disk_full", { store: this.#objects.store });
    this.#spent += bytes;
    this.#objects.usage.add(bytes);
  }
}
