/**
 * A place for a Unix socket: a folder that only this account can enter, since whoever can connect can speak as CometBFT, and no file left
 * over from a process that was killed. Source: unix(7).
 */
import { lstat, mkdir, stat, unlink } from "node:fs/promises";
import { connect } from "node:net";
import { dirname } from "node:path";
import { Fault } from "@xinglin/primitives";

const OWNER_FOLDER = 0o700;
const OTHERS = 0o077;
/** What `sun_path` holds on macOS, with the zero at its end; Linux has four more. */
const MAX_PATH_BYTES = 103;

/**
 * Makes the folder if need be and the path free. Rejects with `Fault`: `engine_socket_path`, `engine_socket_folder`, `engine_socket_taken`,
 * `engine_socket_failed`.
 */
export async function claimSocketPath(path: string): Promise<void> {
  const sizeBytes = Buffer.byteLength(path);
  if (sizeBytes > MAX_PATH_BYTES) throw new Fault("engine_socket_path", { sizeBytes, mostBytes: MAX_PATH_BYTES });
  try {
    await claim(path);
  } catch (error) {
    throw error instanceof Fault ? error : listenFault(error as NodeJS.ErrnoException, { path });
  }
}

async function claim(path: string): Promise<void> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: OWNER_FOLDER });
  if (((await stat(folder)).mode & OTHERS) !== 0) throw new Fault("engine_socket_folder");
  const found = await lstat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (found === undefined) return;
  if (!found.isSocket() || (await answers(path))) throw new Fault("engine_socket_taken");
  await unlink(path);
}

/** Whether a process listens there. */
const answers = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** Why listening failed, as a `Fault`. */
export function listenFault(error: NodeJS.ErrnoException, at: { readonly path: string } | { readonly port: number }): Fault {
  if (error.code === "EADDRINUSE")
    return "port" in at ? new Fault("port_in_use", { port: at.port }) : new Fault("engine_socket_taken");
  return new Fault("engine_socket_failed", { reason: error.code ?? "unknown" }, { cause: error });
}
