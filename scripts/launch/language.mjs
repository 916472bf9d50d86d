// @ts-check
/** The launcher's few sentences, in the language of the one who starts it. */
import { readFileSync } from "node:fs";

/** @typedef {(key: string, facts?: Record<string, string | number>) => string} Say */

/**
 * `zh-CN` or `en`: `--lang` wins, then the locale of the shell, then that of the system (Windows sets no LANG).
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} [system] the system's locale
 */
export function chooseLanguage(args, env, system = Intl.DateTimeFormat().resolvedOptions().locale) {
  const asked = args.includes("--lang")
    ? args[args.indexOf("--lang") + 1]
    : args.find((arg) => arg.startsWith("--lang="))?.slice("--lang=".length);
  const locale = asked ?? (env.LC_ALL || env.LC_MESSAGES || env.LANG || system);
  return /^zh/i.test(locale) ? "zh-CN" : "en";
}

/**
 * @param {string} language
 * @returns {Say} the sentence of a key with its `{facts}` filled in
 */
export function speaker(language) {
  const sentences = JSON.parse(readFileSync(new URL(`./messages/${language}.json`, import.meta.url), "utf8"));
  return (key, facts = {}) =>
    sentences[key].replace(/\{(\w+)\}/g, (/** @type {string} */ _, /** @type {string} */ name) => String(facts[name]));
}
