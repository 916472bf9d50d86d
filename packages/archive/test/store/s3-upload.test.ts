/** Writing one S3 object: what arrives, in which parts, and how much memory that holds, against a server that is only a map. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { S3Bucket, S3Part } from "../../src/store/s3-bucket.ts";
import { partBytesAfter, S3Upload } from "../../src/store/s3-upload.ts";
import { fault } from "../support/consortium.ts";

const MIB = 2 ** 20;
/** Amazon's bounds: every part but the last, and how many there are. */
const MIN_PART = 5 * MIB;
const MAX_PARTS = 10_000;

/** Keeps objects and parts. */
class Shelf implements Pick<S3Bucket, "store" | "begin" | "part" | "copyPart" | "complete" | "put" | "read" | "size"> {
  readonly store = "one";
  readonly objects = new Map<string, Uint8Array>();
  readonly parts: { readonly bytes: Uint8Array; readonly isCopy: boolean }[] = [];
  lost = 0;
  /** Parts wait for this before they arrive. */
  gate: Promise<void> = Promise.resolve();

  async begin(): Promise<string> {
    return "upload";
  }
  async part(_key: string, _upload: string, number: number, bytes: Uint8Array): Promise<S3Part> {
    await this.gate;
    this.parts[number - 1] = { bytes: bytes.slice(), isCopy: false };
    return { PartNumber: number, ETag: `${number}` };
  }
  async copyPart(
    _key: string,
    _upload: string,
    number: number,
    from: { key: string; position: number; length: number },
  ): Promise<S3Part> {
    const bytes = this.objects.get(from.key)!.slice(from.position, from.position + from.length);
    this.parts[number - 1] = { bytes, isCopy: true };
    return { PartNumber: number, ETag: `${number}` };
  }
  async complete(key: string, _upload: string, parts: S3Part[]): Promise<void> {
    assert.deepEqual(
      parts.map(({ PartNumber }) => PartNumber),
      this.parts.map((_, i) => i + 1),
    );
    const whole = Buffer.concat(this.parts.map(({ bytes }) => bytes));
    this.objects.set(key, whole.subarray(0, whole.length - this.lost));
  }
  async put(key: string, bytes: Uint8Array): Promise<string> {
    this.objects.set(key, bytes.slice());
    return "1";
  }
  async read(key: string, position: number, into: Uint8Array): Promise<number> {
    const found = this.objects.get(key)!.subarray(position, position + into.length);
    into.set(found);
    return found.length;
  }
  async size(key: string): Promise<number | undefined> {
    return this.objects.get(key)?.length;
  }
}
const uploadTo = (shelf: Shelf): S3Upload => new S3Upload(shelf as unknown as S3Bucket, "new");

test("what is appended and copied arrives in order, in parts that S3 takes", async () => {
  let copies = 0;
  for (let round = 0; round < 12; round++) {
    const shelf = new Shelf();
    const old = randomBytes(22 * MIB);
    shelf.objects.set("old", old);
    const upload = uploadTo(shelf);
    const wanted: Uint8Array[] = [];
    for (let step = 0; step < 6; step++) {
      const length = Math.floor((Math.random() < 0.5 ? 0.4 : 9) * MIB * Math.random());
      if (Math.random() < 0.5) {
        const from = Math.floor((old.length - length) * Math.random());
        await upload.copy("old", from, length);
        wanted.push(old.subarray(from, from + length));
      } else {
        const bytes = randomBytes(length);
        await upload.append(bytes);
        wanted.push(Uint8Array.from(bytes));
        bytes.fill(0); // the caller's to use again
      }
    }
    await upload.finish();
    const whole = Buffer.concat(wanted);
    assert.equal(upload.lengthBytes, whole.length);
    assert.equal(Buffer.compare(shelf.objects.get("new")!, whole), 0);
    for (const { bytes } of shelf.parts.slice(0, -1)) assert.ok(bytes.length >= MIN_PART);
    copies += shelf.parts.filter(({ isCopy }) => isCopy).length;
  }
  assert.ok(copies > 0, "the server copied nothing itself");
});

test("a server that falls behind makes the writer wait, with less than 6 MiB in hand", async () => {
  const shelf = new Shelf();
  const { promise, resolve } = Promise.withResolvers<void>();
  shelf.gate = promise;
  const upload = uploadTo(shelf);
  const piece = new Uint8Array(262_160);
  let taken = 0;
  let isWaiting = false;
  const writer = (async () => {
    for (let i = 0; i < 60; i++) {
      isWaiting = true;
      await upload.append(piece);
      isWaiting = false;
      taken += piece.length;
    }
  })();
  while (upload.lengthBytes < 5.5 * MIB) await new Promise(setImmediate);
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
  assert.ok(isWaiting, "it took all there was");
  assert.ok(upload.lengthBytes < 6 * MIB && taken < upload.lengthBytes, `${upload.lengthBytes} bytes in hand`);
  resolve();
  await writer;
  await upload.finish();
  assert.equal(shelf.objects.get("new")!.length, 60 * piece.length);
});

test("parts grow before their numbers run out", () => {
  assert.deepEqual(
    [0, 3_999, 4_000, 7_999, 8_000].map(partBytesAfter),
    [5, 5, 15, 15, 65].map((mib) => mib * MIB),
  );
  let sum = 0;
  for (let part = 0; part < MAX_PARTS; part++) sum += partBytesAfter(part);
  assert.ok(sum > 210e9);
});

test("an object that is shorter on the server than what was sent is a fault", async () => {
  const shelf = new Shelf();
  shelf.lost = 1;
  const upload = uploadTo(shelf);
  await upload.append(randomBytes(11 * MIB));
  await assert.rejects(upload.finish(), fault("s3_answer_cut", { store: "one" }));
});

test("a part that failed fails whoever writes on, and nothing is on its way after that", async () => {
  const shelf = new Shelf();
  shelf.gate = Promise.reject(new Error("gone"));
  shelf.gate.catch(() => {});
  const upload = uploadTo(shelf);
  await upload.append(randomBytes(5 * MIB));
  await assert.rejects(
    (async () => {
      for (let i = 0; i < 10; i++) await upload.append(randomBytes(MIB));
    })(),
    /gone/,
  );
  await upload.rest();
});
