/**
 * What kind of value each fact of a refusal or of a step of a decision is, so that a sentence can say it in words: a time, or one of a
 * closed list whose words stand in `messages/{en,zh-CN}.json` under `{list}.{value}`. Other facts (identifiers, counts) stand as they are.
 * Source: design.md (every screen, error and document exists in zh-CN and English).
 */
import type { UnixSeconds } from "@xinglin/primitives";
import type { Facts } from "./model/access.ts";

/** Facts that are a time in seconds UTC. */
export const TIME_FACTS: readonly string[] = ["lastEnded", "begins", "time", "blockTime", "endedAt"];

/** Facts that are a value of a closed list, with the list's name in the message files. */
export const WORD_FACTS: Readonly<Record<string, string>> = {
  basis: "basis",
  bounds: "electionBounds",
  category: "category",
  effect: "effect",
  element: "narrowed",
  fault: "custodyFault",
  kind: "actorKind",
  level: "level",
  outcome: "proposalOutcome",
  purpose: "purpose",
  role: "role",
  status: "status",
  suite: "suite",
  which: "notInForce",
  why: "approvalGap",
};

/** The facts in the words of one language's messages, times by `showTime`; to be filled into that language's sentence. */
export function factsInWords(
  facts: Facts,
  messages: Readonly<Record<string, string>>,
  showTime: (time: UnixSeconds) => string,
): Facts {
  const told: Record<string, string | number> = {};
  for (const [name, fact] of Object.entries(facts)) {
    if (typeof fact === "number") told[name] = TIME_FACTS.includes(name) ? showTime(fact as UnixSeconds) : fact;
    else told[name] = messages[`${WORD_FACTS[name]}.${fact}`] ?? fact;
  }
  return told;
}
