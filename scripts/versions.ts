/**
 * `npm run versions` fetches the other versions of Node from npm, once, and holds the ledger against them: the same blocks must give the same app hash on
 * each. Ends with 1 if they don't, or if none could be fetched.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { folderOfVersion, NODE_PACKAGE, nodeOfVersion, OTHER_VERSIONS, TOO_OLD_VERSION } from "./node-versions.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

for (const version of [...OTHER_VERSIONS, TOO_OLD_VERSION]) {
  if (existsSync(nodeOfVersion(version))) continue;
  console.log(`Fetching Node ${version} (200 MB) from npm.`);
  const folder = folderOfVersion(version);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "package.json"), "{}\n");
  const args = ["install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--silent", `${NODE_PACKAGE}@${version}`];
  const { status } = spawnSync("npm", args, { cwd: folder, stdio: "inherit", shell: process.platform === "win32" });
  if (status !== 0) console.error(`Node ${version} could not be fetched as ${NODE_PACKAGE}.`);
}
const fetched = OTHER_VERSIONS.filter((version) => existsSync(nodeOfVersion(version)));
const { status } = spawnSync(process.execPath, ["--test", join(root, "test/node-versions.test.ts")], { stdio: "inherit" });
process.exitCode = fetched.length > 0 && status === 0 ? 0 : 1;
