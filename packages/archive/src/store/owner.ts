/**
 * Who is writing a stage, so that the next process can tell a stage in progress from one whose writer died.
 */
import { randomBytes } from "node:crypto";
import { hostname } from "node:os";
import { getEnvironmentData, setEnvironmentData } from "node:worker_threads";
import { toHex } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";

const host = toHex(sha256(Buffer.from(hostname())).subarray(0, 4));
/** One for all threads of the process: workers begin with what the main thread has set. */
const TOKEN = "xinglin-stage-token";
const known = getEnvironmentData(TOKEN);
const token = typeof known === "string" ? known : randomBytes(4).toString("hex");
setEnvironmentData(TOKEN, token);
/** On another machine nobody can look whether the process lives; after a day no import is still at work. */
const STALE_AFTER_MS = 86_400_000;

/** Name of this process in stages: machine, process id and a token, since ids are used again. */
export const stageOwner = `${host}-${process.pid}-${token}`;

/** Whether the writer of a stage last touched at `touchedMs` (ms since 1970) is gone. */
export function isStale(owner: string, touchedMs: number, self: string = stageOwner): boolean {
  if (owner === self) return false;
  const [theirHost, theirPid] = owner.split("-");
  if (theirHost !== self.split("-")[0]) return Date.now() - touchedMs > STALE_AFTER_MS;
  const pid = Number(theirPid);
  return pid === process.pid || !isAlive(pid) || Date.now() - touchedMs > STALE_AFTER_MS;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
}
