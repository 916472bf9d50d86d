/** What of a record `xinglin read` is asked for: all of it, a series, an instance, one file, or bytes of one. Source: docs/guides/archive-and-retrieve.md. */
import { once } from "node:events";
import type { Selection } from "@xinglin/archive";
import { Fault } from "@xinglin/primitives";
import type { Context } from "../command.ts";

/** Options of `partOf`. */
export const PART_OPTIONS = {
  series: { type: "string" },
  instance: { type: "string" },
  path: { type: "string" },
  range: { type: "string" },
} as const;

/** The part that the options name, or nothing: then it is all of the record. Throws `option_wrong`, `option_missing`. */
export function partOf({ text }: Pick<Context, "text">): Selection | undefined {
  const [series, instance, path, range] = [text("series"), text("instance"), text("path"), text("range")];
  if ([series, instance, path].filter((one) => one !== undefined).length > 1)
    throw new Fault("option_wrong", { option: "--series", expected: "--series UID | --instance UID | --path FILE" });
  if (range !== undefined && path === undefined) throw new Fault("option_missing", { option: "--path" });
  if (series !== undefined) return { series };
  if (instance !== undefined) return { instance };
  if (path === undefined) return undefined;
  return range === undefined ? { paths: [path] } : { path, ...bytesOf(range) };
}

/** `0-1023` is the first kilobyte, as in HTTP: both ends belong to it. */
function bytesOf(range: string): { readonly start: number; readonly end: number } {
  const [, first, last] = /^(\d{1,15})-(\d{1,15})$/.exec(range) ?? [];
  if (first === undefined || Number(last) < Number(first))
    throw new Fault("option_wrong", { option: "--range", expected: "FIRST-LAST, 0-1023" });
  return { start: Number(first), end: Number(last) + 1 };
}

/** Writes to standard output, as fast as whoever reads it takes it. */
export async function toOutput(bytes: Uint8Array): Promise<void> {
  if (!process.stdout.write(bytes)) await once(process.stdout, "drain");
}
