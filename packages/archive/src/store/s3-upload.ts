/**
 * Writing one object of any length from its start on, in bounded memory: a part is sent while the next begins to fill. What is shorter
 * than a part needs no multipart upload.
 * Source: S3 User Guide, "Amazon S3 multipart upload limits".
 */
import type { S3Bucket, S3Part } from "./s3-bucket.ts";
import { CutShort, s3Fault } from "./s3-fault.ts";

/** The least that S3 takes as a part that is not the last. Fourteen packs at once then hold 14 × (5 + 0.5) MiB. */
const PART_BYTES = 5 * 2 ** 20;
/** What a pack takes while its part is being sent; beyond that it waits. */
const AHEAD_BYTES = 2 ** 19;
/** Small packs, of which there are many, take no more than they need. */
const FIRST_BYTES = 64 * 1024;
/** Parts are numbered to 10,000. They grow for the few objects that need more than 4,000: up to 212 GB a pack. */
const GROWTH = [
  { from: 8_000, times: 13 },
  { from: 4_000, times: 3 },
];
/** What the server copies at once; it takes 5 GiB at most. */
const COPY_BYTES = 2 ** 30;
/** What is read at once where too little is left for the server to copy. */
const READ_BYTES = 2 ** 20;

/** Bytes of the part that follows so many others. */
export const partBytesAfter = (parts: number): number => PART_BYTES * (GROWTH.find(({ from }) => parts >= from)?.times ?? 1);

/** An object being written under `key`. Call one method at a time. */
export class S3Upload {
  readonly key: string;
  /** Bytes so far. */
  lengthBytes = 0;
  readonly #bucket: S3Bucket;
  readonly #parts: S3Part[] = [];
  #uploadId: string | undefined;
  /**
   * The part that fills or is being sent, and behind it what came meanwhile. One buffer that stays for all parts of the pack: buffers that come and go
   * at this size leave holes in the heap of the operating system, half as large again as they are.
   */
  #buffer = new Uint8Array(0);
  #filled = 0;
  #sending: { readonly promise: Promise<void>; readonly size: number; isDone: boolean } | undefined;

  constructor(bucket: S3Bucket, key: string) {
    this.#bucket = bucket;
    this.key = key;
  }

  /** Adds bytes, which the caller may use again afterwards. */
  async append(bytes: Uint8Array): Promise<void> {
    this.lengthBytes += bytes.length;
    for (let at = 0; at < bytes.length; ) {
      if (this.#sending?.isDone === true || this.#filled >= this.#partBytes + AHEAD_BYTES) await this.#sent();
      const taken = bytes.subarray(at, at + this.#partBytes + AHEAD_BYTES - this.#filled);
      this.#reserve(this.#filled + taken.length);
      this.#buffer.set(taken, this.#filled);
      this.#filled += taken.length;
      at += taken.length;
      this.#sendFull();
    }
  }

  /** Adds `length` bytes of another object from `position` on, moved by the server itself as far as it can. */
  async copy(key: string, position: number, length: number): Promise<void> {
    const end = position + length;
    for (let at = position; at < end; ) {
      await this.#sent();
      if (this.#filled === 0 && end - at >= PART_BYTES) {
        const from = { key, position: at, length: Math.min(end - at, COPY_BYTES) };
        this.#parts.push(await this.#bucket.copyPart(this.key, await this.#begin(), this.#parts.length + 1, from));
        this.lengthBytes += from.length;
        at += from.length;
      } else {
        const bytes = new Uint8Array(Math.min(end - at, READ_BYTES, this.#partBytes - this.#filled));
        if ((await this.#bucket.read(key, at, bytes)) < bytes.length) throw s3Fault(this.#bucket.store, new CutShort(), "read");
        await this.append(bytes);
        at += bytes.length;
      }
    }
  }

  /** Returns when the server has the whole object. */
  async finish(): Promise<void> {
    await this.#sent();
    const rest = this.#buffer.subarray(0, this.#filled);
    if (this.#uploadId === undefined) await this.#bucket.put(this.key, rest);
    else {
      if (rest.length > 0) this.#parts.push(await this.#bucket.part(this.key, this.#uploadId, this.#parts.length + 1, rest));
      await this.#bucket.complete(this.key, this.#uploadId, this.#parts);
    }
    this.#buffer = new Uint8Array(0);
    if ((await this.#bucket.size(this.key)) !== this.lengthBytes) throw s3Fault(this.#bucket.store, new CutShort(), "write");
  }

  /** Returns when nothing is on its way any more, however that ended: what is aborted earlier may still arrive. */
  async rest(): Promise<void> {
    await this.#sending?.promise.catch(() => {});
    this.#buffer = new Uint8Array(0);
  }

  get #partBytes(): number {
    return partBytesAfter(this.#parts.length);
  }

  async #begin(): Promise<string> {
    this.#uploadId ??= await this.#bucket.begin(this.key);
    return this.#uploadId;
  }

  /** Room for `bytes` in the buffer. It is never replaced while a part of it is being sent: `append` then has room for all that it takes. */
  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const most = this.#partBytes + AHEAD_BYTES;
    const size = bytes > most / 2 ? most : Math.max(bytes, FIRST_BYTES, 2 * this.#buffer.length);
    // Gives the old buffer back at once; the collector would let a hundred megabytes of them gather.
    const larger = new Uint8Array((this.#buffer.buffer as ArrayBuffer).transfer(size));
    this.#buffer = larger;
  }

  #sendFull(): void {
    const size = this.#partBytes;
    if (this.#sending !== undefined || this.#filled < size) return;
    const part = this.#buffer.subarray(0, size);
    const work = async (): Promise<void> => {
      this.#parts.push(await this.#bucket.part(this.key, await this.#begin(), this.#parts.length + 1, part));
      sending.isDone = true;
    };
    const sending = { promise: work(), size, isDone: false };
    sending.promise.catch(() => {}); // whoever waits for the part hears of it
    this.#sending = sending;
  }

  /** Waits until no part is on its way, and puts what came meanwhile in its place. */
  async #sent(): Promise<void> {
    while (this.#sending !== undefined) {
      const size = this.#sending.size;
      await this.#sending.promise;
      this.#sending = undefined;
      this.#buffer.copyWithin(0, size, this.#filled);
      this.#filled -= size;
      this.#sendFull();
    }
  }
}
