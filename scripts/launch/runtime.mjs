// @ts-check
/** Which Node runs the programs: the pinned one from node_modules, else the running one if it is new enough. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

/** The oldest that the programs below run on: type stripping, `node:sqlite` and ML-DSA in `node:crypto`. */
export const OLDEST_RUNTIME = "24.6.0";
/** The oldest that the launcher itself runs on. */
export const OLDEST_LAUNCHER = "20.0.0";

/** The pinned Node's package for this platform, as the lock file names it where it has one. */
export const PINNED = `node_modules/node24-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

/**
 * @param {string} version as in `process.versions.node`
 * @param {string} oldest
 */
export function isAtLeast(version, oldest) {
  const [have, need] = [version, oldest].map((text) => text.split(".").map((part) => Number.parseInt(part, 10)));
  for (let i = 0; i < 3; i++) if (have?.[i] !== need?.[i]) return (have?.[i] ?? 0) > (need?.[i] ?? 0);
  return true;
}

/**
 * Absolute path of the Node to run under. The pinned one is tried first by asking its version: it may be absent, as on macOS, or
 * unable to run here, as on a Linux without glibc.
 * @param {string} root
 * @returns {string | undefined} nothing if there is none
 */
export function findRuntime(root) {
  const program = process.platform === "win32" ? "node.exe" : "node";
  const pinned = join(root, PINNED, "bin", program);
  if (process.execPath === pinned) return pinned;
  const answer = spawnSync(pinned, ["--version"], { encoding: "utf8" });
  if (answer.status === 0 && isAtLeast(answer.stdout.trim().slice(1), OLDEST_RUNTIME)) return pinned;
  return isAtLeast(process.versions.node, OLDEST_RUNTIME) ? process.execPath : undefined;
}
