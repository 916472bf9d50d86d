/**
 * Every sentence exists in Chinese and in English, says something, and is filled with the same facts.
 * Source: design.md (every screen, error and document exists in zh-CN and English).
 */
import { dirname } from "node:path/posix";
import type { Finding, TextFile } from "../project-files.ts";

const LANGUAGES = ["en", "zh-CN"] as const;
/** i18next's plural endings: English has two forms, Chinese one, so keys are compared without them. */
const PLURAL = /_(zero|one|two|few|many|other)$/;

/** Keys that one language lacks, empty sentences, and placeholders that differ. */
export function checkMessages(files: readonly TextFile[]): Finding[] {
  const isMessages = (path: string): boolean => LANGUAGES.some((language) => path.endsWith(`/messages/${language}.json`));
  const folders = new Set(files.filter(({ path }) => isMessages(path)).map(({ path }) => dirname(path)));
  return [...folders].flatMap((folder) => {
    const [en, zh] = LANGUAGES.map((language) => sentences(files.find(({ path }) => path === `${folder}/${language}.json`)));
    return [...compare(`${folder}/zh-CN.json`, en!, zh!), ...compare(`${folder}/en.json`, zh!, en!)];
  });
}

/** What `other` lacks or fills differently, seen from `reference`; empty sentences are told of the file they stand in. */
function compare(path: string, reference: Map<string, string[]>, other: Map<string, string[]>): Finding[] {
  const findings: Finding[] = [];
  for (const [key, forms] of reference) {
    const theirs = other.get(key);
    if (theirs === undefined) findings.push({ path, says: `lacks "${key}"` });
    else if (placeholders(forms) !== placeholders(theirs))
      findings.push({
        path,
        says: `"${key}" is filled with ${placeholders(theirs) || "nothing"}, elsewhere with ${placeholders(forms) || "nothing"}`,
      });
  }
  for (const [key, forms] of other)
    if (forms.some((form) => form.trim() === "")) findings.push({ path, says: `"${key}" is empty` });
  return findings;
}

/** `{name}` and i18next's `{{name}}`, each once, in one order. A plural form may leave the count out. */
function placeholders(forms: readonly string[]): string {
  const found = forms.flatMap((form) => [...form.matchAll(/\{+\s*([\w.]+)[^{}]*\}+/g)].map(([, name]) => name!));
  return [...new Set(found)].sort().join(", ");
}

/** Sentences by dotted key; plural forms of a key together. */
function sentences(file: TextFile | undefined): Map<string, string[]> {
  const all = new Map<string, string[]>();
  const collect = (value: unknown, key: string): void => {
    if (typeof value === "object" && value !== null) {
      for (const [name, inner] of Object.entries(value)) collect(inner, key === "" ? name : `${key}.${name}`);
    } else {
      const base = key.replace(PLURAL, "");
      all.set(base, [...(all.get(base) ?? []), typeof value === "string" ? value : ""]);
    }
  };
  if (file !== undefined) collect(JSON.parse(file.text), "");
  return all;
}
