/**
 * The archive's lossless filter: what it saves on the CT and MR images of published sets beside JPEG-LS, and what it costs an import.
 * Source: design.md, "Archive"; the images are those of `examples/` and, once `npm run bench:data` fetched them, of pydicom-data.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  FORETOLD,
  ingest,
  planFile,
  readPart10,
  type SampleLayout,
  type SourceFile,
  type Store,
  UnitCodec,
} from "@xinglin/archive";
import { cpuOf, sealingLoop } from "./archive-limits.ts";
import { type Emit, MEGABYTE, round } from "./archive-study.ts";
import { dataFolder } from "./data.ts";
import { best, interleave, median, timed } from "./measure.ts";

const examples = fileURLToPath(new URL("../../examples", import.meta.url));

/** One frame, as both codecs take it. */
interface Frame {
  readonly pixels: Uint8Array;
  readonly columns: number;
  readonly rows: number;
  readonly channels: number;
  readonly sampleBytes: number;
}
interface ImageSet {
  readonly name: string;
  readonly files: readonly Buffer[];
}

/** Native CT and MR images, by name: what a set holds beside them is compressed, cut or no image of a patient. */
const PYDICOM_DATA = [
  "693_UNCI.dcm",
  "693_UNCR.dcm",
  "MR-SIEMENS-DICOM-WithOverlays.dcm",
  "MR2_UNCI.dcm",
  "MR2_UNCR.dcm",
  "emri_small.dcm",
];
const EXAMPLES = ["dicom/CT_small.dcm", "dicom/MR_small.dcm", "dicom/MR_small_implicit.dcm"];

/** Emits `compression` for each set that is here, and `ingest-filtered`. */
export async function measureFilter(stores: readonly Store[], folder: string, quick: boolean, emit: Emit): Promise<void> {
  for (const set of await imageSets(emit)) await measureCompression(set, quick ? 3 : 7, emit);
  await measureFilteredIngest(stores, folder, quick, emit);
}

async function imageSets(emit: Emit): Promise<ImageSet[]> {
  const read = (folder: string, names: readonly string[]): Promise<Buffer[]> =>
    Promise.all(names.map((name) => readFile(join(folder, name))));
  const ct = (await readdir(join(examples, "ct"))).map((name) => `ct/${name}`);
  const sets = [{ name: "examples", files: await read(examples, [...ct, ...EXAMPLES]) }];
  const data = join(dataFolder, "data_store", "data");
  if (!existsSync(data))
    emit({ measure: "compression", skipped: "pydicom-data is not here: npm run bench:data fetches it (34 MB)" });
  else {
    const files = [...(await read(data, PYDICOM_DATA)), ...(await read(examples, EXAMPLES))];
    sets.push({ name: "pydicom-data CT and MR without eCT_Supplemental, CT_small, MR_small", files });
  }
  return sets;
}

/** What the filter makes of a set: bytes of all files, of their pixels, and the frames themselves. */
function framesOf(files: readonly Buffer[]): Frame[] {
  return files.flatMap((file) => {
    const found = readPart10(file, file.length);
    if (found.kind !== "pixels") throw new Error("an image of the set is not native");
    const { at, frames, rows, row, step, sampleBytes } = found.pixels;
    const bytes = rows * row * sampleBytes;
    return Array.from({ length: frames }, (_, i) => {
      const pixels = file.subarray(at + i * bytes, at + (i + 1) * bytes);
      return { pixels, columns: row / step, rows, channels: step, sampleBytes };
    });
  });
}

