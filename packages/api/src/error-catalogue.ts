/**
 * Every fault code of the project: the HTTP status it is answered with, and its sentence in zh-CN and English. A code that is thrown
 * somewhere and stands not here fails a test. Source: style.md, "Errors are of three kinds" (one catalogue of codes).
 */
import { readFileSync } from "node:fs";
import { FAULTS } from "./faults.ts";
import type { Language } from "./http/language.ts";

type Sentences = Readonly<Record<string, string>>;
const load = (language: Language): Sentences =>
  JSON.parse(readFileSync(new URL(`../messages/${language}.json`, import.meta.url), "utf8")) as Sentences;
const SENTENCES: Readonly<Record<Language, Sentences>> = { "zh-CN": load("zh-CN"), en: load("en") };

const STATUS: ReadonlyMap<string, number> = new Map(Object.values(FAULTS).flatMap((codes) => Object.entries(codes)));

/** The status of a code; 500 for one that no catalogue knows. */
export const statusOf = (code: string): number => STATUS.get(code) ?? 500;

/** Every code of the catalogue. */
export const FAULT_CODES: readonly string[] = [...STATUS.keys()];

/** The sentence of a code with its facts filled in: what happened and what to do. A fact that is missing shows as its name. */
export function sentenceOf(code: string, facts: Readonly<Record<string, string | number>>, language: Language): string {
  const template = SENTENCES[language][code] ?? SENTENCES[language].internal ?? code;
  return template.replaceAll(/\{(\w+)\}/g, (braced, name: string) => String(facts[name] ?? braced));
}

/** What a status means, whatever the code: the title of a problem. */
export const titleOf = (status: number, language: Language): string =>
  SENTENCES[language][`status_${status}`] ?? SENTENCES[language].status_500 ?? String(status);
