/** A read or a refusal in one plain sentence, and its reasons step by step. Source: requirements C2, C10. */
import type { Reason } from "@xinglin/contracts";
import type { AccessRow, MemberRow } from "../feed/rows.ts";
import { codeSentence } from "../text/fault-sentence.ts";
import type { Facts, Text } from "../text/language.ts";
import { memberName, word } from "../text/names.ts";
import { readableFacts } from "../text/readable-facts.ts";

/** The directive that decided, for the link to it: of a permit its own, of a refusal the one that forbids. */
export function decidingDirective({ outcome, directive, code, facts }: AccessRow): number | undefined {
  if (outcome === "accepted") return directive;
  const denial = code === "denied" ? facts?.["directive"] : undefined;
  return typeof denial === "number" ? denial : undefined;
}

/** Who read what and why, or who wanted to. */
export function accessSentence(text: Text, members: readonly MemberRow[], row: AccessRow): string {
  const facts = {
    who: memberName(text, members, row.by.member),
    role: word(text, "role", row.by.role ?? "unknown"),
    purpose: word(text, "purpose", row.purpose),
    category: word(text, "category", row.class.category),
    level: word(text, "level", row.class.level),
  };
  return text(row.outcome === "accepted" ? "access.read" : "access.refused", facts);
}

/** Why a read was refused: to the patient where the page has its own words, else as the rules say it. */
export function refusalSentence(text: Text, code: string, facts: Facts = {}): string {
  const key = `asked.${code}`;
  return text.has(key) ? text(key, readableFacts(text, facts)) : codeSentence(text, code, facts);
}

/** One step of a decision as a line of a tree. */
export interface ReasonLine {
  readonly holds: boolean;
  readonly sentence: string;
  readonly below: readonly ReasonLine[];
}

/** The tree of reasons in plain words. */
export function reasonTree(text: Text, { code, holds, facts, because }: Reason): ReasonLine {
  const key = `reason.${code}`;
  return {
    holds,
    sentence: text.has(key) ? text(key, readableFacts(text, facts)) : code,
    below: because.map((step) => reasonTree(text, step)),
  };
}
