/** The points of a verdict as sentences. Source: requirement A9 (say what was proved, and what it rests on). */
import type { Facts, Text } from "../text/language.ts";
import { shanghaiTime } from "../text/time.ts";
import type { Point } from "./verify-accesses.ts";

/** One thing that was proved or assumed. */
export function pointSentence(text: Text, kind: "proved" | "assumed", { code, facts }: Point): string {
  const key = `${kind}.${code}`;
  const { time } = facts;
  return text.has(key) ? text(key, time === undefined ? facts : { ...facts, time: shanghaiTime(Number(time)) }) : code;
}

/** How the server was caught: by its code, or that a proof does not hold. */
export function failureSentence(text: Text, code: string, facts: Facts): string {
  const key = `lie.${code}`;
  if (!text.has(key)) return text("lie.other", { code });
  const element = `element.${facts["element"]}`;
  return text(key, { ...facts, element: text.has(element) ? text(element) : (facts["element"] ?? "") });
}
