// @ts-check
/**
 * Starts every command of the project: `node scripts/launch.mjs start|test|soak|versions|bench|bench:data|check|xinglin|docs [arguments]`. Runs on Node 20
 * and before anything is installed, so it uses built-ins only: it installs what is missing, builds the patient page where the
 * command shows it, and runs the program under the pinned Node 24 by absolute path, without a shell, signals and exit code passed on.
 * Source: design.md, "Runtime".
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { become } from "./launch/child.mjs";
import { install } from "./launch/install.mjs";
import { chooseLanguage, speaker } from "./launch/language.mjs";
import { buildPortal } from "./launch/portal.mjs";
import { findRuntime, isAtLeast, OLDEST_LAUNCHER, OLDEST_RUNTIME } from "./launch/runtime.mjs";

/**
 * For what runs a ledger. With V8's own 16 MB, what lives for one block outlives the young generation and is collected with the old one, at
 * twice the cost: a tenth of the main thread under load. Costs up to 192 MB of memory.
 */
const LEDGER_HEAP = "--max-semi-space-size=64";

/** @type {Record<string, { program: string, showsPage?: true, flags?: readonly string[] }>} */
const COMMANDS = {
  start: { program: "services/consortium/src/main.ts", showsPage: true, flags: [LEDGER_HEAP] },
  network: { program: "services/consortium/src/network.ts", showsPage: true, flags: [LEDGER_HEAP] },
  ipfs: { program: "services/ipfs/src/main.ts" },
  test: { program: "scripts/test.ts" }, // builds the page itself, and counts a failure
  soak: { program: "scripts/soak.ts" },
  versions: { program: "scripts/versions.ts" },
  bench: { program: "bench/src/main.ts", flags: [LEDGER_HEAP] },
  "bench:data": { program: "bench/src/data.ts" },
  check: { program: "scripts/check.ts" },
  xinglin: { program: "services/cli/src/main.ts" },
  docs: { program: "scripts/reference.ts" },
};

/**
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
async function launch([name = "", ...args]) {
  const say = speaker(chooseLanguage(args, process.env));
  const refuse = (/** @type {string} */ key, facts = {}) => {
    console.error(say(key, facts));
    return 1;
  };
  if (!isAtLeast(process.versions.node, OLDEST_LAUNCHER)) return refuse("node_too_old", { version: process.versions.node });
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    if (name !== "") refuse("unknown_command", { command: name });
    return refuse("usage");
  }

  const root = fileURLToPath(new URL("..", import.meta.url));
  const installed = await install(root, say);
  if (installed !== 0) return installed;
  const node = findRuntime(root);
  if (node === undefined) {
    const facts = { wanted: OLDEST_RUNTIME, platform: `${process.platform}-${process.arch}`, version: process.versions.node };
    return refuse("no_runtime", facts);
  }
  if (command.showsPage) {
    const built = await buildPortal(root, node, say);
    if (built !== 0) return built;
  }
  const program = join(root, command.program);
  if (!existsSync(program)) return refuse("not_yet", { file: command.program, command: name });
  return become(node, [...(command.flags ?? []), program, ...args], { underNpm: process.env.npm_lifecycle_event === name });
}

process.exitCode = await launch(process.argv.slice(2));
