/** The study that the archive's measures work on, and the fourteen folders that they put it into. */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_CODE, type SourceFile } from "@xinglin/archive";
import type { Measure } from "./measure.ts";

export const { k: K, m: M } = DEFAULT_CODE;
/** Bytes of a chunk, of the piece that it becomes, and of a stripe's chunks together. */
export const CHUNK = 262_144;
export const PIECE = CHUNK + 16;
export const STRIPE = K * CHUNK;
export const MEGABYTE = 1e6;
/** How many of the fourteen stores go. */
export const GONE = 4;
/** A slice of 512 × 512 pixels of two bytes, with its header. */
const SLICE = 526_336;
/** Members that bring 3+3+3+2+2+1 stores; the first four stores are the ones that go. */
const MEMBERS = ["a", "b", "c", "d", "a", "b", "c", "d", "a", "b", "c", "e", "e", "f"];

/** Where a part of the suite says what it measured. */
export type Emit = (measure: Measure) => void;

/** Files in a folder, all of one size. */
export interface Study {
  readonly folder: string;
  readonly files: readonly SourceFile[];
  readonly sizeBytes: number;
}

export const mb = (bytes: number): string => `${Math.round(bytes / MEGABYTE)}MB`;
/** Three decimals, for what stands among the conditions. */
export const round = (value: number): number => Math.round(value * 1000) / 1000;

/** Fourteen stores in folders below one. */
export const storesBelow = (folder: string) =>
  MEMBERS.map((member, i) => ({ kind: "directory" as const, id: `${member}-${i}`, member, path: join(folder, `${i}`) }));

/** A study of slices of random bytes, so that nothing can make them smaller. */
export async function makeStudy(folder: string, sizeBytes: number): Promise<Study> {
  await mkdir(folder, { recursive: true });
  const files: SourceFile[] = [];
  for (let at = 0; at < sizeBytes; at += SLICE) {
    const location = join(folder, `IM${files.length}`);
    await writeFile(location, randomBytes(SLICE));
    files.push({ path: `study/IM${files.length}`, location, mediaType: "application/dicom" });
  }
  return { folder, files, sizeBytes: files.length * SLICE };
}

/** Throws unless `folder` holds the study's files, byte for byte. */
export async function compare(study: Pick<Study, "folder" | "files">, folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length !== study.files.length) throw new Error(`${names.length} files came back of ${study.files.length}`);
  for (const name of names) {
    const [there, here] = await Promise.all([readFile(join(folder, name)), readFile(join(study.folder, name))]);
    if (!there.equals(here)) throw new Error(`${name} came back with other bytes`);
  }
}
