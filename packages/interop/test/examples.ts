/** Where the bundled examples are. */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const EXAMPLES: string = fileURLToPath(new URL("../../../examples/", import.meta.url));

export const example = (path: string): Uint8Array => new Uint8Array(readFileSync(EXAMPLES + path));

/** Names of the files of an examples folder, sorted. */
export const exampleNames = (folder: string): string[] => readdirSync(EXAMPLES + folder).sort();

export const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value));
