/**
 * `npm run versions` fetches the other versions of Node from npm, once, and holds the ledger against them: the same blocks must give the same app hash on
 * each. Ends with 1 if they don't, or if none could be fetched. `npm run versions -- --fetch` only fetches, for who runs all tests afterwards.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderOfVersion, NODE_PACKAGE, nodeOfVersion, OTHER_VERSIONS, TOO_OLD_VERSION } from "./node-versions.ts";

/** A registry that does not answer holds nobody up for longer, for each version. */
const FETCH_MS = 120_000;

const root = fileURLToPath(new URL("..", import.meta.url));

for (const version of [...OTHER_VERSIONS, TOO_OLD_VERSION]) {
  if (existsSync(nodeOfVersion(version))) continue;
  console.log(`Fetching Node ${version} (200 MB) from npm.`);
  const folder = folderOfVersion(version);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), "{}\n");
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", `${NODE_PACKAGE}@${version}`];
  const { status } = spawnSync("npm", args, {
    cwd: folder,
    stdio: "inherit",
    timeout: FETCH_MS,
    shell: process.platform === "win32",
  });
  if (status !== 0) console.error(`Node ${version} could not be fetched as ${NODE_PACKAGE}.`);
}
const fetched = OTHER_VERSIONS.filter((version) => existsSync(nodeOfVersion(version)));
const isEqual = (): boolean =>
  spawnSync(process.execPath, ["--test", join(root, "test/node-versions.test.ts")], { stdio: "inherit" }).status === 0;
process.exitCode = fetched.length > 0 && (process.argv.includes("--fetch") || isEqual()) ? 0 : 1;
