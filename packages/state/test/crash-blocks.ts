/** The blocks of the crash test. */
import type { StateChange } from "../src/index.ts";
import { del, put } from "./fixture.ts";

export const CRASH_KEYS = 1_500;

export const changesAt = (height: number): StateChange[] =>
  Array.from({ length: 150 }, (_, i) => {
    const key = `k/${(height * 131 + i * 17) % CRASH_KEYS}`;
    return (height + i) % 6 === 0 ? del(key) : put(key, `value of ${key} at ${height}`);
  });

/** The map after blocks 1 to `height`. */
export function mapAt(height: number): Map<string, Uint8Array> {
  const map = new Map<string, Uint8Array>();
  for (let h = 1; h <= height; h++) {
    for (const { key, value } of changesAt(h)) {
      if (value === null) map.delete(key);
      else map.set(key, value);
    }
  }
  return map;
}
