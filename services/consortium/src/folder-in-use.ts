/**
 * One running program for a data folder, asked before ports are: whoever starts a second one is told which process has the folder, not that some port
 * is taken. Source: CONTRIBUTING "Fail closed".
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { type MachineLock, tryLock } from "@xinglin/engines";
import { Fault } from "@xinglin/primitives";

/** Beside the folder's content, for people and for the sentence; whether it is in use only the lock says. */
const FILE = "running.pid";

/** A folder that this process has for itself. */
export interface HeldFolder {
  /** Writes down which process this is; once the folder is there. */
  note(): void;
  release(): Promise<void>;
}

/** Throws `Fault("folder_in_use")` with the process that has it. Nothing is written before `note`. */
export async function holdFolder(data: string): Promise<HeldFolder> {
  const path = canonical(data);
  const name = createHash("sha256").update(path).digest("hex").slice(0, 40);
  const held: MachineLock | undefined = await tryLock(`folder-${name}`);
  if (held === undefined) throw new Fault("folder_in_use", { path: data, pid: pidIn(path) });
  return {
    note: () => {
      mkdirSync(path, { recursive: true, mode: 0o700 });
      writeFileSync(join(path, FILE), `${process.pid}\n`);
    },
    release: async () => {
      rmSync(join(path, FILE), { force: true });
      await held.release();
    },
  };
}

/** One name for a folder however it is reached, whether it is there or not. */
function canonical(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return dirname(path) === path ? path : join(canonical(dirname(path)), basename(path));
  }
}

function pidIn(path: string): string {
  try {
    return /^\d{1,10}/.exec(readFileSync(join(path, FILE), "utf8"))?.[0] ?? "-";
  } catch {
    return "-"; // it is only just starting
  }
}
