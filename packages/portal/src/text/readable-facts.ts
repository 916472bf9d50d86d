/** Facts of the chain as they are filled into a sentence: codes as words, times as times. Source: style.md, "Errors are of three kinds". */
import type { Facts, Text } from "./language.ts";
import { type Vocabulary, word } from "./names.ts";
import { shanghaiTime } from "./time.ts";

/** Which vocabulary a fact's value belongs to. */
const VOCABULARY_OF: Readonly<Record<string, Vocabulary>> = {
  purpose: "purpose",
  category: "category",
  level: "level",
  role: "role",
  basis: "basis",
  effect: "effect",
  kind: "actorKind",
  status: "status",
  why: "approvalGap",
  which: "notInForce",
  element: "narrowed",
  fault: "custodyFault",
};
const TIMES: ReadonlySet<string> = new Set(["lastEnded", "begins", "time", "blockTime", "serverTime"]);

/** The facts, ready for `text`. */
export const readableFacts = (text: Text, facts: Facts): Facts =>
  Object.fromEntries(
    Object.entries(facts).map(([name, value]) => {
      const vocabulary = VOCABULARY_OF[name];
      if (vocabulary !== undefined) return [name, word(text, vocabulary, String(value))];
      return [name, TIMES.has(name) ? shanghaiTime(Number(value)) : value];
    }),
  );
