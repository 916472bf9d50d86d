/** What the programs of this service share: the signal to stop, and how a fault is told. */
import { FAULT_CODES, sentenceOf } from "@xinglin/api";
import { type Language, languageOf } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import { refusalSentence } from "./story/reasons.ts";

/** Aborts when the program is told to stop. */
export function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  return stop.signal;
}

/** Resolves when `signal` aborts. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

/** A fault of the programs, or a refusal of the rules that a command ran into. */
const sentenceFor = ({ code, facts }: Fault, language: Language): string =>
  FAULT_CODES.includes(code) ? sentenceOf(code, facts, language) : refusalSentence(language, code, facts);

/** Runs a program; a fault becomes a sentence in the language of the one who started it, and exit code 1. */
export async function run(program: () => Promise<void>): Promise<void> {
  try {
    await program();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const language = process.argv.includes("en") ? "en" : languageOf(process.env);
    process.stderr.write(`${sentenceFor(error, language)} [${error.message}]\n`);
    if (process.env.XINGLIN_DEBUG !== undefined) process.stderr.write(`${error.stack}\n`);
    process.exitCode = 1;
  }
}
