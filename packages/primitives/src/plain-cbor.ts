/**
 * A fast way through canonical DAG-CBOR for what nearly all values here are made of: objects, lists, ASCII text, byte strings, integers
 * from 0 to 2^53 - 1, booleans and null. Whatever else a value holds, and anything about bytes that is not canonical, makes it give
 * up; then `@ipld/dag-cbor` decides. So it never says what the library would not say, only sooner (four to six times).
 * Source: RFC 8949 section 3; IPLD DAG-CBOR specification, "Strictness" (shortest integers, keys by length and then by bytes).
 */
import type { Bytes } from "./bytes.ts";

/** What stands for "not this way": no value and no encoding is this object. */
export const GIVE_UP: unique symbol = Symbol("not plain");

const MAX_DEPTH = 32;
/** What is longer is encoded into memory of its own. */
const KEPT_BYTES = 65_536;

const UINT = 0;
const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const MAP = 5;
const FALSE = 0xf4;
const TRUE = 0xf5;
const NULL = 0xf6;

/** Keys to which an object means something else than data: its prototype, and what the library takes for a link. */
const isSpecial = (key: string): boolean => key === "" || key === "__proto__" || key === "/" || key === "asCID";

/** Thrown to give up from within; never leaves this file. */
const giveUp = new Error("not plain");

let out: Bytes = new Uint8Array(KEPT_BYTES);
let end = 0;

/** Canonical bytes of a plain value, or `GIVE_UP`. */
export function encodePlain(value: unknown): Bytes | typeof GIVE_UP {
  end = 0;
  try {
    write(value, 0);
    return out.slice(0, end);
  } catch (error) {
    if (error !== giveUp) throw error;
    return GIVE_UP;
  } finally {
    if (out.length > KEPT_BYTES) out = new Uint8Array(KEPT_BYTES);
  }
}

function write(value: unknown, depth: number): void {
  switch (typeof value) {
    case "string":
      writeText(value);
      return;
    case "number":
      if (!Number.isSafeInteger(value) || value < 0 || Object.is(value, -0)) throw giveUp;
      writeHead(UINT, value);
      return;
    case "boolean":
      writeByte(value ? TRUE : FALSE);
      return;
    case "object":
      if (value === null) writeByte(NULL);
      else if (value instanceof Uint8Array) writeBytes(value);
      else if (depth === MAX_DEPTH) throw giveUp;
      else if (Array.isArray(value)) writeList(value, depth);
      else writeMap(value, depth);
      return;
    default:
      throw giveUp;
  }
}

function writeBytes(value: Bytes): void {
  writeHead(BYTES, value.length);
  reserve(value.length);
  out.set(value, end);
  end += value.length;
}

function writeList(list: readonly unknown[], depth: number): void {
  writeHead(LIST, list.length);
  // By index, so that a hole is met as undefined.
  for (let i = 0; i < list.length; i++) write(list[i], depth + 1);
}

function writeMap(map: object, depth: number): void {
  const prototype = Object.getPrototypeOf(map);
  if (prototype !== Object.prototype && prototype !== null) throw giveUp;
  const keys = Object.keys(map);
  sortKeys(keys);
  writeHead(MAP, keys.length);
  for (const key of keys) {
    if (isSpecial(key)) throw giveUp;
    writeText(key);
    write((map as Record<string, unknown>)[key], depth + 1);
  }
}

/** By insertion: objects have few keys, and these are often nearly in order. */
function sortKeys(keys: string[]): void {
  for (let i = 1; i < keys.length; i++) {
    const key = keys[i] as string;
    let at = i;
    for (; at > 0 && isBefore(key, keys[at - 1] as string); at--) keys[at] = keys[at - 1] as string;
    keys[at] = key;
  }
}

/** The order of canonical keys, of ASCII text: by length, then by bytes. */
const isBefore = (a: string, b: string): boolean => a.length < b.length || (a.length === b.length && a < b);

function writeText(text: string): void {
  writeHead(TEXT, text.length);
  reserve(text.length);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit > 0x7f) throw giveUp;
    out[end++] = unit;
  }
}

function writeHead(major: number, value: number): void {
  reserve(9);
  const type = major << 5;
  if (value < 24) out[end++] = type | value;
  else if (value < 0x100) {
    out[end++] = type | 24;
    out[end++] = value;
  } else if (value < 0x10000) {
    out[end++] = type | 25;
    out[end++] = value >>> 8;
    out[end++] = value;
  } else if (value < 0x100000000) {
    out[end++] = type | 26;
    writeWord(value);
  } else {
    out[end++] = type | 27;
    writeWord(Math.floor(value / 0x100000000));
    writeWord(value % 0x100000000);
  }
}

function writeWord(value: number): void {
  out[end++] = value >>> 24;
  out[end++] = value >>> 16;
  out[end++] = value >>> 8;
  out[end++] = value;
}

