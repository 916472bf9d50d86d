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

function endOfString(text: Uint8Array, at: number): number {
  let i = at + 1;
  while (i < text.length && text[i] !== 0x22) i += text[i] === 0x5c ? 2 : 1;
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

/** The members of the object that starts at `at`; empty if it is no object. */
export function membersOf(text: Uint8Array, at: number): MemberRange[] {
  const members: MemberRange[] = [];
  if (text[at] !== 0x7b) return members;
  let i = skipSpace(text, at + 1);
  while (text[i] === 0x22) {
    const nameStart = i;
    const nameEnd = endOfString(text, i);
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, start);
    members.push({ name: parseRange(text, { start: nameStart, end: nameEnd }) as string, nameStart, start, end });
    i = skipSpace(text, end);
    if (text[i] === 0x2c) i = skipSpace(text, i + 1);
  }
  return members;
}

/** The elements of the array that starts at `at`; empty if it is no array. */
export function elementsOf(text: Uint8Array, at: number): ByteRange[] {
  const elements: ByteRange[] = [];
  if (text[at] !== 0x5b) return elements;
  let i = skipSpace(text, at + 1);
  while (i < text.length && text[i] !== 0x5d) {
    const end = endOfValue(text, i);
    elements.push({ start: i, end });
    i = skipSpace(text, end);
    if (text[i] === 0x2c) i = skipSpace(text, i + 1);
  }
  return elements;
}

/** The member called `name` of the object that starts at `at`. */
export const memberOf = (text: Uint8Array, at: number, name: string): MemberRange | undefined =>
  membersOf(text, at).find((member) => member.name === name);

/** The value of a range. */
export const parseRange = (text: Uint8Array, range: ByteRange): unknown =>
  JSON.parse(Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString("utf8", range.start, range.end));

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
