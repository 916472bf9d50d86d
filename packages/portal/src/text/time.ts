/** Times as the consortium writes them, whatever the phone's own zone is. Source: GB/T 7408.1 (ISO 8601), China Standard Time. */

const SHANGHAI_SECONDS = 8 * 3_600;
const DAY_SECONDS = 86_400;

const inShanghai = (seconds: number): string => new Date((seconds + SHANGHAI_SECONDS) * 1_000).toISOString();

/** `2026-11-22 13:28:44 +08:00` */
export const shanghaiTime = (seconds: number): string => `${inShanghai(seconds).slice(0, 19).replace("T", " ")} +08:00`;

/** `2026-11-22`, the date in Shanghai. */
export const shanghaiDate = (seconds: number): string => inShanghai(seconds).slice(0, 10);

/** The last day of a half-open period that ends at `seconds`. */
export const lastDay = (seconds: number): string => shanghaiDate(seconds - 1);

/** Whole days, counted as a person would: at least one. */
export const daysUntil = (seconds: number, now: number): number => Math.max(1, Math.ceil((seconds - now) / DAY_SECONDS));

/** The same clock time `days` later. */
export const daysLater = (seconds: number, days: number): number => seconds + days * DAY_SECONDS;
