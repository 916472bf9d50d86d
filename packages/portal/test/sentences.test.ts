import assert from "node:assert/strict";
import { test } from "node:test";
import type { DirectiveTerms, Reason } from "@xinglin/contracts";
import { Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import { accessSentence, decidingDirective, reasonTree, refusalSentence } from "../src/accesses/access-sentence.ts";
import { standing, termsSentence } from "../src/consents/terms-sentence.ts";
import type { MemberRow } from "../src/feed/rows.ts";
import { faultSentence } from "../src/text/fault-sentence.ts";
import { textIn } from "../src/text/language.ts";
import { daysUntil, lastDay, shanghaiTime } from "../src/text/time.ts";
import { failureSentence, pointSentence } from "../src/verify/verdict-sentence.ts";
import { accessRow } from "./rows.ts";

const zh = textIn("zh-CN");
const en = textIn("en");
const members: MemberRow[] = [
  {
    id: "hospital-b" as MemberId,
    kind: "hospital",
    name: { zh: "杏林市第二医院", en: "Xinglin Second Hospital" },
    status: "active",
    hpke: "",
  },
];
/** 2027-11-23 00:00 in Shanghai: the first moment that a permit until 2027-11-22 no longer covers. */
const MIDNIGHT = Date.UTC(2027, 10, 22, 16) / 1000;
const terms: DirectiveTerms = {
  effect: "permit",
  grantees: [{ kind: "institution", member: "hospital-b" as MemberId }],
  purposes: ["TREAT"],
  categories: ["laboratory", "imaging"],
  levels: ["internal", "sensitive"],
  notBefore: 0 as UnixSeconds,
  notAfter: MIDNIGHT as UnixSeconds,
};

test("a directive reads as a plain sentence in both languages", () => {
  assert.equal(
    termsSentence(zh, members, terms),
    "允许 杏林市第二医院 为了 诊疗 查看 检验、影像（内部、敏感级），到 2027-11-22 为止。",
  );
  assert.equal(
    termsSentence(en, members, terms),
    "Allows Xinglin Second Hospital to read, for treatment: laboratory, imaging (internal, sensitive), until 2027-11-22.",
  );
  assert.match(termsSentence(zh, members, { ...terms, effect: "deny" }), /^禁止 /);
  const role = { kind: "role", member: "hospital-b" as MemberId, role: "doctor" } as const;
  assert.match(termsSentence(zh, members, { ...terms, grantees: [role] }), /^允许 杏林市第二医院的医生 /);
  const period = { from: 0 as UnixSeconds, to: 86_400 as UnixSeconds };
  assert.match(termsSentence(zh, members, { ...terms, recordPeriod: period }), /仅限 1970-01-01 至 1970-01-02 之间归档的记录。$/);
});

test("a consent stands where the half-open period says, and a revoked one nowhere", () => {
  const at = (now: number, revokedAt?: number) =>
    standing(
      {
        terms: { ...terms, notBefore: 10 as UnixSeconds, notAfter: 20 as UnixSeconds },
        ...(revokedAt === undefined ? {} : { revokedAt }),
      },
      now,
    );
  assert.deepEqual([at(9), at(10), at(19), at(20), at(15, 12)], ["not_yet", "in_force", "in_force", "ended", "revoked"]);
});

test("a read and a refusal say who, in which role, for what, which data", () => {
  assert.equal(accessSentence(zh, members, accessRow({})), "杏林市第二医院的医生为了诊疗获准查看您的影像记录（敏感级）。");
  assert.equal(
    accessSentence(en, members, accessRow({ outcome: "refused", code: "no_directive" })),
    "Xinglin Second Hospital: doctor wanted to read your imaging record (sensitive) for treatment and was refused.",
  );
  // A code or an institution that this page does not know is shown as it is, not left out.
  const unknown = accessRow({ purpose: "NEWCODE" as never, by: { ...accessRow({}).by, member: "clinic-x" as MemberId } });
  assert.match(accessSentence(zh, members, unknown), /^clinic-x的医生为了NEWCODE/);
});

test("the deciding directive of a denial is the one that forbids", () => {
  assert.equal(decidingDirective(accessRow({ directive: 3 })), 3);
  assert.equal(decidingDirective(accessRow({ outcome: "refused", code: "denied", facts: { directive: 7 } })), 7);
  assert.equal(decidingDirective(accessRow({ outcome: "refused", code: "not_permitted", facts: { considered: 2 } })), undefined);
});

test("refusals speak to the patient, and the rules' own sentence stands in where the page has none", () => {
  assert.equal(refusalSentence(zh, "no_directive"), "您还没有作出任何授权。");
  assert.match(refusalSentence(zh, "none_in_force", { lastEnded: 0 }), /1970-01-01 08:00:00 \+08:00/);
  assert.match(refusalSentence(zh, "credential_not_in_force", { credential: "x", which: "suspended" }), /凭证已暂停/);
  assert.match(refusalSentence(zh, "batch_path_wrong"), /批次/);
  assert.match(refusalSentence(en, "something_new"), /something_new/);
});

test("the tree of reasons keeps its shape and says of each step whether it held", () => {
  const below: Reason = { code: "directive_permits", holds: true, facts: { directive: 2, effect: "permit" }, because: [] };
  const root: Reason = {
    code: "read",
    holds: true,
    facts: { purpose: "TREAT", category: "imaging", level: "sensitive" },
    because: [below],
  };
  const tree = reasonTree(zh, root);
  assert.match(tree.sentence, /影像.*敏感.*诊疗/);
  assert.deepEqual(tree.below, [{ holds: true, sentence: "第 2 号指令（允许）覆盖此次调阅", below: [] }]);
});

test("faults say what to do; the server's sentence stands in for a code that only it knows", () => {
  assert.match(faultSentence(zh, new Fault("ledger_unavailable")), /账本暂时停止/);
  assert.match(faultSentence(en, new Fault("not_narrower", { element: "purposes" })), /purposes/);
  assert.equal(faultSentence(zh, Object.assign(new Fault("server_only"), { detail: "服务器说的话" })), "服务器说的话");
  assert.match(faultSentence(zh, new Fault("nobody_knows")), /nobody_knows/);
  assert.match(faultSentence(en, new TypeError("secret detail")), /^Something unexpected/);
});

test("verdicts are sentences, with counts in the language's own form", () => {
  const one = pointSentence(en, "proved", { code: "reads_complete", facts: { count: 1 } });
  const many = pointSentence(en, "proved", { code: "reads_complete", facts: { count: 2 } });
  assert.match(one, /counts 1 permitted read, and it is/);
  assert.match(many, /counts 2 permitted reads, and every one/);
  assert.match(pointSentence(zh, "proved", { code: "reads_complete", facts: { count: 0 } }), /共有 0 次/);
  assert.match(failureSentence(zh, "row_differs", { element: "purpose" }), /“目的”/);
  assert.match(failureSentence(zh, "commit_signature", { height: 3 }), /commit_signature/);
});

test("times are Shanghai's, whatever the device's zone is", () => {
  assert.equal(shanghaiTime(1_795_325_324), "2026-11-22 13:28:44 +08:00");
  assert.equal(lastDay(MIDNIGHT), "2027-11-22");
  assert.equal(lastDay(MIDNIGHT + 1), "2027-11-23");
  assert.deepEqual([daysUntil(0, 0), daysUntil(86_400, 0), daysUntil(86_401, 0)], [1, 1, 2]);
});
