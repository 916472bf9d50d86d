// @ts-check
/** Builds the patient page when what it is made of has changed since the last build. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { runQuietly } from "./child.mjs";
import { withLock } from "./lock.mjs";

/** Not part of what is built: results, tests and prose. */
const IGNORED = new Set(["dist", "node_modules", "test", "README.md"]);

/**
 * SHA-256 over paths and contents of the portal, the packages that it bundles and the lock file.
 * @param {string} root
 */
function hashSources(root) {
  const portal = join(root, "packages", "portal");
  const { dependencies } = JSON.parse(readFileSync(join(portal, "package.json"), "utf8"));
  const bundled = Object.keys(dependencies).filter((name) => name.startsWith("@xinglin/"));
  const folders = [portal, ...bundled.map((name) => join(root, "packages", name.slice("@xinglin/".length)))];
  const hash = createHash("sha256");
  for (const path of [join(root, "package-lock.json"), ...folders.flatMap(filesIn)]) {
    const content = readFileSync(path);
    hash.update(`${relative(root, path).split(sep).join("/")}\n${content.length}\n`).update(content);
  }
  return hash.digest("hex");
}

/**
 * @param {string} folder
 * @returns {string[]} in one order on every system
 */
function filesIn(folder) {
  const entries = readdirSync(folder, { withFileTypes: true }).filter((entry) => !IGNORED.has(entry.name));
  entries.sort((a, b) => (a.name < b.name ? -1 : 1));
  return entries.flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : entry.isFile() ? [path] : [];
  });
}

/**
 * Builds if needed; returns the exit code to end with, or 0 to go on. The stamp is written last, so a broken-off build is repeated.
 * @param {string} root
 * @param {string} node absolute path of the Node to build with
 * @param {import("./language.mjs").Say} say
 * @returns {Promise<number>}
 */
export async function buildPortal(root, node, say) {
  const portal = join(root, "packages", "portal");
  if (!existsSync(join(portal, "index.html"))) return 0;
  const stamp = join(portal, "dist", ".sources");
  const isBuilt = (/** @type {string} */ sources) => existsSync(stamp) && readFileSync(stamp, "utf8") === sources;
  if (isBuilt(hashSources(root))) return 0;
  const waiting = (/** @type {number} */ pid) => console.error(say("waiting", { pid }));
  return withLock(
    root,
    ".xinglin-building",
    async () => {
      const sources = hashSources(root);
      if (isBuilt(sources)) return 0; // by the one we waited for
      const vite = join(root, "node_modules", "vite", "bin", "vite.js");
      const { code, output, seconds, interrupted } = await runQuietly(say("building_page"), node, [vite, "build"], portal);
      if (code === 0) {
        writeFileSync(stamp, sources);
        console.error(say("installed", { seconds }));
      } else if (!interrupted) console.error(`\n${say("build_failed")}\n${output}`);
      return code;
    },
    waiting,
  );
}
