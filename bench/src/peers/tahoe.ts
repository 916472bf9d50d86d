/**
 * Tahoe-LAFS (GPL-2 or TGPPL; run as separate programs, never shipped): the one that seals and codes as we do. Fourteen storage nodes, an introducer and a client
 * on loopback, any ten of fourteen shares.
 * Source: Tahoe-LAFS's manual, "How to run Tahoe-LAFS", "The web API".
 */
import { randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, existsSync } from "node:fs";
import { mkdir, open, readFile, rename, rm, stat } from "node:fs/promises";
import { type IncomingMessage, request } from "node:http";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { freePorts } from "@xinglin/engines/testing";
import { CACHE_FOLDER, type Peer, run } from "./peer.ts";
import { PeerServer } from "./server.ts";

const VERSION = "1.20.0";
const MINUTE_MS = 60_000;
/** Making sixteen folders at once; it is Python that starts sixteen times. */
const MAKING_MS = 3 * MINUTE_MS;
const environment = join(CACHE_FOLDER, `tahoe-${VERSION}`);
/** Written last, so an environment that was cut off is made again. */
const mark = join(environment, "complete");
const program = join(environment, "bin", "tahoe");
const SERVERS = 14;
const BUFFER = 1 << 20;

export const tahoe: Peer = {
  name: "tahoe",
  title: `Tahoe-LAFS ${VERSION}, 10 of 14`,
  floor: 10,
  cached: async () => (existsSync(mark) ? program : undefined),
  obtain: async () => {
    await rm(environment, { recursive: true, force: true }); // it knows its own path: it can't be made elsewhere and moved
    await mkdir(CACHE_FOLDER, { recursive: true });
    await run("python3", ["-m", "venv", environment], MINUTE_MS);
    await run(join(environment, "bin", "pip"), ["install", "--quiet", `tahoe-lafs==${VERSION}`], 5 * MINUTE_MS);
    await mkdir(`${mark}.partial`, { recursive: true });
    await rename(`${mark}.partial`, mark);
    return program;
  },
  start: async (tahoe, folder) => {
    const servers: PeerServer[] = [];
    const stop = async (): Promise<void> => void (await Promise.all(servers.map((server) => server.stop())));
    try {
      const api = await startGrid(tahoe, folder, servers);
      let cap = "";
      return {
        pids: servers.map(({ pid }) => pid),
        reset: freshen,
        write: async (file) => {
          cap = (await text(await send(api, "PUT", "/uri", file))).trim();
          if (!cap.startsWith("URI:")) throw new Error(`Tahoe-LAFS answers ${cap.slice(0, 200)}`);
        },
        read: async (into) => {
          await mkdir(into, { recursive: true });
          const answer = await send(api, "GET", `/uri/${encodeURIComponent(cap)}`);
          await pipeline(answer, createWriteStream(join(into, "study"), { highWaterMark: BUFFER }));
        },
        stop,
      };
    } catch (cause) {
      await stop();
      throw cause;
    }
  },
};

/** Equal files have equal ciphertexts there: one that is known is not written again. */
async function freshen(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.write(randomBytes(32), 0, 32, 0);
  await file.close();
}

/** Resolves with the port of the client's web API, once all servers are connected. */
async function startGrid(tahoe: string, folder: string, servers: PeerServer[]): Promise<number> {
  const ports = await freePorts(SERVERS + 2);
  const listen = (port: number): string[] => [`--port=tcp:${port}:interface=127.0.0.1`, `--location=tcp:127.0.0.1:${port}`];
  const start = (at: string): PeerServer => {
    // It ends when standard input does, which is at once.
    const server = new PeerServer(tahoe, ["run", "--allow-stdin-close", at]);
    servers.push(server);
    return server;
  };
  const introducer = join(folder, "introducer");
  const [first, api] = ports.slice(SERVERS) as [number, number];
  await run(tahoe, ["create-introducer", "--listen=tcp", ...listen(first), introducer], MAKING_MS);
  const furl = join(introducer, "private", "introducer.furl");
  await start(introducer).ready(async () => existsSync(furl));
  const introduced = `--introducer=${(await readFile(furl, "utf8")).trim()}`;
  const nodes = ports.slice(0, SERVERS).map((port, i) => ({ port, at: join(folder, `server-${i}`) }));
  const client = join(folder, "client");
  const shares = ["--shares-needed=10", "--shares-happy=10", `--shares-total=${SERVERS}`];
  const web = `--webport=tcp:${api}:interface=127.0.0.1`;
  await Promise.all([
    run(tahoe, ["create-client", ...shares, web, introduced, client], MAKING_MS),
    ...nodes.map(({ port, at }) => run(tahoe, ["create-node", ...listen(port), introduced, "--webport=none", at], MAKING_MS)),
  ]);
  for (const { at } of nodes) start(at);
  await start(client).ready(async () => (await connected(api)) === SERVERS);
  return api;
}

/** How many servers the client is connected with. */
async function connected(api: number): Promise<number> {
  const { servers } = JSON.parse(await text(await send(api, "GET", "/?t=json"))) as { servers: { connection_status: string }[] };
  return servers.filter(({ connection_status }) => /^connected/i.test(connection_status)).length;
}

/** One call of the web API. Rejects unless the answer is a success. */
async function send(port: number, method: string, path: string, file?: string): Promise<IncomingMessage> {
  const size = file === undefined ? 0 : (await stat(file)).size;
  const call = request({ host: "127.0.0.1", port, path, method, headers: { "content-length": size } });
  const answered = new Promise<IncomingMessage>((resolve, reject) => call.on("response", resolve).on("error", reject));
  if (file === undefined) call.end();
  else await pipeline(createReadStream(file, { highWaterMark: BUFFER }), call);
  const answer = await answered;
  if ((answer.statusCode ?? 500) < 300) return answer;
  const told = (await text(answer)).replaceAll(/<[^>]*>/g, " ").trim();
  throw new Error(`Tahoe-LAFS answers ${answer.statusCode}: ${told.slice(-200)}`);
}
