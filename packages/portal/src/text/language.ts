/** The page's languages: Chinese first. Messages are flat; `{fact}` is filled in, `{count}` chooses the form. Source: design.md (zh-CN and English). */
import contractsEn from "@xinglin/contracts/messages/en.json" with { type: "json" };
import contractsZh from "@xinglin/contracts/messages/zh-CN.json" with { type: "json" };
import { createInstance } from "i18next";
import en from "../messages/en.json" with { type: "json" };
import zh from "../messages/zh-CN.json" with { type: "json" };

/** Words and refusals of the rules, and over them the page's own sentences, which speak to a patient. */
const SENTENCES = { "zh-CN": { ...contractsZh, ...zh }, en: { ...contractsEn, ...en } };

export const LANGUAGES = ["zh-CN", "en"] as const;
export type Language = (typeof LANGUAGES)[number];

type WithoutForm<Key> = Key extends `${infer Base}_one` | `${infer Base}_other` ? Base : Key;
/** Every message there is; a plural's forms are one message. */
export type MessageKey = WithoutForm<keyof typeof en | keyof typeof contractsEn>;

export type Facts = Readonly<Record<string, string | number>>;

/** A sentence of the page in its language. `has` asks for keys that are put together from codes of the chain. */
export interface Text {
  readonly language: Language;
  (key: MessageKey, facts?: Facts): string;
  has(key: string): key is MessageKey;
}

/** The sentences of one language. */
export function textIn(language: Language): Text {
  const i18n = createInstance();
  void i18n.init({
    lng: language,
    resources: { [language]: { translation: SENTENCES[language] } },
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    initAsync: false,
    interpolation: { prefix: "{", suffix: "}", escapeValue: false },
  });
  const text = (key: string, facts: Facts = {}): string => i18n.t(key, { ...facts });
  return Object.assign(text, { language, has: (key: string) => i18n.exists(key, { count: 1 }) }) as Text;
}

const STORED = "xinglin-language";

/** The language that was chosen here, else Chinese. */
export function storedLanguage(): Language {
  try {
    return LANGUAGES.find((language) => language === localStorage.getItem(STORED)) ?? "zh-CN";
  } catch {
    return "zh-CN";
  }
}

/** Remembers a choice, where the browser lets it. */
export function storeLanguage(language: Language): void {
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // A browser that keeps nothing asks again next time.
  }
}
