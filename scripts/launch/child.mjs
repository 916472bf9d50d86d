// @ts-check
/** Child processes: one that takes the launcher's place as far as its caller can tell, and one whose output is shown only if it fails. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { stripVTControlCharacters } from "node:util";

const FORWARDED = /** @type {const} */ (["SIGINT", "SIGTERM", "SIGHUP"]);
/** What Ctrl-C and closing a terminal send to the whole foreground group: the child has those from the terminal already. */
const FROM_TERMINAL = ["SIGINT", "SIGHUP"];

/**
 * Exit code as a shell reports it: 128 + n for a child that signal n ended.
 * @param {number | null} code
 * @param {NodeJS.Signals | null} signal
 */
const shellCode = (code, signal) => (signal === null ? (code ?? 1) : 128 + constants.signals[signal]);

/**
 * Passes signals on to `child` as long as it lives, so that the launcher outlives it and can give its exit code back.
 * @param {import("node:child_process").ChildProcess} child
 * @param {(signal: NodeJS.Signals) => void} [onSignal]
 */
function forwardSignals(child, onSignal) {
  const handlers = FORWARDED.map((signal) => {
    const handler = () => {
      onSignal?.(signal);
      if (!(process.stdin.isTTY && FROM_TERMINAL.includes(signal))) child.kill(signal);
    };
    process.on(signal, handler);
    return /** @type {const} */ ([signal, handler]);
  });
  child.once("close", () => {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  });
}

/** How often it is looked whether npm still lives. */
const PARENT_WATCH_MS = 500;

/**
 * Calls `onOrphaned` when the npm that started this process is gone. npm runs a script through a shell, and a signal sent to npm alone
 * ends npm, or npm and the shell, but reaches nobody below: without this, `kill` on `npm start` would leave a server behind.
 * @param {() => void} onOrphaned
 */
function watchNpm(onOrphaned) {
  const shell = process.ppid;
  const isShell = /launch\.mjs/.test(readOrNothing(`/proc/${shell}/cmdline`)); // some shells put the program in their own place
  const npm = isShell ? parentOf(shell) : undefined;
  const timer = setInterval(() => {
    if (process.ppid === shell && (npm === undefined || parentOf(shell) === npm)) return;
    clearInterval(timer);
    onOrphaned();
  }, PARENT_WATCH_MS);
  return () => clearInterval(timer);
}

/** @param {number} pid its parent, where there is a /proc */
function parentOf(pid) {
  const stat = readOrNothing(`/proc/${pid}/stat`);
  return stat === "" ? undefined : Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}

/** @param {string} path */
function readOrNothing(path) {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return ""; // gone meanwhile, or no Linux
  }
}

/**
 * Runs `program` with the launcher's own input, output and signals.
 * @param {string} program absolute path
 * @param {readonly string[]} args
 * @param {{ underNpm?: boolean }} [options] `underNpm`: npm runs this, so the program is to end with it
 * @returns {Promise<number>} exit code
 */
export function become(program, args, { underNpm = false } = {}) {
  const child = spawn(program, args, { stdio: "inherit" });
  forwardSignals(child);
  if (underNpm)
    child.once(
      "close",
      watchNpm(() => child.kill("SIGTERM")),
    );
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve(shellCode(code, signal)));
  });
}

/**
 * Runs `program` behind one line of progress: `title`, then a dot every two seconds, on standard error, where it mixes with no result.
 * @param {string} title
 * @param {string} program absolute path
 * @param {readonly string[]} args
 * @param {string} folder
 * @returns {Promise<{ code: number, output: string, seconds: string, interrupted: boolean }>} `code` as of `become`
 */
export function runQuietly(title, program, args, folder) {
  process.stderr.write(title);
  const start = Date.now();
  const dots = setInterval(() => process.stderr.write("."), 2_000);
  const child = spawn(program, args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  /** @type {NodeJS.Signals | null} */
  let interruptedBy = null; // npm tidies up on a signal and then ends as if it had failed
  forwardSignals(child, (signal) => {
    interruptedBy = signal;
  });
  /** @type {Buffer[]} */
  const output = [];
  child.stdout.on("data", (chunk) => output.push(chunk));
  child.stderr.on("data", (chunk) => output.push(chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) =>
      resolve({
        code: shellCode(code, interruptedBy ?? signal),
        output: stripVTControlCharacters(Buffer.concat(output).toString("utf8")),
        seconds: ((Date.now() - start) / 1_000).toFixed(0),
        interrupted: interruptedBy !== null,
      }),
    );
  }).finally(() => {
    clearInterval(dots);
    if (interruptedBy !== null) process.stderr.write("\n");
  });
}
