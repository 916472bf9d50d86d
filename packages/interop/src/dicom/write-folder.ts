/**
 * DICOM out: instances as files under names that every viewer and the CD standard accept, byte for byte what came in, all or none.
 * Source: DICOM PS3.10 section 8.2 (file IDs: at most 8 characters of A–Z, 0–9 and _; we add `.dcm`, which viewers outside media look for).
 */

import { type FileHandle, mkdir, open, readdir, rename, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "@xinglin/primitives";

/** The bytes of one instance, whole or in pieces. */
export type InstanceBytes = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** `IM000001.dcm` for the first. */
export const instanceFileName = (index: number): string => `IM${String(index + 1).padStart(6, "0")}.dcm`;

/**
 * Writes instances in their order into `folder`, which is made if it is missing and must have no instance of these names. Files appear
 * under their names only when all of them are on disk; if anything fails, everything written is removed. Returns the paths. Throws `Fault`
 * `dicom_folder_not_empty`, `disk_full`.
 */
export async function writeDicomFolder(
  folder: string,
  instances: Iterable<InstanceBytes> | AsyncIterable<InstanceBytes>,
): Promise<string[]> {
  const made = await mkdir(folder, { recursive: true });
  const present = new Set(await readdir(folder));
  const written: string[] = [];
  const finished: string[] = [];
  try {
    let index = 0;
    for await (const bytes of instances) {
      const name = instanceFileName(index++);
      if (present.has(name)) throw new Fault("dicom_folder_not_empty");
      const path = join(folder, name);
      written.push(path);
      await writeOne(`${path}.part`, bytes);
    }
    for (const path of written) {
      await rename(`${path}.part`, path);
      finished.push(path);
    }
    return finished;
  } catch (error) {
    for (const path of written) await rm(`${path}.part`, { force: true });
    for (const path of finished) await rm(path, { force: true });
    if (made !== undefined) await rmdir(folder).catch(() => undefined);
    throw toFault(error);
  }
}

async function writeOne(path: string, bytes: InstanceBytes): Promise<void> {
  const handle = await open(path, "w");
  try {
    if (bytes instanceof Uint8Array) await writeFully(handle, bytes);
    else for await (const piece of bytes) await writeFully(handle, piece);
  } finally {
    await handle.close();
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length; ) at += (await handle.write(bytes, at)).bytesWritten;
}

/** A full disk has its own code; the system's message would name a path. */
function toFault(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  return code === "ENOSPC" || code === "EDQUOT" ? new Fault("disk_full", {}, { retry: true }) : error;
}
