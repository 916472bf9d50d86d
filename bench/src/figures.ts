/**
 * The figures of a suite's last full run as a table, for the pages that quote them. A full run writes them into those pages, between the marks,
 * and so does this file run as a program; a test holds the pages against `history.jsonl`.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Measure } from "./measure.ts";

/** Where figures of which suite stand. */
export const QUOTED: readonly { readonly page: string; readonly suite: string }[] = [
  { page: fileURLToPath(new URL("../../docs/internals/archive.md", import.meta.url)), suite: "archive" },
];

/** Where full runs are kept. */
export const HISTORY = fileURLToPath(new URL("../history.jsonl", import.meta.url));

/** A line of the history. */
export type Kept = Extract<Measure, { value: number }> & { readonly at: string; readonly suite: string; readonly commit: string };

/** Three significant digits, plain: a benchmark repeats to no more. */
export function rounded(value: number): string {
  if (value === 0 || !Number.isFinite(value)) return String(value);
  const digits = Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toLocaleString("en", { maximumFractionDigits: Math.min(digits, 6), useGrouping: true });
}

/** What the last full run of a suite measured: the newest of each measure at the commit of the newest. */
export function lastRun(history: string, suite: string): Kept[] {
  const lines = history.split("\n").filter((line) => line !== "");
  const kept = lines.map((line) => JSON.parse(line) as Kept).filter((one) => one.suite === suite);
  const newest = new Map<string, Kept>();
  for (const one of kept) if (one.commit === kept.at(-1)?.commit) newest.set(`${one.measure} ${one.conditions.set ?? ""}`, one);
  return [...newest.values()];
}

/** The table in Markdown, with when and at which commit it was measured. */
export function tableOf(run: readonly Kept[]): string {
  const [first] = run;
  if (first === undefined) return "Not measured yet.";
  const rows = run.map(({ measure, value, unit, ratio, limit, peer, speedup, conditions }) => {
    const set = conditions.set === undefined ? "" : ` (${conditions.set})`;
    const held =
      limit === undefined ? "" : `${ratio === undefined ? "" : `${rounded(ratio)} of `}${rounded(limit.value)}: ${limit.name}`;
    const beside =
      peer === undefined ? "" : `${speedup === undefined ? "" : `${rounded(speedup)} × `}${rounded(peer.value)}: ${peer.name}`;
    return `| \`${measure}\`${set} | ${rounded(value)} ${unit} | ${held} | ${beside} | ${conditions.demand ?? ""} |`;
  });
  const head = ["| measure | ours | its limit | instead | demanded |", "| --- | --- | --- | --- | --- |"];
  return [`Measured ${first.at.slice(0, 10)} at ${first.commit}.`, "", ...head, ...rows].join("\n");
}

const MARKS = /(<!-- figures -->\n)[\s\S]*?(\n<!-- end of figures -->)/;

/** The page with this table between its marks. */
export function withTable(page: string, table: string): string {
  if (!MARKS.test(page)) throw new Error("the page has no marks for figures");
  return page.replace(MARKS, (_, begin: string, end: string) => `${begin}\n${table}\n${end}`);
}

/** Writes the tables of all pages anew. */
export function writeFigures(): void {
  const history = readFileSync(HISTORY, "utf8");
  for (const { page, suite } of QUOTED)
    writeFileSync(page, withTable(readFileSync(page, "utf8"), tableOf(lastRun(history, suite))));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFigures();
