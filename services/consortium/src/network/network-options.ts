/** The command line of `npm run network`. Source: docs/guides/run-a-consortium.md. */
import { resolve } from "node:path";
import type { Language } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";
import { languageFrom, readArguments } from "../arguments.ts";

export interface NetworkArguments {
  readonly data: string;
  /** First port of this machine for a new network; 0 for any that are free. */
  readonly port: number;
  /** Validators of a new network; undefined if it was not said. */
  readonly validators: number | undefined;
  /** Admit one member more. */
  readonly add: boolean;
  /** Whose node is taken out. */
  readonly remove: string | undefined;
  /** Even if fewer than four validators are left. */
  readonly force: boolean;
  /** Open without playing the story. */
  readonly empty: boolean;
  readonly studyReal: boolean;
  readonly reset: boolean;
  readonly language: Language;
  readonly help: boolean;
}

const OPTIONS = {
  data: { type: "string" },
  port: { type: "string" },
  validators: { type: "string" },
  add: { type: "boolean" },
  remove: { type: "string" },
  force: { type: "boolean" },
  empty: { type: "boolean" },
  study: { type: "string" },
  reset: { type: "boolean" },
  lang: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

const DEFAULT_PORT = 8750;
/** Bounds of what starts on one machine. */
const MOST_VALIDATORS = 21;

/** Reads the arguments. Throws `Fault("option_wrong")` naming the option. */
export function readNetworkArguments(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): NetworkArguments {
  const values = readArguments(args, OPTIONS);
  if (values.force === true && values.remove === undefined) throw wrong("--force", "--remove NAME --force");
  if (values.study !== undefined && values.study !== "real" && values.study !== "500MB") throw wrong("--study", "real|500MB");
  return {
    data: resolve(values.data ?? ".xinglin-network"),
    port: number("--port", values.port, 0, 65_535 - 3 * 100) ?? DEFAULT_PORT,
    validators: number("--validators", values.validators, 1, MOST_VALIDATORS),
    add: values.add === true,
    remove: values.remove,
    force: values.force === true,
    empty: values.empty === true,
    studyReal: values.study !== "500MB",
    reset: values.reset === true,
    language: languageFrom(values.lang, environment),
    help: values.help === true,
  };
}

const wrong = (option: string, expected: string): Fault => new Fault("option_wrong", { option, expected });

function number(option: string, text: string | undefined, least: number, most: number): number | undefined {
  if (text === undefined) return undefined;
  const value = /^\d{1,5}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= least && value <= most)) throw wrong(option, `${least}..${most}`);
  return value;
}
