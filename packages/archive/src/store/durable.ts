/** Writing so that it is on disk when the call returns: the file, and the folder that names it. */
import { constants } from "node:fs";
import { open } from "node:fs/promises";

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
