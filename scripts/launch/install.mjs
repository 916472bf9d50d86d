// @ts-check
/** Brings node_modules to what package-lock.json says, before anything that needs it is loaded. */
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { runQuietly } from "./child.mjs";
import { withLock } from "./lock.mjs";
import { PINNED } from "./runtime.mjs";

/** @typedef {{ version?: string, link?: boolean, optional?: boolean }} Locked */

/**
 * Whether every package that the lock file asks for stands in node_modules in that version. npm writes its own record there when an
 * install is complete, and takes it away first when it starts another, so a broken-off install counts as none. Optional packages
 * may be absent (they are for other platforms) but not in another version; the pinned Node of this platform may not.
 * @param {string} root
 */
export function isInstalled(root) {
  const wanted = packagesOf(join(root, "package-lock.json"));
  const present = packagesOf(join(root, "node_modules", ".package-lock.json"));
  if (wanted === undefined) return true; // nothing to install from: a packed copy brings its modules along
  if (present === undefined) return false;
  return Object.entries(wanted).every(([path, locked]) => {
    if (!/(^|\/)node_modules\//.test(path)) return true; // a workspace itself
    const found = present[path];
    return found === undefined
      ? locked.optional === true && path !== PINNED
      : found.version === locked.version && found.link === locked.link;
  });
}

/**
 * @param {string} path
 * @returns {Record<string, Locked> | undefined}
 */
function packagesOf(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages;
  } catch {
    return undefined;
  }
}

/** npm's own program, so that no shell and no `npm.cmd` is in between; under `npm start` npm names it itself. */
function findNpm() {
  const named = process.env.npm_execpath;
  const beside = dirname(process.execPath);
  const places = [
    ...(named?.endsWith("npm-cli.js") ? [named] : []),
    join(beside, "..", "lib", "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "node_modules", "npm", "bin", "npm-cli.js"),
    join(beside, "..", "share", "nodejs", "npm", "bin", "npm-cli.js"),
    ...(process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "npm")), // a link to it, but on Windows
  ];
  const programs = places.filter((place) => existsSync(place)).map((place) => realpathSync(place));
  return programs.find((program) => program.endsWith("npm-cli.js"));
}

/**
 * Installs what is missing; returns the exit code to end with, or 0 to go on.
 * @param {string} root
 * @param {import("./language.mjs").Say} say
 * @returns {Promise<number>}
 */
export async function install(root, say) {
  if (isInstalled(root)) return 0;
  const waiting = (/** @type {number} */ pid) => console.error(say("waiting", { pid }));
  return withLock(
    root,
    ".xinglin-installing",
    async () => {
      if (isInstalled(root)) return 0; // by the one we waited for
      const npm = findNpm();
      if (npm === undefined) {
        console.error(say("npm_missing"));
        return 1;
      }
      const args = [npm, "ci", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
      const { code, output, seconds, interrupted } = await runQuietly(say("installing"), process.execPath, args, root);
      const complete = code === 0 && isInstalled(root); // npm goes on without an optional package that it could not fetch
      if (complete) console.error(say("installed", { seconds }));
      else if (!interrupted) console.error(`\n${say("install_failed")}\n${output}\n${say("install_hint")}`);
      return complete ? 0 : code || 1;
    },
    waiting,
  );
}
