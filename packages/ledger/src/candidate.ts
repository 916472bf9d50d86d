/**
 * A transaction as it came in: decoded once a node, whichever way it arrives first.
 * Source: design.md, "Execution".
 */
import { decodeTransaction, type Parameters, type Transaction } from "@xinglin/contracts";
import { nodeSha256 } from "@xinglin/crypto/node";
import { type Bytes, Fault } from "@xinglin/primitives";
import { operationBytes } from "./transaction-walk.ts";

export interface Candidate {
  readonly bytes: Bytes;
  /** SHA-256 of `bytes`, signature included: what the cache of verified signatures goes by. */
  readonly hash: Bytes;
  readonly transaction: Transaction;
  /** SHA-256 of each operation's own canonical bytes. */
  readonly operationHashes: readonly Bytes[];
  /** The transaction's id as a map key. */
  readonly idKey: string;
}

/** An id (or any bytes) as a map key. */
export const idKeyOf = (id: Bytes): string => Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString("latin1");

/** What was decoded, by the very array it was decoded from: proposals hand the arrays of the mempool through. */
const decodedOnce = new WeakMap<Bytes, Candidate>();

/** Decodes a transaction of at most the chain's `maxTransactionBytes`. Throws `Fault("oversize" | "malformed")`. */
export function candidateOf(bytes: Bytes, { maxTransactionBytes }: Parameters): Candidate {
  if (bytes.length > maxTransactionBytes)
    throw new Fault("oversize", { sizeBytes: bytes.length, mostBytes: maxTransactionBytes });
  const known = decodedOnce.get(bytes);
  if (known !== undefined) return known;
  const transaction = decodeTransaction(bytes, maxTransactionBytes, nodeSha256);
  const operationHashes = operationBytes(transaction.bodyBytes).map(nodeSha256);
  const candidate = { bytes, hash: nodeSha256(bytes), transaction, operationHashes, idKey: idKeyOf(transaction.id) };
  decodedOnce.set(bytes, candidate);
  return candidate;
}

/** The same, with the fault as a value: in a decided block it is an outcome. */
export function decodeOrFault(bytes: Bytes, parameters: Parameters): Candidate | Fault {
  try {
    return candidateOf(bytes, parameters);
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
}
