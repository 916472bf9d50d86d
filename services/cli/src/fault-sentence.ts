/** Codes in the words of the message files: faults from the API's catalogue, refusals and reasons from the rules'. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { sentenceOf } from "@xinglin/api";
import type { Reason } from "@xinglin/contracts";
import { type Language, readableFacts } from "@xinglin/gateway";
import { type Fault, fillMessage } from "@xinglin/primitives";

type Facts = Readonly<Record<string, string | number>>;

/** `sentence [code]` */
export const faultSentence = (fault: Fault, language: Language): string =>
  `${sentenceOf(fault.code, fault.facts, language)} [${fault.code}]`;

const ruleMessages = (language: Language): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(fileURLToPath(import.meta.resolve(`@xinglin/contracts/messages/${language}.json`)), "utf8")) as Record<
    string,
    string
  >;

/** What a refusal of the rules means. */
export const refusalSentence = (code: string, facts: Facts, language: Language): string =>
  fillMessage(ruleMessages(language)[`refusal.${code}`] ?? code, readableFacts(facts));

/** The tree of reasons, a line a step, indented. */
export function reasonLines(reason: unknown, language: Language): string[] {
  const messages = ruleMessages(language);
  const lines: string[] = [];
  const walk = (step: Reason, depth: number): void => {
    lines.push(
      `${"  ".repeat(depth)}${step.holds ? "✓" : "✗"} ${fillMessage(messages[`reason.${step.code}`] ?? step.code, readableFacts(step.facts))}`,
    );
    for (const below of step.because) walk(below, depth + 1);
  };
  if (typeof reason === "object" && reason !== null) walk(reason as Reason, 0);
  return lines;
}
