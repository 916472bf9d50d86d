/** What a finding means to the engineer who reads it. Source: requirement I1. */
import { readFileSync } from "node:fs";
import { fillMessage } from "@xinglin/primitives";
import type { FhirIssue } from "./issues.ts";

const cache = new Map<string, Readonly<Record<string, string>>>();

function messagesOf(language: "zh-CN" | "en"): Readonly<Record<string, string>> {
  let messages = cache.get(language);
  if (messages === undefined) {
    messages = JSON.parse(readFileSync(new URL(`../../messages/${language}.json`, import.meta.url), "utf8")) as Record<
      string,
      string
    >;
    cache.set(language, messages);
  }
  return messages;
}

/** The sentence of a finding's code. A clause whose facts the finding does not have is left out. */
export function issueSentence(issue: FhirIssue, language: "zh-CN" | "en"): string {
  const clauses = (messagesOf(language)[`issue.${issue.code}`] ?? issue.code).split(/(?<=[。.?])(?!\d)\s*/u);
  return clauses
    .map((clause) => fillMessage(clause, issue.facts))
    .filter((clause) => !/\{\w+\}/.test(clause))
    .join(language === "en" ? " " : "");
}
