/** What the command lines of this service share. Source: docs/guides/share-a-study.md, docs/guides/run-a-consortium.md. */
import { type ParseArgsConfig, parseArgs } from "node:util";
import { type Language, languageOf } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";

/** The options of a command line by name. Throws `Fault("option_wrong")` that names the one that is not known, or has no or too much of a value. */
export function readArguments<Options extends NonNullable<ParseArgsConfig["options"]>>(
  args: readonly string[],
  options: Options,
) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (cause) {
    const option = /'(-[^' ]+)/.exec(cause instanceof Error ? cause.message : "")?.[1] ?? args[0] ?? "";
    throw new Fault("option_wrong", { option, expected: "--help" }, { cause });
  }
}

/** The language of `--lang`, or of the environment where it was not said. Throws `Fault("option_wrong")`. */
export function languageFrom(lang: string | undefined, environment: Readonly<Record<string, string | undefined>>): Language {
  if (lang !== undefined && lang !== "zh-CN" && lang !== "en")
    throw new Fault("option_wrong", { option: "--lang", expected: "zh-CN|en" });
  return lang ?? languageOf(environment);
}
