/**
 * Many transactions handed on to peers as one. A peer's CometBFT asks `InsertTx` for one after another, on the thread that also takes that peer's votes,
 * and each question is a round trip between two processes: on a busy machine a hundred of them hold up consensus for seconds. What CometBFT
 * hands on is opaque to it, so one question carries as many as there are.
 * Source: CometBFT v0.40 `mempool/app_reactor.go` (Receive), `p2p/conn/connection.go` (recvRoutine).
 */
import { type Bytes, Fault } from "@xinglin/primitives";

/** A transaction is a CBOR map and begins otherwise. */
const MARK = 0;
/** The mark, then a number that makes each bundle another one to CometBFT, which takes nothing twice. */
const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;
const MAX_TRANSACTIONS = 10_000;

/** Bytes of a bundle beside its transactions' own, for one transaction. */
export const BUNDLE_OVERHEAD_BYTES: number = HEADER_BYTES + LENGTH_BYTES;

/** One piece of bytes that holds them all. `number` tells this bundle from others of this node, below 2^32. */
export function bundle(transactions: readonly Bytes[], number: number): Bytes {
  const size = transactions.reduce((sum, { length }) => sum + LENGTH_BYTES + length, HEADER_BYTES);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, MARK);
  view.setUint32(1, number);
  let at = HEADER_BYTES;
  for (const transaction of transactions) {
    view.setUint32(at, transaction.length);
    bytes.set(transaction, at + LENGTH_BYTES);
    at += LENGTH_BYTES + transaction.length;
  }
  return bytes;
}

/** The transactions of a bundle, each a copy; of bytes that are none, these themselves. Throws `Fault("malformed")`. */
export function unbundle(bytes: Bytes): Bytes[] {
  if (bytes[0] !== MARK) return [bytes];
  const wrong = (): Fault => new Fault("malformed", { element: "bundle" });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const transactions: Bytes[] = [];
  for (let at = HEADER_BYTES; at < bytes.length; ) {
    if (at + LENGTH_BYTES > bytes.length || transactions.length === MAX_TRANSACTIONS) throw wrong();
    const start = at + LENGTH_BYTES;
    const end = start + view.getUint32(at);
    if (end > bytes.length || end === start) throw wrong();
    transactions.push(bytes.slice(start, end));
    at = end;
  }
  if (transactions.length === 0) throw wrong();
  return transactions;
}
