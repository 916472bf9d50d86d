/**
 * What the consortium tells the person at the terminal: sentences from the message files, each with the time in Asia/Shanghai.
 * Source: issue of the main job ("Times show in Asia/Shanghai with offset").
 */
import { readFileSync } from "node:fs";
import { Fault, fillMessage } from "@xinglin/primitives";
import type { Language } from "./options.ts";

type Facts = Readonly<Record<string, string | number>>;

export interface Say {
  /** A line with the time before it. */
  (key: string, facts?: Facts): void;
  /** A line without time. */
  plain(key: string, facts?: Facts): void;
  /** The sentence alone, to be put into another. */
  text(key: string, facts?: Facts): string;
  readonly language: Language;
}

const load = (language: Language): Readonly<Record<string, string>> =>
  JSON.parse(readFileSync(new URL(`../messages/${language}.json`, import.meta.url), "utf8")) as Record<string, string>;

const clock = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai",
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
});

/** `2026-02-03 03:00:00 +08:00`: China keeps one offset and no summer time. */
export const shanghaiTime = (unixSeconds: number): string => `${clock.format(unixSeconds * 1000)} +08:00`;

export function createSay(language: Language, write: (line: string) => void = (line) => process.stdout.write(`${line}\n`)): Say {
  const messages = load(language);
  const text = (key: string, facts: Facts = {}): string => {
    const template = messages[key];
    if (template === undefined) throw new Fault("message_missing", { key });
    return fillMessage(template, facts);
  };
  const say = (key: string, facts?: Facts): void => write(`${shanghaiTime(Date.now() / 1000)}  ${text(key, facts)}`);
  return Object.assign(say, { plain: (key: string, facts?: Facts) => write(text(key, facts)), text, language });
}
