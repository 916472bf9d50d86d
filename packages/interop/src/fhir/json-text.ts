/**
 * A strict check of JSON bytes, before anything parses them: RFC 8259 grammar, bounded nesting, no object with the same name twice
 * (`JSON.parse` silently keeps the last one, another reader may keep the first, and the two would disagree about a patient).
 * Works on bytes and keeps none of them.
 * Source: RFC 8259 sections 4, 7 and 8; FHIR R4 "JSON Representation of Resources" (no duplicate names, UTF-8).
 */
import { isUtf8 } from "node:buffer";

/** The deepest nesting of objects and arrays that is read. The deepest published example has 24. */
export const MAX_JSON_DEPTH = 100;

/** One step from the root: the name of a member or the index of an element. */
export type JsonStep = string | number;

/** Why bytes are not acceptable JSON, with the byte offset or the path where it shows. */
export type JsonProblem =
  | { readonly code: "not_utf8" }
  | { readonly code: "byte_order_mark" }
  | { readonly code: "not_json"; readonly offset: number }
  | { readonly code: "too_deep"; readonly offset: number }
  | { readonly code: "duplicate_name"; readonly path: readonly JsonStep[]; readonly offset: number };

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

/** Stops the check; never leaves this file. */
class Stop {
  readonly problem: JsonProblem;
  constructor(problem: JsonProblem) {
    this.problem = problem;
  }
}

/** The first problem of `bytes`, or `undefined` if they are one JSON value. Linear in their length. */
export function findJsonProblem(bytes: Uint8Array): JsonProblem | undefined {
  if (!isUtf8(bytes)) return { code: "not_utf8" };
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return { code: "byte_order_mark" };
  try {
    new Checker(bytes).document();
    return undefined;
  } catch (stop) {
    if (stop instanceof Stop) return stop.problem;
    throw stop;
  }
}

class Checker {
  private readonly text: Buffer;
  private readonly path: JsonStep[] = [];
  private at = 0;

  constructor(bytes: Uint8Array) {
    this.text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  document(): void {
    this.space();
    this.value();
    this.space();
    if (this.at !== this.text.length) this.fail();
  }

  private fail(): never {
    throw new Stop({ code: "not_json", offset: this.at });
  }

  private space(): void {
    for (;;) {
      const byte = this.text[this.at];
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.at++;
    }
  }

  private value(): void {
    const byte = this.text[this.at];
    if (byte === QUOTE) this.string();
    else if (byte === OPEN_BRACE) this.object();
    else if (byte === OPEN_BRACKET) this.array();
    else if (byte === 0x74) this.literal("true");
    else if (byte === 0x66) this.literal("false");
    else if (byte === 0x6e) this.literal("null");
    else this.number();
  }

  private literal(word: string): void {
    for (let i = 0; i < word.length; i++) if (this.text[this.at + i] !== word.charCodeAt(i)) this.fail();
    this.at += word.length;
  }

  private digits(): void {
    const from = this.at;
    while (isDigit(this.text[this.at])) this.at++;
    if (this.at === from) this.fail();
  }

  private number(): void {
    if (this.text[this.at] === 0x2d) this.at++;
    if (this.text[this.at] === 0x30) this.at++;
    else this.digits();
    if (this.text[this.at] === 0x2e) {
      this.at++;
      this.digits();
    }
    const exponent = this.text[this.at];
    if (exponent === 0x65 || exponent === 0x45) {
      this.at++;
      const sign = this.text[this.at];
      if (sign === 0x2b || sign === 0x2d) this.at++;
      this.digits();
    }
  }

  /** Refuses control characters, unknown escapes, and surrogates that are not a pair (no UTF-8 can carry them). */
  private string(): void {
    const text = this.text;
    this.at++;
    for (;;) {
      const byte = text[this.at];
      if (byte === undefined || byte < 0x20) this.fail();
      if (byte === QUOTE) break;
      if (byte === BACKSLASH) this.escape();
      else this.at++;
    }
    this.at++;
  }

  private escape(): void {
    const kind = this.text[this.at + 1];
    if (kind !== 0x75) {
      if (kind === undefined || !'"\\/bfnrt'.includes(String.fromCharCode(kind))) this.fail();
      this.at += 2;
      return;
    }
    const first = this.unit();
    if (first >= 0xdc00 && first <= 0xdfff) this.fail();
    if (first < 0xd800 || first > 0xdbff) return;
    if (this.text[this.at] !== BACKSLASH || this.text[this.at + 1] !== 0x75) this.fail();
    const second = this.unit();
    if (second < 0xdc00 || second > 0xdfff) this.fail();
  }

  /** The four hex digits after `\u`. */
  private unit(): number {
    const hex = this.text.toString("latin1", this.at + 2, this.at + 6);
    if (!/^[0-9a-fA-F]{4}$/.test(hex)) this.fail();
    this.at += 6;
    return Number.parseInt(hex, 16);
  }

  private enter(): void {
    if (this.path.length >= MAX_JSON_DEPTH) throw new Stop({ code: "too_deep", offset: this.at });
    this.at++;
    this.space();
  }

  private array(): void {
    this.enter();
    if (this.text[this.at] === CLOSE_BRACKET) {
      this.at++;
      return;
    }
    const level = this.path.length;
    for (let index = 0; ; index++) {
      this.path[level] = index;
      this.value();
      this.space();
      if (this.text[this.at] === CLOSE_BRACKET) break;
      if (this.text[this.at] !== COMMA) this.fail();
      this.at++;
      this.space();
    }
    this.path.length = level;
    this.at++;
  }

  private object(): void {
    this.enter();
    if (this.text[this.at] === CLOSE_BRACE) {
      this.at++;
      return;
    }
    const level = this.path.length;
    const names = new Set<string>();
    for (;;) {
      if (this.text[this.at] !== QUOTE) this.fail();
      const from = this.at;
      this.string();
      const name = decodeName(this.text, from, this.at);
      this.path[level] = name;
      if (names.has(name)) throw new Stop({ code: "duplicate_name", path: [...this.path], offset: from });
      names.add(name);
      this.space();
      if (this.text[this.at] !== COLON) this.fail();
      this.at++;
      this.space();
      this.value();
      this.space();
      if (this.text[this.at] === CLOSE_BRACE) break;
      if (this.text[this.at] !== COMMA) this.fail();
      this.at++;
      this.space();
    }
    this.path.length = level;
    this.at++;
  }
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= 0x30 && byte <= 0x39;

/** The string at `from`..`to`, quotes included; `g\u0065nder` and `gender` are the same name. */
function decodeName(text: Buffer, from: number, to: number): string {
  const raw = text.toString("utf8", from + 1, to - 1);
  return raw.includes("\\") ? (JSON.parse(`"${raw}"`) as string) : raw;
}
