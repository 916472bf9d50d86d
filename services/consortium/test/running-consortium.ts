/** The consortium as `npm start` runs it, in a process of its own over a temporary folder. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Programs start in half the time when what they load was compiled before: by another test, or by an earlier run. */
export const COMPILE_CACHE = fileURLToPath(new URL("../../../node_modules/.cache/xinglin/compiled", import.meta.url));
const MAIN = fileURLToPath(new URL("../src/main.ts", import.meta.url));

export interface Running {
  readonly child: ChildProcess;
  readonly data: string;
  /** Everything it said so far. */
  output(): string;
  /** Resolves when it said something like this; rejects with all it said if it ends before. */
  said(pattern: RegExp): Promise<RegExpExecArray>;
  /** Stops it as ctrl-C does; resolves with the exit code. */
  stop(): Promise<number | null>;
}

export const newDataFolder = (): string => join(mkdtempSync(join(tmpdir(), "xinglin-consortium-")), "data");
export const removeDataFolder = (data: string): void => rmSync(join(data, ".."), { recursive: true, force: true });

export function startConsortium(data: string, ...args: string[]): Running {
  const child = spawn(process.execPath, [MAIN, "--data", data, "--port", "0", "--lang", "en", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  let told = "";
  const listeners = new Set<() => void>();
  const hear = (part: Buffer): void => {
    told += part.toString();
    for (const listener of listeners) listener();
  };
  child.stdout?.on("data", hear);
  child.stderr?.on("data", hear);
  const exited = once(child, "exit");
  return {
    child,
    data,
    output: () => told,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(told);
          if (match === null) return;
          listeners.delete(look);
          resolve(match);
        };
        listeners.add(look);
        exited.then(() => {
          look();
          reject(new Error(`it ended without saying ${pattern}:\n${told}`));
        });
        look();
      }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGINT");
      const [code] = (await exited) as [number | null];
      return code;
    },
  };
}
