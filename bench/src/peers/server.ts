/** A server of a peer: started, waited for, ended whatever happens. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";

const READY_MS = 120_000;
const STEP_MS = 100;
const STOP_MS = 5_000;
const TOLD_CHARACTERS = 300;

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** A process that stays until it is stopped, or we end. */
export class PeerServer {
  readonly pid: number;
  readonly #child: ChildProcess;
  #told = "";

  constructor(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(program, args, { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, ...environment } });
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#told = (this.#told + text).slice(-TOLD_CHARACTERS);
      });
    this.#child.on("error", (cause) => {
      this.#told = String(cause);
    });
    this.pid = this.#child.pid ?? 0;
    running.add(this.#child);
    this.#child.on("exit", () => running.delete(this.#child));
  }

  /** Resolves once `isReady` says so. Rejects with what the server said if it ends before, or takes too long. */
  async ready(isReady: () => Promise<boolean>): Promise<void> {
    for (let waited = 0; waited < READY_MS; waited += STEP_MS) {
      if (this.#hasEnded()) throw new Error(`a server ended: ${this.#told.trim()}`);
      if (await isReady().catch(() => false)) return;
      await setTimeout(STEP_MS);
    }
    throw new Error(`a server was not ready in ${READY_MS / 1000} s: ${this.#told.trim()}`);
  }

  async stop(): Promise<void> {
    if (!this.#hasEnded()) {
      const ended = once(this.#child, "exit");
      this.#child.kill("SIGTERM");
      const last = globalThis.setTimeout(() => this.#child.kill("SIGKILL"), STOP_MS);
      await ended;
      clearTimeout(last);
    }
  }

  #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