function writeByte(byte: number): void {
  reserve(1);
  out[end++] = byte;
}

function reserve(count: number): void {
  if (end + count <= out.length) return;
  const larger = new Uint8Array(Math.max(2 * out.length, end + count));
  larger.set(out.subarray(0, end));
  out = larger;
}

let input: Bytes = new Uint8Array(0);
let at = 0;

/** The value of canonical bytes that is plain, or `GIVE_UP` (for bytes that are not canonical, too). Byte strings are copies. */
export function decodePlain(bytes: Bytes): unknown {
  input = bytes;
  at = 0;
  try {
    const value = read(0);
    return at === bytes.length ? value : GIVE_UP;
  } catch (error) {
    if (error !== giveUp) throw error;
    return GIVE_UP;
  } finally {
    input = NOTHING;
  }
}
const NOTHING: Bytes = new Uint8Array(0);

function read(depth: number): unknown {
  if (at >= input.length) throw giveUp;
  const head = input[at++] as number;
  if (head === FALSE) return false;
  if (head === TRUE) return true;
  if (head === NULL) return null;
  const major = head >> 5;
  if (major === 1 || major > MAP) throw giveUp;
  const value = readArgument(head & 31);
  switch (major) {
    case UINT:
      return value;
    case BYTES:
      return readBytes(value);
    case TEXT:
      return readText(value);
    default:
      if (depth === MAX_DEPTH) throw giveUp;
      return major === LIST ? readList(value, depth) : readMap(value, depth);
  }
}

/** A value or length in its shortest form. */
function readArgument(info: number): number {
  if (info < 24) return info;
  if (info > 27) throw giveUp;
  const size = 1 << (info - 24);
  if (at + size > input.length) throw giveUp;
  let value = 0;
  for (let i = 0; i < size; i++) value = value * 256 + (input[at++] as number);
  const least = info === 24 ? 24 : info === 25 ? 0x100 : info === 26 ? 0x10000 : 0x100000000;
  if (value < least || value > Number.MAX_SAFE_INTEGER) throw giveUp;
  return value;
}

function readBytes(length: number): Bytes {
  if (length > input.length - at) throw giveUp;
  const value = new Uint8Array(length);
  value.set(input.subarray(at, at + length));
  at += length;
  return value;
}

/** Eight characters at a time: one by one, a text of 32 is 32 intermediate strings. */
function readText(length: number): string {
  if (length > input.length - at) throw giveUp;
  const stop = at + length;
  let text = "";
  for (; at + 8 <= stop; at += 8) {
    const a = input[at] as number;
    const b = input[at + 1] as number;
    const c = input[at + 2] as number;
    const d = input[at + 3] as number;
    const e = input[at + 4] as number;
    const f = input[at + 5] as number;
    const g = input[at + 6] as number;
    const h = input[at + 7] as number;
    if ((a | b | c | d | e | f | g | h) > 0x7f) throw giveUp;
    text += String.fromCharCode(a, b, c, d, e, f, g, h);
  }
  for (; at < stop; at++) {
    const unit = input[at] as number;
    if (unit > 0x7f) throw giveUp;
    text += String.fromCharCode(unit);
  }
  return text;
}

const KEY_SLOTS = 256;
/** Keys seen lately: the same few come again and again, and a string that exists need not be made. */
const seenKeys: string[] = new Array<string>(KEY_SLOTS).fill("");

function readKey(length: number): string {
  if (length === 0 || length > input.length - at) throw giveUp;
  const first = input[at] as number;
  const last = input[at + length - 1] as number;
  const slot = (31 * length + 7 * first + last) % KEY_SLOTS;
  const seen = seenKeys[slot] as string;
  if (seen.length === length && isNext(seen)) {
    at += length;
    return seen;
  }
  const key = readText(length);
  if (length <= MAX_KEPT_KEY) seenKeys[slot] = key;
  return key;
}
const MAX_KEPT_KEY = 32;

function isNext(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (input[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function readList(length: number, depth: number): unknown[] {
  // Every element takes a byte at least: a length that lies costs no memory.
  if (length > input.length - at) throw giveUp;
  const list: unknown[] = [];
  for (let i = 0; i < length; i++) list.push(read(depth + 1));
  return list;
}

function readMap(length: number, depth: number): Record<string, unknown> {
  const map: Record<string, unknown> = {};
  let before = "";
  for (let i = 0; i < length; i++) {
    if (at >= input.length) throw giveUp;
    const head = input[at++] as number;
    if (head >> 5 !== TEXT) throw giveUp;
    const key = readKey(readArgument(head & 31));
    if (isSpecial(key) || (i > 0 && !isBefore(before, key))) throw giveUp;
    map[key] = read(depth + 1);
    before = key;
  }
  return map;
}
