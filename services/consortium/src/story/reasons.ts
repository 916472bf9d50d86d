/** A refusal in the words of the rules' own message file. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { factsInWords } from "@xinglin/contracts";
import { type Language, shanghaiTime } from "@xinglin/gateway";
import { fillMessage } from "@xinglin/primitives";

const file = (language: Language): string => fileURLToPath(import.meta.resolve(`@xinglin/contracts/messages/${language}.json`));

export function refusalSentence(language: Language, code: string, facts: Readonly<Record<string, string | number>>): string {
  const messages = JSON.parse(readFileSync(file(language), "utf8")) as Record<string, string>;
  return fillMessage(messages[`refusal.${code}`] ?? code, factsInWords(facts, messages, shanghaiTime));
}
