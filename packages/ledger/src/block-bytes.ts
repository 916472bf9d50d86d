/**
 * Reads back the protobuf bytes of a block that this node wrote itself.
 * Source: CometBFT v0.40 proto `tendermint.types.Block` (header 1, data 2, evidence 3, last_commit 4), `Data` (txs 1).
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, invariant } from "@xinglin/primitives";

const HEADER_FIELD = 1;
const DATA_FIELD = 2;
const LAST_COMMIT_FIELD = 4;
const TXS_FIELD = 1;
const DELIMITED = 2;

/** The block in these bytes. Transactions are views into them. A shape that `encodeBlock` does not write is a bug. */
export function decodeBlock(bytes: Bytes): cometbft.Block {
  let header: cometbft.Header | undefined;
  let lastCommit: cometbft.Commit = cometbft.NO_COMMIT;
  let txs: Bytes[] = [];
  for (const { field, value } of fieldsOf(bytes)) {
    if (field === HEADER_FIELD) header = cometbft.decodeHeader(value);
    else if (field === DATA_FIELD) txs = fieldsOf(value).map(({ value: tx }) => tx);
    else if (field === LAST_COMMIT_FIELD) lastCommit = isFirst(header) ? cometbft.NO_COMMIT : cometbft.decodeCommit(value);
  }
  invariant(header !== undefined, "block: no header");
  return { header, txs, lastCommit };
}

const isFirst = (header: cometbft.Header | undefined): boolean => header?.height === 1;

/** The length-delimited fields of a message, in order. */
function fieldsOf(bytes: Bytes): { field: number; value: Bytes }[] {
  const fields: { field: number; value: Bytes }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at++] as number;
    invariant((tag & 7) === DELIMITED && tag >> 3 >= TXS_FIELD, "block: unexpected field");
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++];
      invariant(byte !== undefined && shift < 35, "block: truncated");
      length += (byte & 127) * 2 ** shift;
      if (byte < 128) break;
    }
    invariant(at + length <= bytes.length, "block: truncated");
    fields.push({ field: tag >> 3, value: bytes.subarray(at, at + length) });
    at += length;
  }
  return fields;
}
