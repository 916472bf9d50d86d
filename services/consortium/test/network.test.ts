/**
 * `npm run network`: four members' nodes as processes, the story over them, stopping and going on, a member less, and nothing left behind. One
 * network for all of it.
 */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { ensureEngine } from "@xinglin/cometbft";
import { Fault } from "@xinglin/primitives";
import { genesisTrust, verifyEvidence } from "@xinglin/verifier";
import { COMPILE_CACHE } from "./running-consortium.ts";

const MAIN = fileURLToPath(new URL("../src/network.ts", import.meta.url));
const isMissing = await ensureEngine().then(
  () => false,
  (error: unknown) => error instanceof Fault && error.code === "go_missing" && `CometBFT is not built: ${error.message}`,
);

let folder: string;
let data: string;
const children = new Set<ChildProcess>();
before(() => {
  folder = mkdtempSync(join(tmpdir(), "xw-"));
  data = join(folder, "data");
});
after(() => {
  for (const child of children) child.kill("SIGKILL");
  rmSync(folder, { recursive: true, force: true });
});

interface RunningNetwork {
  readonly child: ChildProcess;
  output(): string;
  /** Resolves when it said something like this; rejects with all it said if it ends before. */
  said(pattern: RegExp): Promise<void>;
  /** Resolves with the exit code. */
  readonly ended: Promise<number | null>;
}

function startNetwork(...args: string[]): RunningNetwork {
  return startWith({}, ...args);
}

function startWith(environment: NodeJS.ProcessEnv, ...args: string[]): RunningNetwork {
  const child = spawn(process.execPath, [MAIN, "--data", data, "--port", "0", "--lang", "en", ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE, ...environment },
  });
  children.add(child);
  let told = "";
  const listeners = new Set<() => void>();
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      for (const listener of listeners) listener();
    });
  const ended = once(child, "close").then(([code]) => {
    children.delete(child);
    return code as number | null;
  });
  return {
    child,
    ended,
    output: () => told,
    said: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (pattern.test(told)) resolve();
        };
        listeners.add(look);
        ended.then(() => reject(new Error(`it ended without saying ${pattern}:\n${told}`)));
        look();
      }),
  };
}

/** Processes of this machine whose command line names the data folder: nodes, custodians, and CometBFT. */
function processesOf(path: string): string[] {
  if (!existsSync("/proc")) return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
        return command.includes(path) ? [`${pid} ${command}`] : [];
      } catch {
        return []; // ended meanwhile
      }
    });
}

/** Resolves when none of them is left. */
async function untilNoneLeft(path: string): Promise<void> {
  while (processesOf(path).length > 0) await new Promise((resolve) => setTimeout(resolve, 100));
}

test("four members: the story over their nodes, told with a line for each; ctrl-C leaves nothing behind", {
  skip: isMissing,
}, async () => {
  const network = startNetwork("--validators", "4");
  await network.said(/The story ends after/);
  await network.said(/Ctrl-C stops all nodes/);
  const told = network.output();
  assert.equal(told.match(/http:\/\/localhost:\d+ {2}validator [0-9a-f]{16}… {2}25\.0 % of the voting power/g)?.length, 4);
  assert.match(told, /4 validators: the chain goes on with 1 of them faulty/);
  assert.match(told, /Without a node of their own: Ginkgo Community Clinic, Xinglin Research Institute/);
  assert.match(told, /Byte-identical/);
  assert.match(told, /all 6 custodians refuse to release/);
  assert.match(told, /table accesses, row \d+, purpose: not what the ledger says/);
  assert.match(told, /signed two histories/, "the evidence assumes what a network assumes");
  assert.doesNotMatch(told, /a single key signs/);
  assert.equal(processesOf(data).filter((line) => /cometbft/.test(line)).length, process.platform === "linux" ? 4 : 0);
  const genesis = genesisTrust(readFileSync(join(data, "genesis.cbor")));
  assert.equal((await verifyEvidence(readFileSync(join(data, "evidence.cbor")), { genesis })).ok, true);

  network.child.kill("SIGINT");
  assert.equal(await network.ended, 0);
  assert.match(network.output(), /All nodes have stopped/);
  assert.deepEqual(processesOf(data), []);
});

test("what can't be is refused before anything starts", { skip: isMissing }, async () => {
  const refused = async (pattern: RegExp, ...args: string[]): Promise<void> => {
    const network = startNetwork(...args);
    assert.equal(await network.ended, 1);
    assert.match(network.output(), pattern);
  };
  await refused(/validators_fixed/, "--validators", "7");
  await refused(/option_wrong/, "--force");
  const unmade = join(folder, "unmade");
  const wrongEngine = startWith({ XINGLIN_COMETBFT: process.execPath }, "--data", unmade);
  assert.equal(await wrongEngine.ended, 1);
  assert.match(wrongEngine.output(), /engine_version_wrong/);
  assert.equal(existsSync(unmade), false);
  const other = join(folder, "other");
  mkdirSync(other);
  writeFileSync(join(other, "file"), "not ours");
  await refused(/reset_refused/, "--reset", "--data", other);
  assert.deepEqual(readdirSync(other), ["file"]);
});

test("the next start goes on; with fewer than four left a removal needs --force, and it is said aloud", {
  skip: isMissing,
}, async () => {
  const without = startNetwork("--empty", "--remove", "hospital-c");
  assert.equal(await without.ended, 1);
  assert.match(without.output(), /Only 3 validators would be left/);
  assert.deepEqual(processesOf(data), []);

  const network = startNetwork("--empty", "--remove", "hospital-c", "--force");
  await network.said(/Ctrl-C stops all nodes/);
  const told = network.output();
  assert.match(told, /The committee decided: take a validator out/);
  assert.match(told, /ATTENTION: only 3 validators/);
  assert.equal(told.match(/33\.3 % of the voting power/g)?.length, 3);
  assert.doesNotMatch(told, /The story begins/);

  // A second one on the folder is told whose it is, not that a port is taken.
  const second = startNetwork("--empty");
  assert.equal(await second.ended, 1);
  assert.match(second.output(), /folder_in_use/);
  assert.match(second.output(), new RegExp(`process ${network.child.pid}\\b`));
  assert.doesNotMatch(second.output(), /port_in_use/);

  // However this program ends, its nodes end, too.
  network.child.kill("SIGKILL");
  await network.ended;
  await untilNoneLeft(data);
});
