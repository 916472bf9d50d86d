/** Looking at the pixels of files before they are imported: where they lie and their hash, so that known ones need not be stored again. */
import { readPart10 } from "../filter/part10.ts";
import { type ProfileName, profileNamed } from "../profile/profile.ts";
import { type PixelRegion, planSource, type SourceFile, SourceReader } from "../source.ts";
import type { TaskContext } from "./tasks.ts";

/** What to look at. */
export interface LookOrder {
  readonly source: readonly SourceFile[];
  readonly profile?: ProfileName | undefined;
}

/** As much as a header takes; of a longer one the pixels are stored with their file. */
const HEAD_BYTES = 2 ** 16;
/** Fewer pixels than this are not worth an entry elsewhere. */
const LEAST_PIXELS = 2 ** 12;
const PART_BYTES = 2 ** 20;

/** The native pixels of each file, or `undefined` of a file without. Faults: those of `planSource` and `SourceReader`. */
export async function lookAtPixels({ source, profile }: LookOrder, context: TaskContext): Promise<(PixelRegion | undefined)[]> {
  const files = await planSource(source);
  const totalBytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const reader = new SourceReader(profileNamed(profile), files, { readMs: 0, fileHashMs: 0 });
  const part = new Uint8Array(PART_BYTES);
  const regions: (PixelRegion | undefined)[] = [];
  let doneBytes = 0;
  try {
    for (const { sizeBytes } of files) {
      context.checkpoint();
      regions.push(regionOf(reader, sizeBytes, part));
      doneBytes += sizeBytes;
      context.progress(doneBytes, totalBytes);
      reader.skip();
    }
    return regions;
  } finally {
    reader.close();
  }
}

function regionOf(reader: SourceReader, fileBytes: number, part: Uint8Array): PixelRegion | undefined {
  const head = part.subarray(0, Math.min(HEAD_BYTES, fileBytes));
  const found = readPart10(head.subarray(0, reader.peek(0, head)), fileBytes);
  if (found.kind !== "pixels") return undefined;
  const samples = found.pixels;
  const sizeBytes = samples.frames * samples.rows * samples.row * samples.sampleBytes;
  if (sizeBytes < LEAST_PIXELS) return undefined;
  const hash = reader.profile.startDigest();
  for (let done = 0; done < sizeBytes; done += part.length) {
    const next = part.subarray(0, Math.min(part.length, sizeBytes - done));
    reader.peek(samples.at + done, next);
    hash.update(next);
  }
  return { at: samples.at, sizeBytes, samples, digest: new Uint8Array(hash.digest()) };
}
