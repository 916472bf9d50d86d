/**
 * How the transactions of a block came out, as the database keeps it beside the block: from this and the audit log any receipt can be
 * told again. Source: design.md, "Execution".
 */

import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft, merkle } from "@xinglin/crypto/pure";
import { type Bytes, cbor, invariant, schema } from "@xinglin/primitives";

const MAX_TRANSACTIONS = 1 << 20;

const shape = schema.object({
  time: schema.object({ seconds: schema.uint(), nanos: schema.uint(999_999_999) }),
  /** Entries in the log before this block. */
  first: schema.uint(),
  /** Operations decided for each transaction, two bytes each, big-endian; 0 if it was turned away. */
  operations: schema.bytes(0, 2 * MAX_TRANSACTIONS),
  /** Why transactions were turned away, by their index. */
  turnedAway: schema.list(schema.object({ index: schema.uint(), code: schema.text(64) }), MAX_TRANSACTIONS),
});

/** The outcome of one transaction of a block: so many operations decided, or turned away with a code. */
export type TransactionResult = { readonly operations: number } | { readonly code: string };

/** The outcome of a block. */
export interface BlockResults {
  readonly time: cometbft.Time;
  /** Entries in the audit log before this block. */
  readonly first: number;
  readonly transactions: readonly TransactionResult[];
}

export function encodeResults({ time, first, transactions }: BlockResults): Bytes {
  const operations = Buffer.alloc(2 * transactions.length);
  const turnedAway: { index: number; code: string }[] = [];
  for (const [index, result] of transactions.entries()) {
    if ("code" in result) turnedAway.push({ index, code: result.code });
    else operations.writeUInt16BE(result.operations, 2 * index);
  }
  return cbor.encode({ time: { seconds: time.seconds, nanos: time.nanos }, first, operations, turnedAway });
}

export function decodeResults(bytes: Bytes): BlockResults {
  const { time, first, operations, turnedAway } = shape.parse(cbor.decodeTrusted(bytes));
  const counts = Buffer.from(operations.buffer, operations.byteOffset, operations.byteLength);
  const codes = new Map(turnedAway.map(({ index, code }) => [index, code]));
  const transactions = Array.from({ length: counts.length / 2 }, (_, i): TransactionResult => {
    const code = codes.get(i);
    return code === undefined ? { operations: counts.readUInt16BE(2 * i) } : { code };
  });
  return { time, first, transactions };
}

/** Finds the entries of each transaction of a block; built once a block, linear in its transactions. */
export class ResultIndex {
  readonly results: BlockResults;
  /** Index in the block of the n-th transaction that was not turned away, and where in the log its entries begin. */
  readonly #included: readonly { readonly index: number; readonly first: number; readonly operations: number }[];

  constructor(results: BlockResults) {
    this.results = results;
    const included: { index: number; first: number; operations: number }[] = [];
    let first = results.first;
    for (const [index, result] of results.transactions.entries()) {
      if ("code" in result) continue;
      included.push({ index, first, operations: result.operations });
      first += result.operations;
    }
    this.#included = included;
  }

  /** The n-th transaction that was not turned away. */
  included(n: number): { readonly index: number; readonly first: number; readonly operations: number } {
    const found = this.#included[n];
    invariant(found !== undefined, "results: an included transaction has no result");
    return found;
  }
}

const NOTHING = new Uint8Array(0);
const DECIDED: cometbft.TxResult = { code: 0, data: NOTHING, gasWanted: 0, gasUsed: 0 };
const TURNED_AWAY: cometbft.TxResult = { ...DECIDED, code: 1 };

/** `Header.lastResultsHash` of the next block. Outcomes of operations stand in the audit log, under the app hash. */
export function resultsHash(transactions: readonly TransactionResult[]): Bytes {
  if (transactions.length > 0 && transactions.every((result) => !("code" in result))) return allDecidedHash(transactions.length);
  return cometbft.resultsHash(
    transactions.map((result) => ("code" in result ? TURNED_AWAY : DECIDED)),
    nodeSha256,
  );
}

/** The same tree over `size` equal leaves: its complete halves are equal, so a handful of hashes is enough. */
function allDecidedHash(size: number): Bytes {
  const known = DECIDED_HASHES.get(size);
  if (known !== undefined) return known;
  const left = 2 ** (Math.ceil(Math.log2(size)) - 1);
  const root =
    size === 1 ? cometbft.resultsHash([DECIDED]) : merkle.nodeHash(allDecidedHash(left), allDecidedHash(size - left), nodeSha256);
  // Powers of two are what all other sizes are made of.
  if (Number.isInteger(Math.log2(size))) DECIDED_HASHES.set(size, root);
  return root;
}
const DECIDED_HASHES = new Map<number, Bytes>();
