/** The operations of S3 that a store uses, on keys below its prefix. Every answer is checked for what only an S3 server sends. */
import type { Readable } from "node:stream";
import type { S3Description } from "./description.ts";
import { addressOf, type S3Address } from "./s3-address.ts";
import { answered, drain, expect, foreign } from "./s3-answer.ts";
import { type S3Pace, S3Requests } from "./s3-client.ts";
import { CutShort } from "./s3-fault.ts";

/** A key that a listing found. */
export interface S3Entry {
  readonly key: string;
  readonly sizeBytes: number;
  readonly touchedMs: number;
}

/** A multipart upload that is neither completed nor aborted. */
export interface S3OpenUpload {
  readonly key: string;
  readonly uploadId: string;
}

/** A part of an upload that the server has. */
export interface S3Part {
  readonly PartNumber: number;
  readonly ETag: string;
}

/** When a key may be written or removed: only if there is none, or only if it still is the one with this ETag. */
export type S3Condition = "absent" | { readonly etag: string };

const ABSENT = ["NoSuchKey", "NotFound"];
const CONDITION_FAILED = ["PreconditionFailed", "ConditionalRequestConflict"];

/** A bucket and a prefix in it. Faults of every method: those of `S3Requests.send`. */
export class S3Bucket {
  readonly store: string;
  readonly #address: S3Address;
  readonly #requests: S3Requests;

  constructor(description: S3Description, pace?: S3Pace) {
    this.store = description.id;
    this.#address = addressOf(description);
    this.#requests = new S3Requests(description, pace);
  }

