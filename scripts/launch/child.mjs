// @ts-check
/** Child processes: one that takes the launcher's place as far as its caller can tell, and one whose output is shown only if it fails. */
import { spawn } from "node:child_process";
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

/**
 * Runs `program` with the launcher's own input, output and signals.
 * @param {string} program absolute path
 * @param {readonly string[]} args
 * @returns {Promise<number>} exit code
 */
export function become(program, args) {
  const child = spawn(program, args, { stdio: "inherit" });
  forwardSignals(child);
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
