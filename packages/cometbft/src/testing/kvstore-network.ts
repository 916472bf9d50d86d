/**
 * CometBFT with its own example application on this machine's loopback, under this project's settings: what the same consensus does for a
 * program in Go without signatures, rules or state proofs. For comparison in the benchmarks.
 * Source: CometBFT v0.40 `abci/example/kvstore`; its mempool is `flood`, since that application owns none.
 */

import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { freePorts } from "@xinglin/engines/testing";
import { type Bytes, invariant } from "@xinglin/primitives";
import { prepareHome } from "../home/home.ts";
import { nodeIdOf } from "../home/keys.ts";
import { EngineProcess } from "../process/engine-process.ts";
import { runFolder } from "../process/run-folder.ts";
import { blockOf, statusOf } from "../rpc/decode-json.ts";
import { RpcClient } from "../rpc/rpc-client.ts";

/** What `kvstoreNetwork` needs. */
export interface KvstoreOptions {
  /** Absolute path of CometBFT. */
  readonly binary: string;
  readonly directory: string;
  /** A genesis document of ours; its validators and bounds of blocks are used. */
  readonly genesis: Bytes;
  /** Seeds of the validators' Ed25519 keys. */
  readonly seeds: readonly Bytes[];
  readonly maxTransactionBytes: number;
  /** Transactions that wait on a node at most. */
  readonly mempoolCount: number;
}

/** One validator. */
export interface KvstoreNode {
  readonly pid: number | undefined;
  /** Transactions are `key=value`. Resolves to how many were turned away. */
  submit(transactions: readonly Bytes[]): Promise<number>;
  height(): Promise<number>;
  block(height: number): Promise<readonly Bytes[]>;
}

export interface KvstoreNetwork {
  readonly nodes: readonly KvstoreNode[];
  stop(): Promise<void>;
}

const ASK_MS = 50;
const START_MS = 30_000;
/** Requests in one body. */
const BATCH = 1_000;

/** Starts all; resolves when the first block is there. */
export async function kvstoreNetwork(options: KvstoreOptions): Promise<KvstoreNetwork> {
  const { seeds } = options;
  const ports = await freePorts(seeds.length);
  const nodeSeeds = seeds.map(() => new Uint8Array(randomBytes(32)));
  const closing: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    await Promise.allSettled(closing.splice(0).map((step) => step()));
  };
  try {
    const nodes = await Promise.all(
      seeds.map((validatorSeed, index) => {
        const peers = nodeSeeds.flatMap((seed, other) =>
          other > index ? [{ id: nodeIdOf(seed), address: `127.0.0.1:${ports[other]}` }] : [],
        );
        const p2p = { listen: `127.0.0.1:${ports[index]}`, peers, loopback: true, open: true };
        return kvstoreNode(options, { index, validatorSeed, nodeSeed: nodeSeeds[index]!, p2p }, closing);
      }),
    );
    const [first] = nodes;
    const deadline = performance.now() + START_MS;
    while ((await first!.height().catch(() => 0)) < 1) {
      invariant(performance.now() < deadline, "kvstore: no block");
      await new Promise((resolve) => setTimeout(resolve, ASK_MS));
    }
    return { nodes, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

interface Place {
  readonly index: number;
  readonly validatorSeed: Bytes;
  readonly nodeSeed: Bytes;
  readonly p2p: { readonly listen: string; readonly peers: { id: string; address: string }[]; readonly loopback: boolean };
}

async function kvstoreNode(options: KvstoreOptions, place: Place, closing: (() => unknown)[]): Promise<KvstoreNode> {
  const { binary, genesis, maxTransactionBytes, mempoolCount } = options;
  const { index, ...identity } = place;
  const directory = join(options.directory, `kvstore-${index}`);
  const folder = join(directory, "engine");
  const { validatorSeed, nodeSeed, p2p } = identity;
  // Its key-value map is in memory, as its authors measure it; blocks are synced.
  const config = { moniker: `kvstore-${index}`, proxyApp: "kvstore", p2p, maxTransactionBytes };
  await prepareHome({ folder, genesis, validatorSeed, nodeSeed, config: { ...config, rpc: "tcp://127.0.0.1:0" } });
  const run = await runFolder(directory);
  const socketPath = run.pathOf("rpc.sock");
  await flood(join(folder, "config", "config.toml"), socketPath, mempoolCount);
  const engine = new EngineProcess({
    binary,
    home: folder,
    logFile: join(folder, "engine.log"),
    beforeStart: () => run.clear("rpc.sock"),
  });
  const rpc = new RpcClient({ socketPath });
  closing.push(async () => {
    await engine.stop();
    rpc.close();
    await run.remove();
  });
  engine.start();
  return {
    get pid() {
      return engine.pid;
    },
    submit: (transactions) => submit(socketPath, transactions),
    height: async () => statusOf(await rpc.call("status")).latestHeight,
    block: async (height) => blockOf(await rpc.call("block", { height })).txs,
  };
}

/** CometBFT's own mempool instead of the application's, and requests in batches. */
async function flood(file: string, socketPath: string, mempoolCount: number): Promise<void> {
  const text = await readFile(file, "utf8");
  const changed = text
    .replace('type = "app"', `type = "flood"\nsize = ${mempoolCount}\ncache_size = ${2 * mempoolCount}`)
    .replace(
      'laddr = "tcp://127.0.0.1:0"',
      `laddr = "unix://${socketPath}"\nmax_request_batch_size = ${BATCH}\nmax_body_bytes = 16000000`,
    );
  invariant(changed.includes("flood") && changed.includes(socketPath), "kvstore: the settings have another form");
  await writeFile(file, changed);
}

function submit(socketPath: string, transactions: readonly Bytes[]): Promise<number> {
  const calls = transactions.map((tx, id) => ({
    jsonrpc: "2.0",
    id,
    method: "broadcast_tx_sync",
    params: { tx: Buffer.from(tx).toString("base64") },
  }));
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath, path: "/", method: "POST", headers: { "content-type": "application/json" } },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (piece: string) => {
          text += piece;
        });
        response.on("end", () => {
          const answers = [JSON.parse(text)].flat() as { result?: { code: number } }[];
          resolve(answers.filter(({ result }) => result?.code !== 0).length);
        });
        response.on("error", reject);
      },
    );
    asked.on("error", reject);
    asked.end(JSON.stringify(calls));
  });
}