async function measureCompression(set: ImageSet, rounds: number, emit: Emit): Promise<void> {
  const frames = framesOf(set.files);
  const pixelBytes = frames.reduce((sum, { pixels }) => sum + pixels.length, 0);
  const fileBytes = set.files.reduce((sum, file) => sum + file.length, 0);
  const codec = new UnitCodec();
  const jpegls = await jpegLs();
  let stored = { pixels: 0, files: 0 };
  let peerBytes = 0;
  const repeat = Math.max(1, Math.round((20 * MEGABYTE) / pixelBytes));
  const rate = (work: () => void): number =>
    (repeat * pixelBytes) /
    MEGABYTE /
    cpuOf(() => {
      for (let i = 0; i < repeat; i++) work();
    });
  const samples = await interleave(
    rounds,
    {
      ours: () =>
        rate(() => {
          stored = filterAll(codec, set.files);
        }),
      encode: () => rate(() => void filterAll(codec, set.files, "reduce")),
      peer: () =>
        rate(() => {
          peerBytes = frames.reduce((sum, frame) => sum + jpegls.encode(frame).length, 0);
        }),
      decode: () => decodeRate(codec, set.files, repeat),
    },
    1,
  );
  const ratio = pixelBytes / stored.pixels;
  const peer = pixelBytes / peerBytes;
  emit({
    measure: "compression",
    value: ratio,
    unit: "ratio",
    peer: { name: "JPEG-LS, codec-charls 1.2.7", value: peer },
    speedup: ratio / peer,
    conditions: {
      set: set.name,
      frames: frames.length,
      size: `${round(pixelBytes / MEGABYTE)}MB`,
      "whole files": round(fileBytes / stored.files),
      encode: `${Math.round(median(samples.encode))}MB/cpu-s, trial included`,
      "encode, decoded and compared": `${Math.round(median(samples.ours))}MB/cpu-s`,
      decode: `${Math.round(median(samples.decode))}MB/cpu-s`,
      "JPEG-LS encode": `${Math.round(best(samples.peer))}MB/cpu-s`,
      bytes: "identical",
    },
    samples: samples.ours,
  });
}

/** Cuts and encodes whole files as an import does. */
function filterAll(codec: UnitCodec, files: readonly Buffer[], how: How = "encode"): { pixels: number; files: number } {
  const stored = { pixels: 0, files: 0 };
  for (const { bytes, isSamples } of unitsOf(codec, files, how)) {
    stored.files += bytes.length;
    if (isSamples) stored.pixels += bytes.length;
  }
  if (codec.failures > 0) throw new Error("a unit came back with other bytes");
  return stored;
}

/** With the comparison that an import makes, or without. */
type How = "encode" | "reduce";

function* unitsOf(codec: UnitCodec, files: readonly Buffer[], how: How = "encode") {
  for (const file of files) {
    const plan = planFile(file.length, (position, into) => {
      into.set(file.subarray(position, position + into.length));
      return into.length;
    });
    let at = 0;
    for (const unit of plan.units) {
      const source = file.subarray(at, at + unit.length);
      at += unit.length;
      if (unit.kind === "kept") {
        yield { method: 0 as const, bytes: source, source, isSamples: false, samples: undefined };
        continue;
      }
      codec.unit(unit.length).set(source);
      const isSamples = unit.kind === "samples";
      const samples = isSamples ? plan.samples : undefined;
      yield { ...codec[how](unit.length, samples), source, isSamples, samples };
    }
  }
}

/** Decoding of what was foretold, each unit compared with its source; MB a CPU second. */
function decodeRate(codec: UnitCodec, files: readonly Buffer[], repeat: number): number {
  const units: { method: typeof FORETOLD; bytes: Buffer; source: Uint8Array; samples: SampleLayout | undefined }[] = [];
  for (const { method, bytes, source, samples } of unitsOf(codec, files))
    if (method === FORETOLD) units.push({ method, bytes: Buffer.from(bytes), source, samples }); // bytes are the codec's until its next unit
  const bytes = units.reduce((sum, { source }) => sum + source.length, 0);
  for (const { method, bytes, source, samples } of units)
    if (Buffer.compare(codec.decode(method, bytes, source.length, samples) ?? Buffer.alloc(0), source) !== 0)
      throw new Error("a unit came back with other bytes");
  const seconds = cpuOf(() => {
    for (let i = 0; i < repeat; i++)
      for (const { method, bytes, source, samples } of units) codec.decode(method, bytes, source.length, samples);
  });
  return (repeat * bytes) / MEGABYTE / seconds;
}

interface JpegLsEncoder {
  getDecodedBuffer(frame: { width: number; height: number; bitsPerSample: number; componentCount: number }): Uint8Array;
  getEncodedBuffer(): Uint8Array;
  setNearLossless(error: number): void;
  setInterleaveMode(mode: number): void;
  encode(): void;
  delete(): void;
}

