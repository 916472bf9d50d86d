/** What no committed text may hold, and what every package must say of itself. */
import { type Finding, lineAt, type TextFile } from "../project-files.ts";

/** A text that must not be there: where to look, what to look for, and why. */
type Ban = { readonly where: RegExp; readonly pattern: RegExp; readonly says: string };

const CODE = /\.(ts|tsx|mjs|mts|go)$/;
const TEXT = /./;
const BANS: readonly Ban[] = [
  { where: TEXT, pattern: /(?<![\w.@~-])\/(?:work|root|home\/\w+|Users\/\w+)\/[\w.-]/g, says: "names a path of one machine" },
  {
    where: TEXT,
    pattern:
      /\b(?:registry\.npmjs\.org|registry\.npmmirror\.com|proxy\.golang\.org|files\.pythonhosted\.org|repo1?\.maven\.(?:apache\.)?org)\b/g,
    says: "names a registry's host",
  },
  {
    where: /\.(ts|tsx|mjs|mts|go|md|sh|yml)$/,
    pattern: /\b(?:TODO|FIXME|XXX)\b/g,
    says: "leaves work behind; do it, or write an issue",
  },
  { where: CODE, pattern: /\b(?:test|it|describe|suite)\.only\(|\bonly:\s*true\b/g, says: "keeps all other tests from running" },
  {
    where: CODE,
    pattern: /\b(?:test|it|describe|suite)\.(?:skip|todo)\(|\b(?:skip|todo):\s*true\b|\bt\.(?:skip|todo)\(\)/g,
    says: "skips without a reason",
  },
  {
    where: CODE,
    pattern: /@ts-ignore|@ts-nocheck/g,
    says: "hides what the compiler would say; use @ts-expect-error with the reason",
  },
];
/** These speak of the banned words: the bans themselves, and tests that plant them. */
const EXEMPT = ["scripts/checks/texts.ts", "test/texts.test.ts", "test/run-tests.test.ts"];

/** Every banned text with its line. */
export function checkTexts(files: readonly TextFile[]): Finding[] {
  return files
    .filter(({ path }) => !EXEMPT.includes(path) && !path.startsWith("examples/"))
    .flatMap(({ path, text }) =>
      BANS.filter(({ where }) => where.test(path)).flatMap(({ pattern, says }) =>
        [...text.matchAll(pattern)].map((found) => ({ path, line: lineAt(text, found.index), says: `"${found[0]}" ${says}` })),
      ),
    );
}

/** Packages and services without a README that says what they own and what they do not. */
export function checkReadmes(files: readonly TextFile[]): Finding[] {
  const byPath = new Map(files.map(({ path, text }) => [path, text]));
  const homes = files.flatMap(({ path }) => /^((?:packages|services)\/[^/]+|bench)\/package\.json$/.exec(path)?.[1] ?? []);
  return homes.flatMap((home) => {
    const path = `${home}/README.md`;
    const text = byPath.get(path);
    if (text === undefined) return [{ path, says: "is missing" }];
    const wanted = [/^# \S/m, /\bowns\b/i, /\bdoes not own\b/i];
    return wanted.every((pattern) => pattern.test(text))
      ? []
      : [{ path, says: 'needs a title, what it "owns" and what it "does not own"' }];
  });
}
