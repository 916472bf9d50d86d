/**
 * Where the sockets between us and CometBFT lie while a node runs: in its data folder, or in the temporary folder where that path is too long for
 * a socket. Only the owner can enter it.
 * Source: unix(7) (`sun_path`).
 */
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

/** Bytes of a folder's path that leave room for the names of sockets. */
const MAX_FOLDER_BYTES = 85;

export interface RunFolder {
  pathOf(socket: string): string;
  /** Removes a socket that a process left behind. */
  clear(socket: string): Promise<void>;
  remove(): Promise<void>;
}

/** Makes the folder for the data folder `directory`. */
export async function runFolder(directory: string): Promise<RunFolder> {
  const near = resolve(directory, "run");
  const folder = Buffer.byteLength(near) <= MAX_FOLDER_BYTES ? near : await mkdtemp(join(tmpdir(), "xinglin-"));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const pathOf = (socket: string): string => join(folder, socket);
  return {
    pathOf,
    clear: (socket) => rm(pathOf(socket), { force: true }),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
