/**
 * What a command of `xinglin` is, and what it works with. Source: docs/guides/share-a-study.md.
 */
import { join, resolve } from "node:path";
import { type ParseArgsConfig, parseArgs } from "node:util";
import {
  type ConsortiumFile,
  type Gateway,
  type KeyOfFile,
  type Language,
  languageOf,
  openGateway,
  readKeyFile,
  type Say,
} from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";

type Options = NonNullable<ParseArgsConfig["options"]>;

/** One command: `words` name it on the command line, `usage` and `summary` are keys of the message files. */
export interface Command {
  readonly words: string;
  readonly options: Options;
  /** Names of positional arguments, for the usage line. */
  readonly positionals?: readonly string[];
  run(context: Context): Promise<void>;
}

export interface Context {
  readonly say: Say;
  /** The data folder of `--data`. */
  readonly data: string;
  readonly positionals: readonly string[];
  /** A text option; throws `option_missing` without it. */
  need(name: string): string;
  text(name: string): string | undefined;
  /** An option that may be given several times. */
  list(name: string): readonly string[];
  flag(name: string): boolean;
  /** A whole number option; throws `option_wrong`. */
  number(name: string, fallback: number): number;
  /** The consortium of the data folder. */
  gateway(): Gateway & { readonly file: ConsortiumFile };
  /** The key file `{member}/{name}` inside the data folder, or at a path. */
  keyAt(told: string): KeyOfFile;
  /** The key file of `--as`: `{member}/{name}` inside the data folder, or a path. */
  key(option?: string): KeyOfFile;
  /** Where the key file lies that `told` names so. */
  keyPath(told: string): string;
  /** Whether to print JSON for programs instead of sentences. */
  readonly json: boolean;
  print(value: unknown): void;
  /** The outcome of a command: a sentence, or with `--json` its facts, or with `--get NAME` one of them alone. */
  tell(key: string, facts: Readonly<Record<string, string | number>>): void;
}

/** Options that every command knows. */
const COMMON: Options = {
  data: { type: "string" },
  as: { type: "string" },
  lang: { type: "string" },
  json: { type: "boolean" },
  get: { type: "string" },
};

const ALIAS = /^[a-z][a-z0-9-]*\/[a-z0-9-]+$/;

/** Where the key `{member}/{name}` of a data folder is. */
export function aliasPath(data: string, alias: string): string {
  const [member, name] = alias.split("/") as [string, string];
  if (name === "administration" || name === "custodian") return join(data, "members", member, `${name}.json`);
  return join(data, "members", member, "staff", `${name}.json`);
}

/** The language of `--lang`, else of the environment. Never throws: it is needed to say what is wrong. */
export function languageOfArguments(args: readonly string[]): Language {
  const at = args.indexOf("--lang");
  const told = at < 0 ? undefined : args[at + 1];
  return told === "zh-CN" || told === "en" ? told : languageOf(process.env);
}

/** Reads a command's arguments. Throws `option_wrong`. */
export function createContext(command: Command, args: readonly string[], say: Say): Context {
  let parsed: ReturnType<typeof parseArgs>;
  try {
    parsed = parseArgs({
      args: [...args],
      options: { ...COMMON, ...command.options },
      allowPositionals: command.positionals !== undefined,
    });
  } catch (cause) {
    const option = /'(-[^' ]+)/.exec(cause instanceof Error ? cause.message : "")?.[1] ?? args[0] ?? "";
    throw new Fault("option_wrong", { option, expected: `xinglin ${command.words} --help` }, { cause });
  }
  const { values, positionals } = parsed;
  const data = resolve(typeof values.data === "string" ? values.data : (process.env.XINGLIN_DATA ?? ".xinglin"));
  const text = (name: string): string | undefined => (typeof values[name] === "string" ? values[name] : undefined);
  const need = (name: string): string => {
    const value = text(name);
    if (value === undefined) throw new Fault("option_missing", { option: `--${name}` });
    return value;
  };
  const keyPath = (told: string): string => (ALIAS.test(told) ? aliasPath(data, told) : resolve(told));
  return {
    say,
    data,
    positionals,
    text,
    list: (name) => [values[name] ?? []].flat().filter((value) => typeof value === "string"),
    need,
    flag: (name) => values[name] === true,
    number(name, fallback) {
      const value = text(name);
      if (value === undefined) return fallback;
      if (!/^\d{1,15}$/.test(value)) throw new Fault("option_wrong", { option: `--${name}`, expected: "0..999999999999999" });
      return Number(value);
    },
    gateway: () => openGateway(data, say.language),
    keyPath,
    keyAt: (told) => readKeyFile(keyPath(told)),
    key: (option = "as") => readKeyFile(keyPath(need(option))),
    json: values.json === true,
    tell(key, facts) {
      const name = text("get");
      if (name !== undefined) process.stdout.write(`${facts[name] ?? ""}\n`);
      else if (values.json === true) process.stdout.write(`${JSON.stringify(facts)}\n`);
      else say.plain(key, facts);
    },
    print: (value) => process.stdout.write(`${JSON.stringify(value, jsonBytes, 2)}\n`),
  };
}

const jsonBytes = (_: string, value: unknown): unknown =>
  value instanceof Uint8Array ? Buffer.from(value).toString("hex") : value;
