import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fillMessage } from "@xinglin/primitives";
import {
  ACTION_KINDS,
  ACTOR_KINDS,
  ADMISSION_CODES,
  APPROVAL_GAPS,
  APPROVAL_KINDS,
  BALLOTS,
  BASES,
  CATEGORIES,
  EFFECTS,
  FORMATS,
  factsInWords,
  LEVELS,
  MEMBER_KINDS,
  MISBEHAVIOURS,
  NARROWED,
  OPERATION_NAMES,
  PROPOSAL_OUTCOMES,
  PURPOSES,
  REASON_CODES,
  RECORD_STATUSES,
  REFUSAL_FACTS,
  ROLES,
  refusalCodesOf,
  STANDINGS,
  STATUSES,
  SUITES,
  WORD_FACTS,
} from "../src/index.ts";

const load = (language: string): Record<string, string> =>
  JSON.parse(readFileSync(new URL(`../messages/${language}.json`, import.meta.url), "utf8")) as Record<string, string>;
const languages = { en: load("en"), "zh-CN": load("zh-CN") };

/** Every code and every value shown to people, by the first part of its key. */
const expected: { readonly [List in string]: readonly string[] } = {
  refusal: Object.keys(REFUSAL_FACTS),
  admission: ADMISSION_CODES,
  reason: REASON_CODES,
  level: LEVELS,
  category: CATEGORIES,
  purpose: PURPOSES,
  role: ROLES,
  memberKind: MEMBER_KINDS,
  actorKind: ACTOR_KINDS,
  status: [...STATUSES, ...RECORD_STATUSES, "retired"],
  basis: BASES,
  effect: EFFECTS,
  format: FORMATS,
  approvalKind: APPROVAL_KINDS,
  granteeKind: ["institution", "role", "person", "study"],
  suite: SUITES,
  outcome: ["accepted", "refused"],
  notInForce: ["suspended", "not_yet", "ended", "subject_suspended", "issuer_suspended"],
  approvalGap: APPROVAL_GAPS,
  narrowed: NARROWED,
  custodyFault: refusalCodesOf("anchorRecord").filter((code) => /threshold|custodian|epoch/.test(code)),
  operation: OPERATION_NAMES,
  action: ACTION_KINDS,
  ballot: BALLOTS,
  proposalOutcome: PROPOSAL_OUTCOMES,
  electionBounds: ["seats", "utilisation"],
  standing: STANDINGS,
  misbehaviour: MISBEHAVIOURS,
};

for (const [language, messages] of Object.entries(languages)) {
  test(`${language}: a sentence for every code and a word for every value, and for nothing else`, () => {
    const keys = Object.entries(expected).flatMap(([list, values]) => values.map((value) => `${list}.${value}`));
    assert.deepEqual(Object.keys(messages).sort(), [...new Set(keys)].sort());
    for (const [key, sentence] of Object.entries(messages)) assert.ok(sentence.trim() === sentence && sentence.length > 0, key);
  });

  test(`${language}: a sentence is filled only with facts that the refusal carries`, () => {
    for (const [code, facts] of Object.entries(REFUSAL_FACTS)) {
      const named = [...messages[`refusal.${code}`]!.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      assert.deepEqual(named.sort(), [...facts].sort(), code);
    }
  });

  test(`${language}: facts of closed lists have words`, () => {
    for (const list of Object.values(WORD_FACTS))
      assert.ok(
        Object.keys(messages).some((key) => key.startsWith(`${list}.`)),
        list,
      );
  });
}

test("a refusal reads as a sentence in both languages, with times and codes in words", () => {
  const say = (language: keyof typeof languages, code: string, facts: Record<string, string | number>): string => {
    const messages = languages[language];
    return fillMessage(
      messages[`refusal.${code}`]!,
      factsInWords(facts, messages, (time) => `<${time}>`),
    );
  };
  assert.match(say("zh-CN", "none_in_force", { lastEnded: 5 }), /最后一项于 <5> 结束/);
  assert.match(say("en", "role_not_allowed", { role: "ict" }), /hospital IT/);
  assert.match(say("zh-CN", "credential_not_in_force", { credential: "c0", which: "ended" }), /凭证 c0 目前无效：已过有效期/);
  assert.match(say("en", "denied", { directive: 3 }), /no\. 3 forbids/);
});
