/**
 * Finds things in the bytes of a transaction by walking over the encoding, without decoding it: where each operation lies, since the audit log
 * commits to an operation's own bytes, which need not be encoded again for that; and whose quota it claims, so that an overloaded ledger can
 * turn it away for a hundredth of what looking at it properly would cost.
 * Source: RFC 8949 section 3; design.md, "Transactions" (canonical DAG-CBOR).
 */
import { Bug, type Bytes, cbor, invariant, type MemberId } from "@xinglin/primitives";

const BYTES = 2;
const TEXT = 3;
const LIST = 4;
const MAP = 5;
const TAG = 6;
const OPERATIONS = cbor.encode("operations");
const BODY = cbor.encode("body");
const SPONSOR = cbor.encode("sponsor");

/** Views of the canonical bytes of each operation. The body must have been decoded before: it is trusted to be well-formed. */
export function operationBytes(body: Bytes): Bytes[] {
  const walk = new Walk(body);
  const elements = walk.head(MAP);
  for (let i = 0; i < elements; i++) {
    const isOperations = walk.isAt(OPERATIONS);
    walk.skip();
    if (isOperations) {
      const operations: Bytes[] = [];
      for (let left = walk.head(LIST); left > 0; left--) operations.push(body.subarray(walk.at, walk.skip()));
      return operations;
    }
    walk.skip();
  }
  throw new Bug("body: no operations");
}

/** The member that a transaction says it uses the quota of; undefined if these bytes are no transaction. Nothing about it is checked. */
export function claimedSponsor(transaction: Bytes): MemberId | undefined {
  try {
    const walk = new Walk(transaction);
    walk.head(MAP);
    if (!walk.isAt(BODY)) return undefined;
    walk.skip();
    walk.head(BYTES);
    for (let left = walk.head(MAP); left > 0; left--) {
      const isSponsor = walk.isAt(SPONSOR);
      walk.skip();
      if (isSponsor) {
        const length = walk.head(TEXT);
        return Buffer.from(transaction.buffer, transaction.byteOffset + walk.at, length).toString("latin1") as MemberId;
      }
      walk.skip();
    }
  } catch {
    // Not well-formed: decoding it will say what is wrong.
  }
  return undefined;
}

class Walk {
  readonly #bytes: Bytes;
  at = 0;
  /** Of the head that was read last. */
  #major = 0;

  constructor(bytes: Bytes) {
    this.#bytes = bytes;
  }

  /** Whether the next item is this one. */
  isAt(item: Bytes): boolean {
    for (let i = 0; i < item.length; i++) if (this.#bytes[this.at + i] !== item[i]) return false;
    return true;
  }

  /** Steps over the next item with everything in it; returns where it ends. */
  skip(): number {
    // How many items are still to be stepped over; containers add theirs.
    for (let left = 1; left > 0; left--) {
      const value = this.#readHead();
      if (this.#major === BYTES || this.#major === TEXT) this.at += value;
      else if (this.#major === LIST) left += value;
      else if (this.#major === MAP) left += 2 * value;
      else if (this.#major === TAG) left += 1;
    }
    return this.at;
  }

  /** Steps over the head of the next item, which has this major type; returns the number in it. */
  head(major: number): number {
    const value = this.#readHead();
    invariant(this.#major === major, "body: an item of another type");
    return value;
  }

  #readHead(): number {
    const first = this.#bytes[this.at++];
    invariant(first !== undefined, "body: truncated");
    this.#major = first >> 5;
    const info = first & 31;
    if (info < 24) return info;
    let value = 0;
    for (const end = this.at + (1 << (info - 24)); this.at < end; this.at++)
      value = value * 256 + (this.#bytes[this.at] as number);
    return value;
  }
}
