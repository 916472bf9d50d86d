/**
 * restic (BSD-2-Clause): a backup program that seals and deduplicates into one folder, without an erasure code. As Debian packs it, or as installed.
 * Source: restic's manual, "Preparing a new repository", "Backing up".
 */
import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CACHE_FOLDER, type Peer, run } from "./peer.ts";

const MINUTE_MS = 60_000;
const cacheTarget = join(CACHE_FOLDER, "restic");
const INSTALLED = ["/usr/bin/restic", "/usr/local/bin/restic"];

export const restic: Peer = {
  name: "restic",
  title: "restic, one folder, no erasure code",
  cached: async () => [cacheTarget, ...INSTALLED].find(existsSync),
  obtain: async () => {
    const folder = join(CACHE_FOLDER, `restic-${process.pid}.partial`);
    await mkdir(folder, { recursive: true });
    try {
      await run("apt-get", ["download", "restic"], MINUTE_MS, { cwd: folder });
      const archive = (await readdir(folder)).find((name) => name.endsWith(".deb"));
      await run("dpkg-deb", ["-x", join(folder, archive ?? "none"), join(folder, "out")], MINUTE_MS);
      await rename(join(folder, "out", "usr", "bin", "restic"), cacheTarget);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    return cacheTarget;
  },
  start: async (program, folder) => {
    const repository = join(folder, "repository");
    const env = { ...process.env, RESTIC_PASSWORD: "of a benchmark", RESTIC_CACHE_DIR: join(folder, "cache") };
    const restic = (...args: string[]): Promise<string> =>
      run(program, ["--repo", repository, "--quiet", ...args], 10 * MINUTE_MS, { env });
    return {
      pids: [],
      reset: async () => {
        await rm(repository, { recursive: true, force: true });
        await restic("init");
      },
      write: async (file) => void (await restic("backup", file)),
      read: async (into) => void (await restic("restore", "latest", "--target", into)),
      stop: async () => {},
    };
  },
};
