/**
 * Locks that one process of this machine holds at a time, whatever folder it works in, and that end with the process however it ends: a
 * listening local socket. On Linux its name is abstract, so that nothing stays behind; elsewhere it is a file in the temporary folder, and one that
 * nobody listens on any more is taken over.
 * Source: the "Bad input gets" (two nodes with one validator key).
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A lock that this process holds. */
export interface MachineLock {
  release(): Promise<void>;
}

const pathOf = (name: string): string =>
  process.platform === "linux" ? `\0xinglin-${name}` : join(tmpdir(), `xinglin-${name}.sock`);

/** Takes the lock, or undefined if a process of this machine holds it (this one, too). `name` has at most 64 characters. */
export async function tryLock(name: string): Promise<MachineLock | undefined> {
  const path = pathOf(name);
  for (let attempt = 0; attempt < 2; attempt++) {
    // Who waits for the lock holds a connection open; it is cut when the lock is given back.
    const waiting = new Set<import("node:net").Socket>();
    const server = createServer((socket) => {
      waiting.add(socket.unref());
      socket.on("error", () => {}).on("close", () => waiting.delete(socket));
    });
    try {
      server.listen(path);
      await once(server, "listening");
      server.unref();
      return {
        release: async () => {
          server.close();
          for (const socket of waiting) socket.destroy();
          await once(server, "close");
        },
      };
    } catch (error) {
      if ((error as { code?: string }).code !== "EADDRINUSE") throw error;
      if (await isHeld(path)) return undefined;
      if (!path.startsWith("\0")) await rm(path, { force: true });
    }
  }
  return undefined;
}

/** Takes the lock as soon as it is free. */
export async function lock(name: string): Promise<MachineLock> {
  for (;;) {
    const held = await tryLock(name);
    if (held !== undefined) return held;
    const socket = connect(pathOf(name));
    await new Promise<void>((resolve) =>
      socket
        .on("error", () => {})
        .on("close", () => resolve())
        .resume(),
    );
  }
}

/** Whether somebody listens there. */
function isHeld(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
