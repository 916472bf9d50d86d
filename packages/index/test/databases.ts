/**
 * The engines that the contract suite runs on: PGlite always, and a real PostgreSQL where its server programs are found (Debian's, or
 * those on the PATH), started on a socket-less loopback port under a user that is not root.
 */
import { execFile, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { chown, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { PgliteClient } from "../src/store/pglite-client.ts";

const run = promisify(execFile);

/** An image of an empty PGlite, made once for all test runs: starting from it takes a tenth of the time. */
export async function template(): Promise<string> {
  const folder = fileURLToPath(new URL("../../../node_modules/.cache/xinglin", import.meta.url));
  const file = join(folder, "pglite-empty-0.5.14.tar.gz");
  if (existsSync(file)) return file;
  await mkdir(folder, { recursive: true });
  const client = new PgliteClient({});
  await client.waitReady;
  const partial = `${file}.${process.pid}`;
  await writeFile(partial, await client.dump());
  await client.close();
  await rename(partial, file);
  return file;
}

/** Folder of `initdb` and `postgres`, newest first, or undefined where none is installed. */
export function serverPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(debian, version, "bin")), ...(process.env.PATH ?? "").split(":")];
  return folders.find((folder) => existsSync(join(folder, "initdb")) && existsSync(join(folder, "postgres")));
}

export interface TestServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** A server of its own in a temporary folder. It does not sync to disk: these tests do not cut the power. */
export async function startPostgres(programs: string): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), "xinglin-postgres-"));
  const account = await unprivileged();
  if (account !== undefined) await chown(folder, account.uid, account.gid);
  const as = { ...account, cwd: folder };
  const data = join(folder, "data");
  await run(join(programs, "initdb"), ["-D", data, "-U", "xinglin", "-A", "trust", "-E", "UTF8", "--no-sync"], as);
  const port = await freePort();
  const server = spawn(
    join(programs, "postgres"),
    ["-D", data, "-p", String(port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off"],
    { ...as, stdio: ["ignore", "ignore", "pipe"] },
  );
  const exited = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let log = "";
    server.stderr.on("data", (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes("ready to accept connections")) resolve();
    });
    server.once("exit", () => reject(new Error(`postgres did not start: ${log}`)));
  });
  return {
    url: `postgres://xinglin@127.0.0.1:${port}/postgres`,
    stop: async () => {
      server.kill("SIGINT");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** PostgreSQL refuses to run as root; then its own account, or nobody, runs it. */
async function unprivileged(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const [uid, gid] = await Promise.all(["-u", "-g"].map(async (flag) => Number((await run("id", [flag, name])).stdout)));
      if (uid !== undefined && gid !== undefined) return { uid, gid };
    } catch {
      // no such account here
    }
  }
  return undefined;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
