/**
 * setClassRule: a commission changes what the class matrix demands for one class. (A committee's vote replaces this later.)
 * Source: requirements C4, F1; design.md, "Consent, access, custody" (the class matrix is a governed table).
 */
import { accept, type Infer, schema } from "@xinglin/primitives";
import { isCommission } from "../identity/administration.ts";
import { BASES, category, level } from "../model/class.ts";
import { getClassRule } from "../reads.ts";
import { put, type Rule, refuseWith } from "../rule.ts";
import { keys } from "../state-keys.ts";

/** What a class shall demand. */
export const setClassRuleOperation = schema.object({ category, level, basis: schema.oneOf(...BASES) });
export type SetClassRule = Infer<typeof setClassRuleOperation>;

/** In the order of the checks. */
export type SetClassRuleRefusal = { code: "not_commission" } | { code: "unchanged" };

/** By the administration of a commission. Writes `matrix/{category}/{level}`; requests after it are decided by the new demand. */
export const setClassRule: Rule<SetClassRule, SetClassRuleRefusal["code"]> = (state, { category, level, basis }, { caller }) => {
  const subject = { member: caller.actor.member };
  if (!isCommission(state, caller)) return refuseWith<SetClassRuleRefusal>({ code: "not_commission" }, subject);
  if (getClassRule(state, { category, level })?.basis === basis)
    return refuseWith<SetClassRuleRefusal>({ code: "unchanged" }, subject);
  return accept({ changes: [put(keys.classRule(category, level), { basis })], subject });
};
