/**
 * The narrative of a resource is shown in somebody's browser, so it may hold only what FHIR admits: basic formatting, no scripts, no forms, no
 * handlers, nothing fetched from elsewhere by a link that runs code.
 * Source: FHIR R4 "Narrative" (txt-1, txt-2): elements of chapters 7–11 (except section 4 of chapter 9) and 15 of HTML 4.0, `a`, `img`.
 */
import type { IssueList } from "./issues.ts";

const ELEMENTS = new Set(
  (
    "a abbr acronym address b big blockquote br caption cite code col colgroup dd dfn div dl dt em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p " +
    "pre q samp small span strong sub sup table tbody td tfoot th thead tr tt u ul var"
  ).split(" "),
);
/** A tag with its attributes; quotes may hold `>`. */
const TAG = /<\/?([A-Za-z][A-Za-z0-9:-]*)((?:[^<>"']|"[^"]*"|'[^']*')*)>/g;
const ATTRIBUTE = /([A-Za-z_:][-A-Za-z0-9_:.]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g;

/** Reports a narrative whose `div` is not a `div`, or holds what FHIR does not admit. Linear in its length. */
export function checkNarrative(narrative: Readonly<Record<string, unknown>>, path: string, issues: IssueList): void {
  const { div } = narrative;
  if (typeof div !== "string" || div.trim() === "") return; // missing or empty: reported elsewhere
  if (!/^\s*<div[\s>]/.test(div) || !isSafe(div)) issues.add(`${path}.div`, "narrative_unsafe");
}

function isSafe(div: string): boolean {
  const bare = withoutComments(div);
  if (bare === undefined) return false;
  // What is left of `<` once all tags are taken out is the start of something a browser may repair into a tag.
  if (bare.replace(TAG, "").includes("<")) return false;
  for (const [, name = "", attributes = ""] of bare.matchAll(TAG)) {
    if (!ELEMENTS.has(name)) return false;
    for (const [, attribute = "", double, single] of attributes.matchAll(ATTRIBUTE)) {
      // White space hides a scheme from a plain comparison; so do character references, which no admitted scheme needs.
      const value = (double ?? single ?? "").replace(/[\s\0]/g, "");
      if (/^on/i.test(attribute)) return false;
      if (/^(href|src)$/i.test(attribute) && /^[^/?#]*&#/.test(value)) return false;
      if (/^(javascript|vbscript|data):/i.test(value) && !isImageData(name, value)) return false;
    }
  }
  return true;
}

/** A picture may stand in the narrative itself. */
const isImageData = (element: string, value: string): boolean =>
  element === "img" && /^data:image\/(png|jpe?g|gif);/i.test(value);

/** The text without its comments; `undefined` if one does not end. */
function withoutComments(text: string): string | undefined {
  let bare = "";
  let at = 0;
  for (let start = text.indexOf("<!--"); start >= 0; start = text.indexOf("<!--", at)) {
    const end = text.indexOf("-->", start + 4);
    if (end < 0) return undefined;
    bare += text.slice(at, start);
    at = end + 3;
  }
  return bare + text.slice(at);
}
