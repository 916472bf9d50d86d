/**
 * Memory of the archive against the size of an object: a study of sparse native files, gigabytes each, which the filter takes frame by
 * frame. Run as a program it imports such a study, streams it back and prints its peak memory.
 */
import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closeWorkers, ingest, openStores, retrieveFiles } from "@xinglin/archive";
import { type Measure, median, peakRssBytes } from "./measure.ts";

const GIGABYTE = 1e9;
const SIDE = 512;
const FRAME = SIDE * SIDE * 2;
/** Frames of one file: 2 GB, which the length of its pixel data can still say. */
const FILE_FRAMES = 3_800;
/** Every so many frames hold an image; the rest are holes. */
const IMAGE_EVERY = 64;

/** Emits `rss-20gb`: peak memory at 20 GB against 200 MB. */
export async function measureLargeObject(quick: boolean, emit: (measure: Measure) => void): Promise<void> {
  if (quick) {
    emit({ measure: "rss-20gb", skipped: "20 GB against 200 MB takes minutes: leave --quick out" });
    return;
  }
  const small = median([peakOf(0.2 * GIGABYTE), peakOf(0.2 * GIGABYTE), peakOf(0.2 * GIGABYTE)]);
  const large = peakOf(20 * GIGABYTE);
  emit({
    measure: "rss-20gb",
    value: large / small,
    unit: "ratio",
    conditions: {
      sizes: "20GB against 200MB",
      small: `${Math.round(small / 1e6)}MB`,
      large: `${Math.round(large / 1e6)}MB`,
      source: "sparse native frames, filtered; imported, then streamed back and compared by hash",
      demand: "≤ 1.1, and 512 MB",
    },
  });
}

const peakOf = (sizeBytes: number): number =>
  Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), `${sizeBytes}`], { encoding: "utf8" }));

function element(tag: number, vr: string, value: Buffer, length = value.length): Buffer {
  const long = vr === "OW";
  const head = Buffer.alloc(long ? 12 : 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, "latin1");
  if (long) head.writeUInt32LE(length, 8);
  else head.writeUInt16LE(length, 6);
  return Buffer.concat([head, value]);
}

/** A native file of `frames` frames, most of them holes. */
async function writeSparse(path: string, frames: number): Promise<number> {
  const short = (value: number): Buffer => Buffer.from([value & 0xff, value >> 8]);
  const count = `${frames}`;
  const header = Buffer.concat([
    Buffer.alloc(128),
    Buffer.from("DICM"),
    element(0x0002_0010, "UI", Buffer.from("1.2.840.10008.1.2.1\0")),
    element(0x0028_0002, "US", short(1)),
    element(0x0028_0008, "IS", Buffer.from(count.padEnd(count.length + (count.length % 2)))),
    element(0x0028_0010, "US", short(SIDE)),
    element(0x0028_0011, "US", short(SIDE)),
    element(0x0028_0100, "US", short(16)),
    element(0x7fe0_0010, "OW", Buffer.alloc(0), frames * FRAME),
  ]);
  const image = Buffer.alloc(FRAME);
  for (let i = 0; i < FRAME; i += 2) image.writeUInt16LE((1000 + ((i * i) >>> 7)) & 0xfff, i);
  const file = await open(path, "w");
  await file.write(header);
  for (let frame = 0; frame < frames; frame += IMAGE_EVERY) await file.write(image, 0, FRAME, header.length + frame * FRAME);
  await file.truncate(header.length + frames * FRAME);
  await file.close();
  return header.length + frames * FRAME;
}

/** The process whose memory is measured. */
async function importAndStream(sizeBytes: number): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-bench-large-"));
  try {
    await mkdir(join(folder, "study"));
    const files = [];
    let total = 0;
    for (let left = Math.ceil(sizeBytes / FRAME); left > 0; left -= FILE_FRAMES) {
      const location = join(folder, "study", `IM${files.length}`);
      total += await writeSparse(location, Math.min(left, FILE_FRAMES));
      files.push({ path: `IM${files.length}`, location, mediaType: "application/dicom" });
    }
    const descriptions = Array.from({ length: 14 }, (_, i) => {
      return { kind: "directory" as const, id: `m${i}`, member: `m${i}`, path: join(folder, `${i}`) };
    });
    const stores = await openStores(descriptions, { create: true });
    const { reference, objectId, key } = await ingest(files, { stores });
    let read = 0;
    for await (const file of retrieveFiles(reference, objectId, key, stores.slice(4)))
      for await (const part of file.content) {
        read += part.length; // each file's hash is checked at its end
        (part.buffer as ArrayBuffer).transfer(0); // this process is to measure the archive, not its own garbage
      }
    if (read !== total) throw new Error(`${read} bytes came back of ${total}`);
    await closeWorkers();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(peakRssBytes([process.pid]));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await importAndStream(Number(process.argv[2]));
