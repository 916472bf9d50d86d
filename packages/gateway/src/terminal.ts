/**
 * What a program tells the person at the terminal: sentences from its message files, times in Asia/Shanghai, a bar for long work.
 */
import { readFileSync } from "node:fs";
import { Fault, fillMessage } from "@xinglin/primitives";

export type Language = "zh-CN" | "en";
type Facts = Readonly<Record<string, string | number>>;

/** Tells things by the keys of the message files. */
export interface Say {
  /** A line with the time before it. */
  (key: string, facts?: Facts): void;
  /** A line without time. */
  plain(key: string, facts?: Facts): void;
  /** The sentence alone, to be put into another. */
  text(key: string, facts?: Facts): string;
  readonly language: Language;
}

const clock = new Intl.DateTimeFormat("sv-SE", {
  timeZone: "Asia/Shanghai",
  dateStyle: "short",
  timeStyle: "medium",
});

/** `2026-02-03 03:00:00 +08:00`: China keeps one offset and no summer time. */
export const shanghaiTime = (unixSeconds: number): string => `${clock.format(unixSeconds * 1000)} +08:00`;

/** `2026-02-03T03:00:00+08:00`, as FHIR instants are written. */
export const instantInShanghai = (unixSeconds: number): string => `${clock.format(unixSeconds * 1000).replace(" ", "T")}+08:00`;

/** English for an English locale, otherwise Chinese: its first users are Chinese hospitals. */
export const languageOf = (environment: Readonly<Record<string, string | undefined>>): Language =>
  /^en/i.test(environment.LC_ALL ?? environment.LC_MESSAGES ?? environment.LANG ?? "") ? "en" : "zh-CN";

/** Sentences from `{language}.json` in the folder `messages`. */
export function createSay(
  messages: URL,
  language: Language,
  write: (line: string) => void = (line) => process.stdout.write(`${line}\n`),
): Say {
  const templates = JSON.parse(readFileSync(new URL(`${language}.json`, messages), "utf8")) as Readonly<Record<string, string>>;
  const text = (key: string, facts: Facts = {}): string => {
    const template = templates[key];
    if (template === undefined) throw new Fault("message_missing", { key });
    return fillMessage(template, facts);
  };
  const say = (key: string, facts?: Facts): void => write(`${shanghaiTime(Date.now() / 1000)}  ${text(key, facts)}`);
  return Object.assign(say, { plain: (key: string, facts?: Facts) => write(text(key, facts)), text, language });
}

/** `524.3 MB`: decimal units, as disks are sold. */
export function bytesText(bytes: number): string {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

const BAR_CELLS = 30;

/** A bar that redraws itself on a terminal and stays silent elsewhere. */
export function progressBar(
  label: string,
  stream: NodeJS.WriteStream = process.stderr,
): { update(done: number, total: number): void; end(): void } {
  let drawn = -1;
  return {
    update(done, total) {
      const cells = total === 0 ? BAR_CELLS : Math.floor((done / total) * BAR_CELLS);
      if (!stream.isTTY || cells === drawn) return;
      drawn = cells;
      stream.write(`\r${label} [${"█".repeat(cells)}${"·".repeat(BAR_CELLS - cells)}] ${bytesText(done)} / ${bytesText(total)}`);
    },
    end() {
      if (stream.isTTY && drawn >= 0) stream.write("\r\u001b[K");
    },
  };
}
