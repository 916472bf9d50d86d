/**
 * A member's node as a process of its own, in a process group of its own: ctrl-C reaches only this program, which stops the nodes in order. A
 * node ends by itself when this program is gone, however it went. Source: design.md, "Packages" (`services/node`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Fault, type MemberId } from "@xinglin/primitives";
import { childEnvironment } from "../child-environment.ts";

const PROGRAM = fileURLToPath(new URL("../../../node/src/main.ts", import.meta.url));
/** A node may take so long to stop before it is killed; its CometBFT ends with it. */
const STOP_MS = 20_000;
const TOLD_CHARACTERS = 4_000;

export interface NodeProcess {
  readonly member: MemberId;
  readonly pid: number | undefined;
  /** Address of its API. */
  readonly url: string;
  /** Resolves when it has ended; `told` is what it said last. */
  readonly ended: Promise<{ readonly code: number | null; readonly told: string }>;
  stop(): Promise<void>;
}

/** What starts a node: its configuration file and whose it is. */
export interface NodeStart {
  readonly member: MemberId;
  readonly config: string;
  readonly language: string;
  /** A line that the node said. */
  readonly onLine?: (line: string) => void;
}

/** Starts a node; resolves when it serves. Rejects with `node_not_started` and what it said, or with the reason of `signal`. */
export async function startNode({ member, config, language, onLine }: NodeStart, signal: AbortSignal): Promise<NodeProcess> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [...process.execArgv, PROGRAM, "--config", config, "--lang", language], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    detached: true,
    env: childEnvironment(),
  });
  let told = "";
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding("utf8").on("data", (text: string) => {
      told = (told + text).slice(-TOLD_CHARACTERS);
      for (const line of text.split("\n")) if (line !== "") onLine?.(line);
    });
  const ended = once(child, "close").then(([code]) => ({ code: code as number | null, told }));
  const stop = (): Promise<void> => stopProcess(child, ended);
  const ready = new Promise<string>((resolve, reject) => {
    child.once("message", (message) => resolve((message as { url: string }).url));
    ended.then(({ told: last }) => reject(new Fault("node_not_started", { member, reason: lastSentence(last) })));
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  try {
    const url = await ready;
    return { member, pid: child.pid, url, ended, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function stopProcess(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
  await ended;
  clearTimeout(timer);
}

const lastSentence = (told: string): string => told.trim().split("\n").at(-1) ?? "-";
