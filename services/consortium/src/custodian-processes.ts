/**
 * Each custodian as a process of its own, as members run them; they end with this process, however it ends. Source: design.md, "Packages" (`services/custodian`).
 */
import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CustodianService, remoteCustodian } from "@xinglin/custody";
import { custodianKey } from "@xinglin/member";
import { Fault, type MemberId } from "@xinglin/primitives";
import { childEnvironment } from "./child-environment.ts";

const PROGRAM = fileURLToPath(new URL("../../custodian/src/main.ts", import.meta.url));
const START_MS = 60_000;

/** Starts a member's custodian over the node at `node`; resolves when it listens. `listen`: on which port; 0 for any. */
export async function startCustodianProcess(
  data: string,
  member: MemberId,
  node: string,
  listen = 0,
): Promise<{ service: CustodianService; stop(): Promise<void> }> {
  const args = ["--genesis", join(data, "genesis.cbor"), "--key", custodianKey(data, member), "--node", node];
  const shares = join(data, "custodians", member);
  const child = spawn(process.execPath, [PROGRAM, ...args, "--shares", shares, "--host", "127.0.0.1", "--port", String(listen)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: childEnvironment(),
  });
  const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  const port = await portOf(child, member).catch(async (error: unknown) => {
    child.kill("SIGKILL");
    await exited;
    throw error;
  });
  return {
    service: remoteCustodian(`http://127.0.0.1:${port}`),
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}

function portOf(child: ChildProcess, member: MemberId): Promise<number> {
  return new Promise((resolve, reject) => {
    const failed = (): void => reject(new Fault("custodian_not_started", { member }));
    const timer = setTimeout(failed, START_MS);
    let told = "";
    child.stdout?.on("data", (part: Buffer) => {
      told += part.toString();
      const match = /port (\d+)/.exec(told);
      if (match === null) return;
      clearTimeout(timer);
      resolve(Number(match[1]));
    });
    child.once("exit", failed);
  });
}
