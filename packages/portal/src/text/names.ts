/** Names of codes as a patient reads them. A code that this page does not know is shown as it is. Source: requirement C10; docs/glossary.md. */
import type { MemberRow } from "../feed/rows.ts";
import type { Text } from "./language.ts";

export type Vocabulary =
  | "purpose"
  | "category"
  | "level"
  | "role"
  | "memberKind"
  | "actorKind"
  | "basis"
  | "effect"
  | "status"
  | "approvalGap"
  | "notInForce"
  | "narrowed"
  | "custodyFault";

/** The word for a code, for example `purpose` `TREAT`. */
export const word = (text: Text, vocabulary: Vocabulary, code: string): string => {
  const key = `${vocabulary}.${code}`;
  return text.has(key) ? text(key) : code;
};

/** Words in a row, as the language joins them. */
export const words = (text: Text, vocabulary: Vocabulary, codes: readonly string[]): string =>
  joined(
    text,
    codes.map((code) => word(text, vocabulary, code)),
  );

export const joined = (text: Text, parts: readonly string[]): string => parts.join(text("list.comma"));

/** The name of an institution in the page's language. */
export function memberName(text: Text, members: readonly MemberRow[], id: string): string {
  const name = members.find((member) => member.id === id)?.name;
  return name === undefined ? id : text.language === "en" ? name.en : name.zh;
}

const YEAR_DAYS = 365;

/** A period as a person says it: whole years, else days. */
export const periodName = (text: Text, days: number): string =>
  days % YEAR_DAYS === 0 ? text("period.years", { count: days / YEAR_DAYS }) : text("period.days", { count: days });
