/** Writing so that it is on disk when the call returns: the file, and the folder that names it. */
import { constants } from "node:fs";
import { mkdir, open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { errnoOf } from "./disk-fault.ts";

/**
 * Makes a folder and those above it. Not by Node's own recursive call, which never returns where a folder exists and yet none can be made in it, as in
 * /proc.
 */
export async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path);
  } catch (cause) {
    if (errnoOf(cause) === "EEXIST" && (await stat(path)).isDirectory()) return;
    const above = dirname(path);
    if (errnoOf(cause) !== "ENOENT" || above === path || (await isFolder(above))) throw cause;
    await makeFolder(above);
    await makeFolder(path);
  }
}

const isFolder = async (path: string): Promise<boolean> => (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

/** Returns when the entries of a folder are on disk. */
export async function syncFolder(path: string): Promise<void> {
  if (process.platform === "win32") return; // folders cannot be opened there, and renames are journaled
  const folder = await open(path, constants.O_RDONLY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Returns when all that was written to a file, through any descriptor, is on disk. Waits off the calling thread. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Writes a new file and returns when its content is on disk. */
export async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}
