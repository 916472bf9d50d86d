/**
 * Canonical DAG-CBOR: the one encoding of everything that is signed, hashed or stored.
 * `@ipld/dag-cbor` accepts some non-canonical input, so decoding encodes again and compares.
 * Source: design.md, "Transactions"; IPLD DAG-CBOR specification, "Strictness".
 */
import * as dagCbor from "@ipld/dag-cbor";
import { type Bytes, equal } from "./bytes.ts";
import { Fault } from "./fault.ts";
import { decodePlain, encodePlain, GIVE_UP } from "./plain-cbor.ts";

/** Canonical bytes of a plain value: objects, arrays, strings, byte strings, integers, booleans and null. */
export function encode(value: unknown): Bytes {
  const plain = encodePlain(value);
  return plain === GIVE_UP ? dagCbor.encode(value) : plain;
}

/**
 * The value of canonical bytes. Throws `Fault("malformed")` on anything else: truncated, trailing, non-canonical, or longer than `maxBytes`.
 */
export function decode(bytes: Bytes, maxBytes: number): unknown {
  if (bytes.length > maxBytes) throw new Fault("malformed", { reason: "too_long", maxBytes });
  const plain = decodePlain(bytes);
  if (plain !== GIVE_UP) return plain;
  let value: unknown;
  try {
    value = dagCbor.decode(bytes);
  } catch (cause) {
    throw new Fault("malformed", { reason: "not_dag_cbor" }, { cause });
  }
  if (!equal(dagCbor.encode(value), bytes)) throw new Fault("malformed", { reason: "not_canonical" });
  return value;
}

/** The value of bytes that this program wrote itself and that a hash already vouches for; skips the second encoding. */
export function decodeTrusted(bytes: Bytes): unknown {
  const plain = decodePlain(bytes);
  return plain === GIVE_UP ? dagCbor.decode(bytes) : plain;
}
