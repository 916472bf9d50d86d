/**
 * Where the parts of a JSON text lie in its bytes, so that a resource can be cut out or a value replaced without touching another
 * byte: decimals keep their zeros (FHIR gives precision a meaning) and hashes of what was not changed stay the same.
 * Every function expects bytes that `findJsonProblem` accepts.
 * Source: FHIR R4 "Datatypes" (decimal: precision shall be kept); RFC 8259.
 */

/** Half-open range of bytes. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}
/** A member of an object: its name and where its value lies. `nameStart` is the opening quote of the name. */
export interface MemberRange extends ByteRange {
  readonly name: string;
  readonly nameStart: number;
}

/** First byte at or after `at` that is not white space. */
export function skipSpace(text: Uint8Array, at: number): number {
  let i = at;
  while (text[i] === 0x20 || text[i] === 0x0a || text[i] === 0x0d || text[i] === 0x09) i++;
  return i;
}

/** Short strings are looked at byte by byte; in long ones (narratives, images) the engine's own search is faster. */
const SHORT_STRING_BYTES = 32;

function endOfString(text: Uint8Array, at: number): number {
  let i = at + 1;
  const soon = Math.min(text.length, i + SHORT_STRING_BYTES);
  while (i < soon && text[i] !== 0x22) i += text[i] === 0x5c ? 2 : 1;
  while (text[i] !== 0x22 && i < text.length) {
    const quote = text.indexOf(0x22, i);
    if (quote < 0) return text.length + 1;
    let slashes = 0;
    while (quote - slashes > i && text[quote - 1 - slashes] === 0x5c) slashes++;
    i = slashes % 2 === 0 ? quote : quote + 1;
  }
  return i + 1;
}

/** Offset after the value that starts at `at`. */
export function endOfValue(text: Uint8Array, at: number): number {
  const first = text[at];
  if (first === 0x22) return endOfString(text, at);
  let i = at;
  if (first === 0x7b || first === 0x5b) {
    let depth = 0;
    while (i < text.length) {
      const byte = text[i];
      if (byte === 0x22) {
        i = endOfString(text, i);
        continue;
      }
      if (byte === 0x7b || byte === 0x5b) depth++;
      else if (byte === 0x7d || byte === 0x5d) {
        depth--;
        if (depth === 0) return i + 1;
      }
      i++;
    }
    return i;
  }
  while (i < text.length && !isDelimiter(text[i])) i++;
  return i;
}

const isDelimiter = (byte: number | undefined): boolean =>
  byte === 0x2c || byte === 0x7d || byte === 0x5d || byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Told of one part and where its value starts; may return where the value ends, if it has looked. */
export type PartVisitor<Name> = (name: Name, start: number, nameStart: number) => number | undefined;

/** Goes through the members of the object that starts at `at`; returns the offset after it. */
export function walkMembers(text: Uint8Array, at: number, visit: PartVisitor<string>): number {
  if (text[at] !== 0x7b) return endOfValue(text, at);
  let i = skipSpace(text, at + 1);
  while (text[i] === 0x22) {
    const nameStart = i;
    const nameEnd = endOfString(text, i);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = visit(nameOf(text, nameStart, nameEnd), start, nameStart) ?? endOfValue(text, start);
    i = skipSpace(text, end);
    if (text[i] === 0x2c) i = skipSpace(text, i + 1);
  }
  return i + 1;
}

/** Goes through the elements of the array that starts at `at`; returns the offset after it. */
export function walkElements(text: Uint8Array, at: number, visit: PartVisitor<number>): number {
  if (text[at] !== 0x5b) return endOfValue(text, at);
  let i = skipSpace(text, at + 1);
  for (let index = 0; i < text.length && text[i] !== 0x5d; index++) {
    const end = visit(index, i, i) ?? endOfValue(text, i);
    i = skipSpace(text, end);
    if (text[i] === 0x2c) i = skipSpace(text, i + 1);
  }
  return i + 1;
}

function nameOf(text: Uint8Array, start: number, end: number): string {
  const raw = asBuffer(text).toString("utf8", start + 1, end - 1);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}

const asBuffer = (text: Uint8Array): Buffer =>
  Buffer.isBuffer(text) ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength);

/** The members of the object that starts at `at`; empty if it is no object. */
export function membersOf(text: Uint8Array, at: number): MemberRange[] {
  const members: MemberRange[] = [];
  walkMembers(text, at, (name, start, nameStart) => {
    const end = endOfValue(text, start);
    members.push({ name, nameStart, start, end });
    return end;
  });
  return members;
}

/** The elements of the array that starts at `at`; empty if it is no array. */
export function elementsOf(text: Uint8Array, at: number): ByteRange[] {
  const elements: ByteRange[] = [];
  walkElements(text, at, (_, start) => {
    const end = endOfValue(text, start);
    elements.push({ start, end });
    return end;
  });
  return elements;
}

/** The member called `name` of the object that starts at `at`. */
export const memberOf = (text: Uint8Array, at: number, name: string): MemberRange | undefined =>
  membersOf(text, at).find((member) => member.name === name);

/** The value of a range. */
export const parseRange = (text: Uint8Array, range: ByteRange): unknown =>
  JSON.parse(asBuffer(text).toString("utf8", range.start, range.end));

/** Replaces ranges, which must not overlap, by `text`; everything else keeps its bytes. */
export function splice(bytes: Uint8Array, edits: readonly (ByteRange & { readonly text: string })[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start || a.end - b.end)) {
    parts.push(bytes.subarray(at, edit.start), Buffer.from(edit.text, "utf8"));
    at = edit.end;
  }
  parts.push(bytes.subarray(at));
  return new Uint8Array(Buffer.concat(parts));
}
