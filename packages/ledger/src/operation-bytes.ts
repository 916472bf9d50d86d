/**
 * Where each operation lies in the bytes of a body, found by walking over the encoding: the audit log commits to an operation's own bytes,
 * which need not be encoded again for that.
 * Source: RFC 8949 section 3; design.md, "Transactions" (canonical DAG-CBOR).
 */
import { type Bytes, invariant, utf8 } from "@xinglin/primitives";

const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const MAP = 5;
const TAG = 6;
const OPERATIONS = utf8("operations");

/** Views of the canonical bytes of each operation. The body must have been decoded before: it is trusted to be well-formed. */
export function operationBytes(body: Bytes): Bytes[] {
  const walk = new Walk(body);
  const { major, value: elements } = walk.head();
  invariant(major === MAP, "body: not a map");
  for (let i = 0; i < elements; i++) {
    const key = walk.item();
    if (!endsWith(key, OPERATIONS)) {
      walk.item();
      continue;
    }
    const list = walk.head();
    invariant(list.major === LIST, "body: operations are no list");
    return Array.from({ length: list.value }, () => walk.item());
  }
  throw new Error("unreachable: a body has operations");
}

const endsWith = (bytes: Bytes, end: Bytes): boolean =>
  bytes.length === end.length + 1 && end.every((byte, i) => byte === bytes[i + 1]);

class Walk {
  readonly #bytes: Bytes;
  #at = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** Steps over the next item with everything in it, and returns its bytes. */
  item(): Bytes {
    const from = this.#at;
    // How many items are still to be stepped over; containers add theirs.
    for (let left = 1; left > 0; left--) {
      const { major, value } = this.head();
      if (major === BYTES || major === TEXT) this.#at += value;
      else if (major === LIST) left += value;
      else if (major === MAP) left += 2 * value;
      else if (major === TAG) left += 1;
    }
    return this.#bytes.subarray(from, this.#at);
  }

  /** The head of the next item: its major type and the number in it. */
  head(): { readonly major: number; readonly value: number } {
    const first = this.#bytes[this.#at++];
    invariant(first !== undefined, "body: truncated");
    const info = first & 31;
    if (info < 24) return { major: first >> 5, value: info };
    let value = 0;
    for (const end = this.#at + (1 << (info - 24)); this.#at < end; this.#at++)
      value = value * 256 + (this.#bytes[this.#at] as number);
    return { major: first >> 5, value };
  }
}