/** The peer: CharLS in WebAssembly, told how many bits the frame really has, which is to its advantage. */
async function jpegLs(): Promise<{ encode(frame: Frame): Uint8Array }> {
  const load = createRequire(import.meta.url)("@cornerstonejs/codec-charls/wasmjs") as () => Promise<{
    JpegLSEncoder: new () => JpegLsEncoder;
  }>;
  const { JpegLSEncoder } = await load();
  return {
    encode: ({ pixels, columns, rows, channels, sampleBytes }) => {
      const encoder = new JpegLSEncoder();
      const bitsPerSample = sampleBytes === 1 ? 8 : bitsOf(pixels);
      encoder.getDecodedBuffer({ width: columns, height: rows, bitsPerSample, componentCount: channels }).set(pixels);
      encoder.setNearLossless(0);
      if (channels > 1) encoder.setInterleaveMode(2);
      encoder.encode();
      const encoded = encoder.getEncodedBuffer().slice();
      encoder.delete();
      return encoded;
    },
  };
}

/** Bits of the largest 16-bit sample. */
function bitsOf(pixels: Uint8Array): number {
  let most = 0;
  for (let i = 1; i < pixels.length; i += 2) most = Math.max(most, pixels[i]!);
  return Math.max(2, most === 0 ? 8 : 8 + (32 - Math.clz32(most)));
}

/** Import of raw CT slices, in source bytes a CPU second; its limit filters, hashes, seals and codes the same in memory. */
async function measureFilteredIngest(stores: readonly Store[], folder: string, quick: boolean, emit: Emit): Promise<void> {
  const sizeBytes = (quick ? 100 : 300) * MEGABYTE;
  const slices = await Promise.all(
    ["IM000001.dcm", "IM000002.dcm", "IM000004.dcm"].map((name) => readFile(join(examples, "ct", name))),
  );
  const study = join(folder, "raw-study");
  await mkdir(study, { recursive: true });
  const files: (SourceFile & { sizeBytes: number })[] = [];
  for (let total = 0; total < sizeBytes; total += files.at(-1)!.sizeBytes) {
    const slice = slices[files.length % slices.length]!;
    const location = join(study, `IM${files.length}`);
    await writeFile(location, slice);
    files.push({ path: `IM${files.length}`, location, mediaType: "application/dicom", sizeBytes: slice.length });
  }
  const source = files.reduce((sum, file) => sum + file.sizeBytes, 0);
  const codec = new UnitCodec();
  let streamBytes = 0;
  const samples = await interleave(
    quick ? 3 : 5,
    {
      ours: async () => {
        const { result, cpuSeconds } = await timed(() => ingest(files, { stores }));
        for (const store of stores) await store.remove(result.objectId);
        streamBytes = result.streamBytes;
        return source / MEGABYTE / cpuSeconds;
      },
      limit: () => {
        let reduced = 0;
        const filterSeconds = cpuOf(() => {
          for (let i = 0; i < files.length; i++) {
            const slice = slices[i % slices.length]!;
            createHash("sha256").update(slice).digest();
            reduced += filterAll(codec, [slice]).files;
          }
        });
        return source / MEGABYTE / (filterSeconds + sealingLoop(reduced, false));
      },
    },
    1,
  );
  await rm(study, { recursive: true });
  const value = median(samples.ours);
  const limit = best(samples.limit);
  emit({
    measure: "ingest-filtered",
    value,
    unit: "MB/cpu-s",
    limit: {
      name: "filter, tried and compared + SHA-256 of files, then AES-256-GCM + SHA-256 + code of what is left, no I/O",
      value: limit,
    },
    ratio: value / limit,
    conditions: {
      size: `${Math.round(source / MEGABYTE)}MB`,
      files: files.length,
      source: "CT slices of examples/ct, repeated",
      sealed: `${Math.round(streamBytes / MEGABYTE)}MB`,
      demand: "ratio ≥ 0.7",
    },
    samples: samples.ours,
  });
}
