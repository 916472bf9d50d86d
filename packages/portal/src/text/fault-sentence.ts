/** What went wrong, as a sentence that says what to do. Source: style.md, "Errors are of three kinds". */
import { Fault } from "@xinglin/primitives";
import type { Facts, Text } from "./language.ts";
import { readableFacts } from "./readable-facts.ts";

/** The sentence of a code and its facts: the page's own, else the rules', else the server's in the same language, else the code itself. */
export function codeSentence(text: Text, code: string, facts: Facts = {}, detail?: string): string {
  for (const key of [`fault.${code}`, `refusal.${code}`, `admission.${code}`])
    if (text.has(key)) return text(key, readableFacts(text, facts));
  return detail ?? text("fault.unknown", { code });
}

/** The sentence of whatever was thrown. */
export function faultSentence(text: Text, error: unknown): string {
  if (!(error instanceof Fault)) return text("fault.page_failed");
  const { code, facts, detail } = error as Fault & { detail?: string };
  return codeSentence(text, code, facts, detail);
}
