/** The reference page of error codes, written by `npm run docs`. Source: style.md (one catalogue of codes). */
import { sentenceOf, titleOf } from "./error-catalogue.ts";
import { FAULTS } from "./faults.ts";

const NOTICE = "<!-- Written by `npm run docs` from the source. Edit the source. -->";
const cell = (text: string): string => text.replaceAll("|", "\\|");

/** Markdown of `docs/reference/errors.md`. */
export function errorReferencePage(): string {
  const lines = [
    NOTICE,
    "",
    "# Errors",
    "",
    "Every fault has a stable code. The API answers it as `application/problem+json` (RFC 9457) with `type` `urn:xinglin:error:<code>`,",
    "`status`, a sentence in the language of `Accept-Language`, the `facts` that fill it, and `retry`: whether the same request may succeed",
    "later. The command line prints the sentence. What the rules refuse is not among these: a refusal is decided in a block and stands in",
    "the receipt.",
  ];
  for (const [subject, codes] of Object.entries(FAULTS)) {
    lines.push("", `## ${subject}`, "", "| code | status | English | 中文 |", "| --- | --- | --- | --- |");
    for (const [code, status] of Object.entries(codes)) {
      const [en, zh] = [cell(sentenceOf(code, {}, "en")), cell(sentenceOf(code, {}, "zh-CN"))];
      lines.push(`| \`${code}\` | ${status} ${titleOf(status, "en")} | ${en} | ${zh} |`);
    }
  }
  return `${lines.join("\n")}\n`;
}
