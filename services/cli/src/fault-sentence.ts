/** Codes in the words of the message files: faults from the API's catalogue, refusals and reasons from the rules'. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { factsInWords, type Reason } from "@xinglin/contracts";
import { type Language, shanghaiTime } from "@xinglin/gateway";
import { type Fault, fillMessage } from "@xinglin/primitives";

type Facts = Readonly<Record<string, string | number>>;

// The files are read, not imported through their packages: a command should not load a server to say a sentence.
const messages = (of: "api" | "contracts", language: Language): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(`@xinglin/${of}/messages/${language}.json`)), "utf8")) as Record<
    string,
    string
  >;

/** `sentence [code]`, of a fault or of a refusal that the rules gave. */
export function faultSentence({ code, facts, message }: Fault, language: Language): string {
  const template = messages("api", language)[code] ?? messages("contracts", language)[`refusal.${code}`] ?? message;
  return `${fillMessage(template, factsInWords(facts, messages("contracts", language), shanghaiTime))} [${code}]`;
}

const inWords = (words: Readonly<Record<string, string>>, key: string, code: string, facts: Facts): string =>
  fillMessage(words[key] ?? code, factsInWords(facts, words, shanghaiTime));

/** A value of a closed list in words, for example of `category`. */
export const wordOf = (list: string, value: string, language: Language): string =>
  messages("contracts", language)[`${list}.${value}`] ?? value;

/** What a refusal of the rules means. */
export const refusalSentence = (code: string, facts: Facts, language: Language): string =>
  inWords(messages("contracts", language), `refusal.${code}`, code, facts);

/** What a proposal would do. */
export const actionWords = (kind: string, language: Language): string =>
  messages("contracts", language)[`action.${kind}`] ?? kind;

/** The tree of reasons, a line a step, indented. */
export function reasonLines(reason: unknown, language: Language): string[] {
  const words = messages("contracts", language);
  const lines: string[] = [];
  const walk = (step: Reason, depth: number): void => {
    lines.push(`${"  ".repeat(depth)}${step.holds ? "✓" : "✗"} ${inWords(words, `reason.${step.code}`, step.code, step.facts)}`);
    for (const below of step.because) walk(below, depth + 1);
  };
  if (typeof reason === "object" && reason !== null) walk(reason as Reason, 0);
  return lines;
}
