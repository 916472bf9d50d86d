/**
 * What a user would take instead of the archive: programs of others, run beside ours by the same command on the same file. They are fetched or built
 * into a cache folder that is never committed, run only as separate processes, and nothing of them is part of what we ship.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Where programs of others are kept once they are had. */
export const CACHE_FOLDER = fileURLToPath(new URL("../../../node_modules/.cache/xinglin/peers", import.meta.url));

/** A program, or why it can't be had here. */
export type Had = { readonly program: string } | { readonly missing: string };

/** A program to compare with. */
export interface Peer {
  /** With version and settings, as it stands beside the figures. */
  readonly title: string;
  /** Short, for the names of measures. */
  readonly name: string;
  /** How many times faster than it we must be, in MB a CPU second. */
  readonly floor?: number;
  /** The program if it is in the cache already; never fetches anything. */
  cached(): Promise<string | undefined>;
  /** Fetches or builds it. Rejects with a sentence that says what was missing. */
  obtain(): Promise<string>;
  /** Starts its processes, with their files below `folder`. */
  start(program: string, folder: string): Promise<RunningPeer>;
}

/** One that runs. Bytes are written and read back once a round. */
export interface RunningPeer {
  /** Its servers, whose CPU time counts. Children that end within a call are counted with this process. */
  readonly pids: readonly number[];
  /** Before each round, not timed: what would let it find the file there already is taken away. */
  reset(file: string): Promise<void>;
  write(file: string): Promise<void>;
  read(into: string): Promise<void>;
  stop(): Promise<void>;
}

/** Finds a peer's program, and fetches or builds it once if it is not there. */
export async function have(peer: Peer): Promise<Had> {
  const program = await peer.cached();
  if (program !== undefined) return { program };
  try {
    return { program: await peer.obtain() };
  } catch (cause) {
    return { missing: `${peer.name} can't be had here: ${sentenceOf(cause)}` };
  }
}

/** What went wrong, in a line: the end of what a program said where it said something. */
export function sentenceOf(cause: unknown): string {
  const { stderr, message } = cause as { stderr?: unknown; message?: unknown };
  const told = String(stderr ?? "").trim() || String(message ?? cause);
  return told.replaceAll(/\s+/g, " ").slice(-300);
}

/** Runs a program to its end; rejects with what it said if that was not 0, or after `limitMs`. */
export async function run(
  program: string,
  args: readonly string[],
  limitMs: number,
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, { ...options, timeout: limitMs, maxBuffer: 1 << 24 });
  return stdout;
}