  /** The object under `key`; undefined if there is none or it has more than `maxBytes`. */
  async get(key: string, maxBytes: number): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined> {
    return await this.#requests.send<{ bytes: Uint8Array; etag: string } | undefined>(
      "read",
      Math.min(maxBytes, 2 ** 24),
      async (client, { GetObjectCommand }, abortSignal) => {
        const answer = await client.send(new GetObjectCommand(this.#at(key)), { abortSignal });
        const body = answer.Body as Readable;
        const { ContentLength: length } = answer;
        if (answer.ETag === undefined || length === undefined) throw foreign(body);
        if (length > maxBytes) {
          body.destroy();
          return undefined;
        }
        const bytes = new Uint8Array(length);
        if ((await drain(body, bytes, abortSignal)) < length) throw new CutShort();
        return { bytes, etag: answer.ETag };
      },
      answered(ABSENT, undefined),
    );
  }

  /** Fills `into` with the object's bytes from `position` on; says how many there were, 0 if there is no such object. */
  async read(key: string, position: number, into: Uint8Array): Promise<number> {
    if (into.length === 0) return 0;
    return await this.#requests.send(
      "read",
      into.length,
      async (client, { GetObjectCommand }, abortSignal) => {
        const Range = `bytes=${position}-${position + into.length - 1}`;
        const answer = await client.send(new GetObjectCommand({ ...this.#at(key), Range }), { abortSignal });
        const body = answer.Body as Readable;
        if (answer.ETag === undefined || answer.ContentRange?.startsWith(`bytes ${position}-`) !== true) throw foreign(body);
        const length = answer.ContentLength ?? into.length;
        if (length > into.length) throw foreign(body);
        if ((await drain(body, into, abortSignal)) < length) throw new CutShort();
        return length;
      },
      answered([...ABSENT, "InvalidRange"], 0),
    );
  }

  /** Bytes of the object under `key`, or undefined if there is none. */
  async size(key: string): Promise<number | undefined> {
    for await (const entry of this.list(key)) return entry.key === key ? entry.sizeBytes : undefined;
    return undefined;
  }

  /** Writes an object, all at once. Returns its ETag, or undefined if `condition` does not hold. */
  async put(key: string, Body: Uint8Array, condition?: S3Condition): Promise<string | undefined> {
    const only = condition === undefined ? {} : condition === "absent" ? { IfNoneMatch: "*" } : { IfMatch: condition.etag };
    return await this.#requests.send<string | undefined>(
      "write",
      Body.length,
      async (client, { PutObjectCommand }, abortSignal) => {
        const answer = await client.send(new PutObjectCommand({ ...this.#at(key), ...only, Body }), { abortSignal });
        return expect(answer.ETag);
      },
      answered(condition === undefined ? [] : [...CONDITION_FAILED, ...ABSENT], undefined),
    );
  }

  /** Removes an object; nothing happens if there is none. */
  async remove(key: string): Promise<void> {
    await this.#requests.send<unknown>(
      "write",
      0,
      (client, { DeleteObjectCommand }, abortSignal) => client.send(new DeleteObjectCommand(this.#at(key)), { abortSignal }),
      answered(ABSENT, undefined),
    );
  }

  /** The keys that start with `start`, in order. */
  async *list(start: string): AsyncGenerator<S3Entry> {
    let last = "";
    for (let page = await this.page(start, 1_000); ; page = await this.page(start, 1_000, page.next)) {
      yield* page.entries;
      const end = page.entries.at(-1)?.key ?? "";
      if (page.next === undefined || end <= last) return; // a server that does not go on would be asked for ever
      last = end;
    }
  }

  /** One page of a listing, and how to ask for the next, if there is one. */
  async page(start: string, MaxKeys: number, token?: string): Promise<{ entries: S3Entry[]; next: string | undefined }> {
    const { bucket: Bucket, prefix } = this.#address;
    return await this.#requests.send("read", 0, async (client, { ListObjectsV2Command }, abortSignal) => {
      const input = { Bucket, Prefix: prefix + start, MaxKeys, ...(token === undefined ? {} : { ContinuationToken: token }) };
      const answer = await client.send(new ListObjectsV2Command(input), { abortSignal });
      expect(answer.Name);
      const entries = (answer.Contents ?? []).map(({ Key, Size, LastModified }): S3Entry => {
        return { key: expect(Key).slice(prefix.length), sizeBytes: Size ?? 0, touchedMs: LastModified?.getTime() ?? 0 };
      });
      return { entries, next: answer.IsTruncated === true ? answer.NextContinuationToken : undefined };
    });
  }

  /** Begins a multipart upload. */
  async begin(key: string): Promise<string> {
    return await this.#requests.send("write", 0, async (client, { CreateMultipartUploadCommand }, abortSignal) =>
      expect((await client.send(new CreateMultipartUploadCommand(this.#at(key)), { abortSignal })).UploadId),
    );
  }

  async part(key: string, UploadId: string, PartNumber: number, Body: Uint8Array): Promise<S3Part> {
    return await this.#requests.send("write", Body.length, async (client, { UploadPartCommand }, abortSignal) => {
      const input = { ...this.#at(key), UploadId, PartNumber, Body };
      return { PartNumber, ETag: expect((await client.send(new UploadPartCommand(input), { abortSignal })).ETag) };
    });
  }

  /** A part that the server copies from another object of the bucket, `length` bytes from `position` on. */
  async copyPart(
    key: string,
    UploadId: string,
    PartNumber: number,
    from: { readonly key: string; readonly position: number; readonly length: number },
  ): Promise<S3Part> {
    const { bucket, prefix } = this.#address;
    const CopySource = `${bucket}/${prefix}${from.key}`;
    const CopySourceRange = `bytes=${from.position}-${from.position + from.length - 1}`;
    return await this.#requests.send("write", from.length, async (client, { UploadPartCopyCommand }, abortSignal) => {
      const input = { ...this.#at(key), UploadId, PartNumber, CopySource, CopySourceRange };
      const answer = await client.send(new UploadPartCopyCommand(input), { abortSignal });
      return { PartNumber, ETag: expect(answer.CopyPartResult?.ETag) };
    });
  }

  async complete(key: string, UploadId: string, Parts: S3Part[]): Promise<void> {
    await this.#requests.send<unknown>(
      "write",
      2 ** 20, // the server may put the parts together before it answers
      async (client, { CompleteMultipartUploadCommand }, abortSignal) => {
        const input = { ...this.#at(key), UploadId, MultipartUpload: { Parts } };
        return expect((await client.send(new CompleteMultipartUploadCommand(input), { abortSignal })).ETag);
      },
    );
  }

  /** Forgets an upload and its parts; nothing happens if there is none. */
  async abort({ key, uploadId: UploadId }: S3OpenUpload): Promise<void> {
    await this.#requests.send<unknown>(
      "write",
      0,
      (client, { AbortMultipartUploadCommand }, abortSignal) =>
        client.send(new AbortMultipartUploadCommand({ ...this.#at(key), UploadId }), { abortSignal }),
      answered(["NoSuchUpload", ...ABSENT], undefined),
    );
  }

  /** Uploads to keys that start with `start` and are neither completed nor aborted. */
  async uploads(start: string): Promise<S3OpenUpload[]> {
    const { bucket: Bucket, prefix } = this.#address;
    const found: S3OpenUpload[] = [];
    let from: { KeyMarker: string; UploadIdMarker?: string } | undefined;
    do {
      const input = { Bucket, Prefix: prefix + start, ...from };
      const answer = await this.#requests.send("read", 0, (client, { ListMultipartUploadsCommand }, abortSignal) =>
        client.send(new ListMultipartUploadsCommand(input), { abortSignal }),
      );
      for (const { Key, UploadId } of answer.Uploads ?? [])
        found.push({ key: expect(Key).slice(prefix.length), uploadId: expect(UploadId) });
      const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = answer;
      const more = answer.IsTruncated === true && KeyMarker !== undefined;
      from = more ? { KeyMarker, ...(UploadIdMarker === undefined ? {} : { UploadIdMarker }) } : undefined;
    } while (from !== undefined);
    return found;
  }

  /** Makes the bucket if there is none. */
  async make(): Promise<void> {
    await this.#requests.send<unknown>(
      "write",
      0,
      (client, { CreateBucketCommand }, abortSignal) =>
        client.send(new CreateBucketCommand({ Bucket: this.#address.bucket }), { abortSignal }),
      answered(["BucketAlreadyOwnedByYou", "OperationAborted"], undefined),
    );
  }

  /** Whether the server keeps what is removed or replaced, as far as it says. */
  async isVersioned(): Promise<boolean> {
    return await this.#requests.send(
      "read",
      0,
      async (client, { GetBucketVersioningCommand }, abortSignal) =>
        (await client.send(new GetBucketVersioningCommand({ Bucket: this.#address.bucket }), { abortSignal })).Status ===
        "Enabled",
      // A server without versions does not know the question, and who lends only a prefix may not be allowed to ask it.
      answered(["NotImplemented", "MethodNotAllowed", "AccessDenied", "VersioningNotConfigured"], false),
    );
  }

  #at(key: string): { Bucket: string; Key: string } {
    return { Bucket: this.#address.bucket, Key: this.#address.prefix + key };
  }
}
