/**
 * A published pack of an S3 store. S3 replaces whole objects only, so what is rewritten goes into a new generation: the server copies what
 * stays, and the marker changes over to it when all of it is there.
 */
import { toHex } from "@xinglin/primitives";
import { documentKey, piecesKey, type S3Marker, type S3Stage } from "./s3-layout.ts";
import type { S3Objects } from "./s3-objects.ts";
import { S3Upload } from "./s3-upload.ts";
import type { DocumentName, StoredPack } from "./store.ts";

/** A generation that is to replace the pack. */
interface Draft {
  readonly stage: S3Stage;
  readonly upload: S3Upload;
  /** Bytes of the pack that it replaces: what the server has, which may be less than the marker says. */
  readonly oldBytes: number;
}

/** The pack that a marker names; `owner` is who would rewrite it. */
export class S3StoredPack implements StoredPack {
  readonly slot: number;
  readonly #objects: S3Objects;
  readonly #objectId: Uint8Array;
  readonly #object: string;
  readonly #owner: string;
  #marker: S3Marker;
  #etag: string;
  #draft: Draft | undefined;

  constructor(objects: S3Objects, objectId: Uint8Array, found: { marker: S3Marker; etag: string }, owner: string) {
    this.slot = found.marker.slot;
    this.#objects = objects;
    this.#objectId = objectId;
    this.#object = toHex(objectId);
    this.#marker = found.marker;
    this.#etag = found.etag;
    this.#owner = owner;
  }

  async read(position: number, into: Uint8Array): Promise<boolean> {
    for (let isFirst = true; ; isFirst = false) {
      const { lengthBytes, pieces } = this.#marker;
      if (position + into.length > lengthBytes) return false;
      const count = await this.#objects.bucket.read(piecesKey(this.#object, pieces), position, into);
      if (count === into.length) return true;
      if (!isFirst || !(await this.#isReplaced())) return false;
    }
  }

  async readDocument(name: DocumentName, maxBytes: number): Promise<Uint8Array | undefined> {
    for (let isFirst = true; ; isFirst = false) {
      const key = documentKey(this.#object, this.#marker.documents, name);
      const found = await this.#objects.bucket.get(key, maxBytes);
      if (found !== undefined || !isFirst || !(await this.#isReplaced())) return found?.bytes;
    }
  }

  async rewrite(position: number, bytes: Uint8Array): Promise<void> {
    if (this.#draft !== undefined && position < this.#draft.upload.lengthBytes) await this.#commit(undefined);
    this.#draft ??= await this.#begin();
    await this.#fillUp(this.#draft, position);
    await this.#draft.upload.append(bytes);
    this.#objects.usage.add(bytes.length);
  }

  async rewriteDocument(name: DocumentName, bytes: Uint8Array): Promise<void> {
    await this.#objects.bucket.put(documentKey(this.#object, this.#marker.documents, name), bytes);
  }

  async settle(length: number): Promise<void> {
    if (this.#draft !== undefined) await this.#commit(length);
    else if (this.#marker.lengthBytes > length) await this.#mark({ ...this.#marker, lengthBytes: length });
  }

  async close(): Promise<void> {
    const draft = this.#draft;
    if (draft === undefined) return;
    this.#draft = undefined;
    await draft.upload.rest();
    await this.#objects.drop(draft.stage);
    await this.#objects.end(draft.stage);
  }

  /** Whether a repair has put another generation in the place of the one that was opened; it is used from now on. */
  async #isReplaced(): Promise<boolean> {
    const now = await this.#objects.marker(this.#object);
    if (now?.marker?.slot !== this.slot || now.etag === this.#etag) return false;
    this.#marker = now.marker;
    this.#etag = now.etag;
    return true;
  }

  async #begin(): Promise<Draft> {
    const stage = await this.#objects.begin(this.#objectId, "repair", this.#owner);
    const { bucket } = this.#objects;
    const { pieces, lengthBytes } = this.#marker;
    const oldBytes = Math.min(lengthBytes, (await bucket.size(piecesKey(this.#object, pieces))) ?? 0);
    return { stage, upload: new S3Upload(bucket, piecesKey(this.#object, stage.generation)), oldBytes };
  }

  /** Copies from the old pack up to `end`; where that has ended, zeros stand for what is missing and wrong either way. */
  async #fillUp({ upload, oldBytes }: Draft, end: number): Promise<void> {
    const copied = Math.min(end, oldBytes) - upload.lengthBytes;
    if (copied > 0) await upload.copy(piecesKey(this.#object, this.#marker.pieces), upload.lengthBytes, copied);
    while (upload.lengthBytes < end) await upload.append(new Uint8Array(Math.min(end - upload.lengthBytes, 65_536)));
  }

  /** Puts the draft in the place of the pack; with a `length`, what stands after that is left out. */
  async #commit(length: number | undefined): Promise<void> {
    const draft = this.#draft!;
    const { stage, upload, oldBytes } = draft;
    await this.#fillUp(draft, Math.max(upload.lengthBytes, Math.min(oldBytes, length ?? oldBytes)));
    await upload.finish();
    const lengthBytes = Math.min(upload.lengthBytes, length ?? upload.lengthBytes);
    await this.#mark({ ...this.#marker, pieces: stage.generation, lengthBytes });
    this.#draft = undefined;
    await this.#objects.dropUnnamed(this.#object, stage);
    await this.#objects.end(stage);
  }

  async #mark(marker: S3Marker): Promise<void> {
    const etag = await this.#objects.mark(this.#object, marker, { etag: this.#etag });
    if (etag === undefined) throw this.#objects.refused("EEXIST");
    this.#marker = marker;
    this.#etag = etag;
  }
}
