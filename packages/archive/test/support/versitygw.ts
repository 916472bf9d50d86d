/**
 * An S3 server for tests: versitygw over a temporary folder. Built once from the module that pins it, or one that is installed and
 * named by `XINGLIN_VERSITYGW`. It keeps what it has been sent when it is killed, and it checks signatures; moto does neither.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildOnce } from "@xinglin/engines";
import { freePort } from "@xinglin/engines/testing";
import { Fault } from "@xinglin/primitives";

const PROGRAM = {
  name: "versitygw",
  oldestGo: [1, 25],
  main: "github.com/versity/versitygw/cmd/versitygw",
} as const;

/** What the server lets in. */
export const ACCESS = { id: "XINGLINTEST", secret: "a-secret-for-tests-only" };

/** The program's path, built if need be, or why there is none. */
export async function findServer(): Promise<{ readonly path: string } | { readonly missing: string }> {
  const named = process.env.XINGLIN_VERSITYGW;
  if (named) return existsSync(named) ? { path: named } : { missing: "versitygw: XINGLIN_VERSITYGW names no file" };
  try {
    return { path: await buildOnce(PROGRAM) };
  } catch (cause) {
    if (cause instanceof Fault && cause.code === "go_missing")
      return { missing: "go: not installed, so there is no S3 server to test with" };
    if (cause instanceof Fault && cause.code === "engine_build_failed")
      return { missing: "go: the module engine/versitygw can't be built" };
    throw cause;
  }
}

/** A server on this machine, with the credentials file of a node that may use it. */
export class S3Server {
  readonly folder: string;
  readonly credentialsFile: string;
  port = 0;
  readonly #program: string;
  #child: ChildProcess | undefined;

  static async start(program: string): Promise<S3Server> {
    const server = new S3Server(program, await mkdtemp(join(tmpdir(), "xinglin-s3-")));
    await mkdir(join(server.folder, "buckets"));
    await mkdir(join(server.folder, "notes"));
    await writeFile(
      server.credentialsFile,
      `[default]\naws_access_key_id = ${ACCESS.id}\naws_secret_access_key = ${ACCESS.secret}\n`,
      { mode: 0o600 },
    );
    try {
      await server.resume();
    } catch (cause) {
      await server.end();
      throw cause;
    }
    return server;
  }

  private constructor(program: string, folder: string) {
    this.#program = program;
    this.folder = folder;
    this.credentialsFile = join(folder, "credentials");
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts it, on the port it had; what was stored before is there. */
  async resume(): Promise<void> {
    if (this.port === 0) this.port = await freePort();
    const args = [
      "--quiet",
      "--port",
      `127.0.0.1:${this.port}`,
      "posix",
      "--sidecar",
      join(this.folder, "notes"),
      join(this.folder, "buckets"),
    ];
    const env = { ...process.env, ROOT_ACCESS_KEY: ACCESS.id, ROOT_SECRET_KEY: ACCESS.secret };
    const child = spawn(this.#program, args, { stdio: ["ignore", "ignore", "inherit"], env });
    this.#child = child;
    while (!(await answers(this.port))) {
      if (child.exitCode !== null) throw new Error(`versitygw ended with ${child.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** Kills it as a power cut does. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "close");
  }

  /** Kills it and removes what it has stored. */
  async end(): Promise<void> {
    await this.kill();
    await rm(this.folder, { recursive: true, force: true });
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1")
      .on("connect", () => {
        socket.destroy();
        resolve(true);
      })
      .on("error", () => resolve(false));
  });
}
