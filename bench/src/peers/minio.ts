/**
 * MinIO with an erasure code over fourteen folders: no sealing, no proofs. It is under the AGPL: built into the cache from its own module at a pinned
 * version, run as a separate program by the benchmark alone, never linked and never shipped.
 * Source: MinIO's documentation, "Erasure coding"; AWS Signature Version 4, query parameters.
 */
import { createHash, createHmac } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { Agent, type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { findGo, lock } from "@xinglin/engines";
import { freePorts } from "@xinglin/engines/testing";
import { CACHE_FOLDER, type Peer, run } from "./peer.ts";
import { PeerServer } from "./server.ts";

const VERSION = "v0.0.0-20260212201848-7aac2a2c5b7c";
const BUILD_MS = 15 * 60_000;
const target = join(CACHE_FOLDER, `minio-${VERSION}`);
const ACCESS = { id: "benchmark", secret: "a-secret-of-a-benchmark" };
const OBJECT = "/bench/study";
/** Bytes that are read from and written to files at once. */
const BUFFER = 1 << 20;

export const minio: Peer = {
  name: "minio",
  title: "MinIO 2026-02, 10+4 over 14 folders, not sealed",
  floor: 1.2,
  cached: async () => (existsSync(target) ? target : undefined),
  obtain: async () => {
    const go = await findGo([1, 24]);
    const folder = join(CACHE_FOLDER, `minio-${process.pid}.partial`);
    await mkdir(folder, { recursive: true });
    const held = await lock("engine-build");
    try {
      const env = { ...process.env, GOBIN: folder, GOTOOLCHAIN: "local", GOFLAGS: "-buildvcs=false -trimpath" };
      await run(go, ["install", "-ldflags=-s -w", `github.com/minio/minio@${VERSION}`], BUILD_MS, { env });
      await rename(join(folder, "minio"), target);
    } finally {
      await held.release();
      await rm(folder, { recursive: true, force: true });
    }
    return target;
  },
  start: async (program, folder) => {
    const [port, consolePort] = (await freePorts(2)) as [number, number];
    const where = ["--address", `127.0.0.1:${port}`, "--console-address", `127.0.0.1:${consolePort}`];
    const server = new PeerServer(program, ["server", "--quiet", ...where, `${join(folder, "d")}{1...14}`], {
      MINIO_ROOT_USER: ACCESS.id,
      MINIO_ROOT_PASSWORD: ACCESS.secret,
      MINIO_CI_CD: "1", // lets it take folders of one disk
      MINIO_BROWSER: "off",
      MINIO_UPDATE: "off",
    });
    const agent = new Agent({ keepAlive: true });
    const call = new S3Calls(port, agent);
    try {
      await server.ready(async () => (await call.drained("GET", "/minio/health/cluster")) === 200);
      await server.ready(async () => (await call.drained("PUT", "/bench")) === 200);
    } catch (cause) {
      await server.stop();
      throw cause;
    }
    return {
      pids: [server.pid],
      reset: async () => void (await call.drained("DELETE", OBJECT)),
      write: async (file) => {
        const { size } = await stat(file);
        const status = await call.send("PUT", OBJECT, { file, size }).then(drain);
        if (status !== 200) throw new Error(`MinIO answers ${status} to a write`);
      },
      read: async (into) => {
        await mkdir(into, { recursive: true });
        const answer = await call.send("GET", OBJECT);
        if (answer.statusCode !== 200) throw new Error(`MinIO answers ${answer.statusCode} to a read`);
        await pipeline(answer, createWriteStream(join(into, "study"), { highWaterMark: BUFFER }));
      },
      stop: async () => {
        agent.destroy();
        await server.stop();
      },
    };
  },
};

async function drain(answer: IncomingMessage): Promise<number> {
  for await (const _ of answer);
  return answer.statusCode ?? 0;
}

/** Signed calls, as cheap for the client as can be: bodies are not hashed. */
class S3Calls {
  readonly #port: number;
  readonly #agent: Agent;

  constructor(port: number, agent: Agent) {
    this.#port = port;
    this.#agent = agent;
  }

  async drained(method: string, path: string): Promise<number> {
    return drain(await this.send(method, path));
  }

  async send(method: string, path: string, body?: { readonly file: string; readonly size: number }): Promise<IncomingMessage> {
    const host = `127.0.0.1:${this.#port}`;
    const headers = { host, "content-length": body?.size ?? 0 };
    const call = request({
      host: "127.0.0.1",
      port: this.#port,
      path: signed(method, host, path),
      method,
      headers,
      agent: this.#agent,
    });
    const answered = new Promise<IncomingMessage>((resolve, reject) => call.on("response", resolve).on("error", reject));
    if (body === undefined) call.end();
    else await pipeline(createReadStream(body.file, { highWaterMark: BUFFER }), call);
    return await answered;
  }
}

/** The path with a signature that is good for an hour. */
function signed(method: string, host: string, path: string): string {
  const time = `${new Date().toISOString().replaceAll(/[-:]/g, "").slice(0, 15)}Z`;
  const scope = `${time.slice(0, 8)}/us-east-1/s3/aws4_request`;
  const query = new URLSearchParams({
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Credential": `${ACCESS.id}/${scope}`,
    "X-Amz-Date": time,
    "X-Amz-Expires": "3600",
    "X-Amz-SignedHeaders": "host",
  });
  const asked = [method, path, query, `host:${host}`, "", "host", "UNSIGNED-PAYLOAD"].join("\n");
  const digest = createHash("sha256").update(asked).digest("hex");
  let key: Buffer = Buffer.from(`AWS4${ACCESS.secret}`);
  for (const part of scope.split("/")) key = createHmac("sha256", key).update(part).digest();
  const signature = createHmac("sha256", key).update(["AWS4-HMAC-SHA256", time, scope, digest].join("\n")).digest("hex");
  return `${path}?${query}&X-Amz-Signature=${signature}`;
}
