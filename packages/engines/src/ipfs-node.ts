/**
 * The small private IPFS node as a process of ours: built once, started in its folder, stopped in order. It ends when we do, however we end.
 * Source: design.md, "Runtime" (`engine/ipfs`); docs/internals/archive.md.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { Fault } from "@xinglin/primitives";
import { type BuildOptions, buildOnce, programPath } from "./build-program.ts";

/** Names a built node, instead of building one. */
export const IPFS_VARIABLE = "XINGLIN_IPFS";
const PROGRAM = { name: "ipfs", oldestGo: [1, 26] } as const;

/** Absolute path of the node's program. Faults: `go_missing`, `engine_build_failed`, `ipfs_program_missing` (the one that `XINGLIN_IPFS` names). */
export async function ensureIpfsNode(options: BuildOptions = {}): Promise<string> {
  const named = (options.environment ?? process.env)[IPFS_VARIABLE];
  if (named === undefined || named === "") return await buildOnce(PROGRAM, options);
  if (!existsSync(named)) throw new Fault("ipfs_program_missing", { path: named });
  return named;
}

/** Absolute path of the node's program if it is built, or named by `XINGLIN_IPFS`: never builds it. */
export async function builtIpfsNode(environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const path = environment[IPFS_VARIABLE] || (await programPath(PROGRAM));
  return existsSync(path) ? path : undefined;
}

/** How a node is started. */
export interface IpfsNodeOptions {
  /** Absolute path of the program. */
  readonly program: string;
  /** Its blocks, pins and identity; made if it is not there. */
  readonly folder: string;
  /** Where the RPC listens: `127.0.0.1:PORT` (0 for any that is free) or `unix:/path`. */
  readonly api?: string;
  /** Multiaddress where peers connect. */
  readonly swarm?: string;
  /** Key of the private network, the same for all its peers; made in the folder if there is none. */
  readonly swarmKeyFile?: string;
  /** Peers to stay connected with, as multiaddresses that end in `/p2p/ID`. */
  readonly peers?: readonly string[];
  /** What the node names as its limit. */
  readonly storageMaxBytes?: number;
  /** False: blocks are not written through to the disk. For tests and measures alone. */
  readonly isDurable?: boolean;
}

/** A node that runs. */
export interface IpfsNode {
  /** Its RPC, as a store's description names it. */
  readonly api: string;
  /** Its identifier among its peers. */
  readonly id: string;
  /** Where peers reach it. */
  readonly addresses: readonly string[];
  readonly pid: number;
  /** Resolves when it has ended, whoever wanted it, with what it said last. */
  readonly ended: Promise<string>;
  /** Stops it in order; after a while by force. */
  stop(): Promise<void>;
  /** Ends it as a power cut would. */
  kill(signal?: NodeJS.Signals): void;
}

const STOP_MS = 10_000;
const TOLD_CHARACTERS = 2_000;
/** For Go's runtime, unless the environment says otherwise: every block that is read is garbage at once, and collecting it costs more than the memory. */
const RUNTIME = { GOGC: "300", GOMEMLIMIT: "512MiB" };

/** What a node says why it does not start, and our codes for it. */
const REASONS: Readonly<Record<string, string>> = {
  repo_in_use: "ipfs_repo_in_use",
  repo_unusable: "ipfs_repo_unusable",
  swarm_key_wrong: "ipfs_swarm_key_wrong",
  address_refused: "ipfs_address_refused",
  address_unusable: "ipfs_address_unusable",
};

/**
 * Resolves when the node answers. Faults: `ipfs_repo_in_use`, `ipfs_repo_unusable`, `ipfs_swarm_key_wrong`, `ipfs_address_refused`,
 * `ipfs_address_unusable`, `ipfs_node_failed`.
 */
export async function startIpfsNode(options: IpfsNodeOptions): Promise<IpfsNode> {
  const child = spawn(options.program, argumentsOf(options), {
    stdio: ["pipe", "pipe", "pipe"],
    detached: true, // ctrl-C reaches only us, and we stop it in order
    env: { PATH: process.env.PATH ?? "", ...RUNTIME, ...runtimeOf(process.env) },
  });
  let told = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    told = (told + text).slice(-TOLD_CHARACTERS);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (cause) => resolve(String(cause)));
    child.once("close", () => resolve(told.trim()));
  });
  child.stdin.on("error", () => {}); // it ended first
  const line = await firstLine(child, ended);
  if (line.ready !== true) {
    await ended;
    const facts = { folder: options.folder, reason: (line.detail ?? told.trim()).slice(-400) };
    throw new Fault(REASONS[line.error ?? ""] ?? "ipfs_node_failed", facts);
  }
  return {
    api: line.api!,
    id: line.id!,
    addresses: line.addresses ?? [],
    pid: child.pid!,
    ended,
    kill: (signal = "SIGKILL") => void child.kill(signal),
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

function argumentsOf(options: IpfsNodeOptions): string[] {
  const { folder, api, swarm, swarmKeyFile, peers = [], storageMaxBytes, isDurable = true } = options;
  const values: Readonly<Record<string, string | undefined>> = {
    repo: folder,
    api,
    swarm,
    "swarm-key": swarmKeyFile,
    "storage-max": storageMaxBytes?.toString(),
  };
  const named = Object.entries(values).flatMap(([name, value]) => (value === undefined ? [] : [`-${name}=${value}`]));
  return ["-end-with-input", `-sync=${isDurable}`, ...named, ...peers.map((peer) => `-peer=${peer}`)];
}

/** What was set for Go by whoever runs us. */
const runtimeOf = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => name.startsWith("GO")));

interface Line {
  readonly ready?: boolean;
  readonly api?: string;
  readonly id?: string;
  readonly addresses?: readonly string[];
  readonly error?: string;
  readonly detail?: string;
}

/** What the node says first; an empty object if it ended without a word. */
function firstLine(child: ChildProcess, ended: Promise<string>): Promise<Line> {
  return new Promise((resolve) => {
    let text = "";
    child.stdout!.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const end = text.indexOf("\n");
      if (end < 0) return;
      try {
        resolve(JSON.parse(text.slice(0, end)) as Line);
      } catch {
        resolve({ detail: text.slice(0, end) });
      }
    });
    ended.then((detail) => resolve({ detail }));
  });
}
