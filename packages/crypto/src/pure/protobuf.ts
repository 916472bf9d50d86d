/**
 * The little of protocol buffers that ICS-23 proofs and CometBFT headers need, in canonical form only: fields ascend, defaults are left
 * out, varints are shortest. Decoders read in that order and then compare with their own encoding, so one value has one byte string.
 * Source: Protocol Buffers encoding specification; gogoproto's deterministic output.
 */
import { type Bytes, concat, equal, Fault, utf8 } from "@xinglin/primitives";

const NOTHING = new Uint8Array(0);
const VARINT = 0;
const FIXED64 = 1;
const DELIMITED = 2;

/** A varint: 7 bits a byte, lowest first. Negative numbers take ten bytes, as int64 does. */
export function varint(value: number): Bytes {
  const out: number[] = [];
  if (value < 0) {
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) out.push(Number(rest & 127n) | 128);
    out.push(Number(rest));
  } else {
    let rest = value;
    for (; rest > 127; rest = Math.floor(rest / 128)) out.push((rest % 128) | 128);
    out.push(rest);
  }
  return Uint8Array.from(out);
}

const tag = (field: number, wire: number): Bytes => varint(field * 8 + wire);

/** An integer field; nothing for zero. */
export const intField = (field: number, value: number): Bytes =>
  value === 0 ? NOTHING : concat(tag(field, VARINT), varint(value));

/** A little-endian 64-bit field; nothing for zero. */
export function fixed64Field(field: number, value: number): Bytes {
  if (value === 0) return NOTHING;
  const out = new Uint8Array(8);
  new DataView(out.buffer).setBigInt64(0, BigInt(value), true);
  return concat(tag(field, FIXED64), out);
}

/** A byte string field; nothing for an empty one. */
export const bytesField = (field: number, value: Bytes): Bytes => (value.length === 0 ? NOTHING : messageField(field, value));

/** A text field; nothing for an empty one. */
export const textField = (field: number, value: string): Bytes => bytesField(field, utf8(value));

/** An embedded message (or a list's element), written even when it is empty. */
export const messageField = (field: number, value: Bytes): Bytes => concat(tag(field, DELIMITED), varint(value.length), value);

const malformed = (reason: string): Fault => new Fault("malformed", { reason });

/** Reads fields in ascending order. Absent fields give their default; anything unexpected is `Fault("malformed")`. */
export class Reader {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    // Node's Buffer is a Uint8Array whose `slice` shares memory; what is read here must not change with its source.
    this.#bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** The integer of `field`, 0 if absent; only safe integers and only as int64 writes them. */
  int(field: number): number {
    return this.#take(field, VARINT) ? this.#varint() : 0;
  }

  /** The bytes of `field` (a copy), empty if absent. */
  bytes(field: number): Bytes {
    return this.message(field) ?? NOTHING;
  }

  /** The bytes of the embedded message `field`, or undefined if absent. */
  message(field: number): Bytes | undefined {
    if (!this.#take(field, DELIMITED)) return undefined;
    const length = this.#varint();
    if (length < 0 || length > this.#bytes.length - this.#at) throw malformed("protobuf_length");
    this.#at += length;
    return this.#bytes.slice(this.#at - length, this.#at);
  }

  /** Every element of the list `field`, at most `max`. */
  list(field: number, max: number): Bytes[] {
    const out: Bytes[] = [];
    for (let item = this.message(field); item !== undefined; item = this.message(field)) {
      if (out.length === max) throw malformed("protobuf_list");
      out.push(item);
    }
    return out;
  }

  /** The text of `field`, empty if absent. */
  text(field: number): string {
    const bytes = this.bytes(field);
    let out = "";
    for (const byte of bytes) {
      // Texts here are chain ids: ASCII, so that no second spelling exists.
      if (byte < 0x20 || byte > 0x7e) throw malformed("protobuf_text");
      out += String.fromCharCode(byte);
    }
    return out;
  }

  /** Throws unless everything was read. */
  end(): void {
    if (this.#at !== this.#bytes.length) throw malformed("protobuf_field");
  }

  #take(field: number, wire: number): boolean {
    const expected = tag(field, wire);
    for (let i = 0; i < expected.length; i++) if (this.#bytes[this.#at + i] !== expected[i]) return false;
    this.#at += expected.length;
    return true;
  }

  #varint(): number {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) break;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        const signed = Number(BigInt.asIntN(64, value));
        if (Number.isSafeInteger(signed)) return signed;
        break;
      }
    }
    throw malformed("protobuf_varint");
  }
}

/** Decodes with `read` and refuses bytes that `write` would not have produced. */
export function decodeCanonical<T>(bytes: Bytes, read: (reader: Reader) => T, write: (value: T) => Bytes): T {
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.end();
  if (!equal(write(value), bytes)) throw malformed("not_canonical");
  return value;
}

/** Reads an embedded message completely. */
export function nested<T>(bytes: Bytes | undefined, read: (reader: Reader) => T): T {
  if (bytes === undefined) throw malformed("protobuf_missing");
  const reader = new Reader(bytes);
  const value = read(reader);
  reader.end();
  return value;
}
