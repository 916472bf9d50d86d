/**
 * Deposits in bulk: the shares of many records' keys, for one custodian, in one signed request. One key is sealed to the custodian, and the shares
 * under that key, in rows of one length. Each is the first sharing of a record's first version, as a batch has them.
 * Source: requirements C3, J9; design.md, "Consent, access, custody".
 */
import { keyIdSchema, MAX_CUSTODIANS, SUITES } from "@xinglin/contracts";
import type { ShareOpening } from "@xinglin/crypto";
import { LONGEST_SIGNATURE_BYTES } from "@xinglin/crypto/pure";
import {
  type ActorId,
  actorId,
  type Bytes,
  cbor,
  concat,
  Fault,
  fromHex,
  type Infer,
  type RecordId,
  schema,
  toHex,
  unixSeconds,
} from "@xinglin/primitives";
import { provenState } from "./contract.ts";

/** Shares of one deposit: half a megabyte, so that the chain's proofs have room in the same request. */
export const MAX_BULK_SHARES = 2_048;
/** Version and epoch of everything that is deposited in bulk. */
export const BULK_VERSION = 1;
export const BULK_EPOCH = 1;
const RECORD_BYTES = 16;
const HASH_BYTES = 32;
/** Of a share of a 32-byte key. */
const SHARE_BYTES = 33;
const FIXED_BYTES = RECORD_BYTES + HASH_BYTES + SHARE_BYTES + HASH_BYTES;
/** Hashes from a share to the root of at most `MAX_CUSTODIANS`. */
const MAX_PATH = 4;
const MAX_SEALED_BYTES = MAX_BULK_SHARES * (FIXED_BYTES + MAX_PATH * HASH_BYTES) + 16;

const chain = schema.text(50);
const index = schema.uint(MAX_CUSTODIANS - 1);
const shares = schema.uint(MAX_BULK_SHARES, 1);

/** The signed part: `sealed` holds `shares` rows under the key in `sealedKey`. All shares are number `index` of `count`. */
export const bulkDepositBody = schema.object({
  type: schema.oneOf("xinglin-bulk-deposit/1"),
  chain,
  custodian: actorId,
  count: schema.uint(MAX_CUSTODIANS, 1),
  index,
  shares,
  sealedKey: schema.bytes(1136, 4096),
  sealed: schema.bytes(1, MAX_SEALED_BYTES),
  depositor: schema.object({ actor: actorId, key: keyIdSchema, suite: schema.oneOf(...SUITES) }),
  time: unixSeconds,
});
export type BulkDepositBody = Infer<typeof bulkDepositBody>;
/** An encoded body, its depositor's signature, and the state that shows who the depositor is. */
export const bulkDepositRequest = schema.object({
  body: schema.bytes(1, MAX_SEALED_BYTES + 16_384),
  signature: schema.bytes(64, LONGEST_SIGNATURE_BYTES),
  state: provenState,
});
/** What a custodian signs once it holds every share of the deposit whose body has this SHA-256. */
export const bulkDepositReceipt = schema.object({
  type: schema.oneOf("xinglin-bulk-deposit-receipt/1"),
  chain,
  custodian: actorId,
  deposit: schema.bytes(HASH_BYTES),
  shares,
});
export type BulkDepositReceipt = Infer<typeof bulkDepositReceipt>;

/** One record's share, with the root that it was committed to by. */
export interface CommittedShare {
  readonly record: RecordId;
  readonly commitments: Bytes;
  readonly opening: ShareOpening;
}

/** The HPKE `info`, and the data that the rows are bound to: they open at this custodian, as these shares and for nothing else. */
export const bulkDepositInfo = (bound: {
  chain: string;
  custodian: ActorId;
  index: number;
  count: number;
  shares: number;
}): Bytes => cbor.encode({ type: "xinglin-bulk-deposit/1", ...bound });

/** Rows of one length: record, root of the commitments, share, salt, path. All openings are of one index, so all paths have one length. */
export const encodeRows = (rows: readonly CommittedShare[]): Bytes =>
  concat(
    ...rows.map(({ record, commitments, opening }) =>
      concat(fromHex(record), commitments, opening.share, opening.salt, ...opening.path),
    ),
  );

/** The `shares` rows of `bytes`, of shares number `index`. Throws `Fault("malformed")`; whether a share is right is another question. */
export function decodeRows(bytes: Bytes, shares: number, index: number): CommittedShare[] {
  const rowBytes = bytes.length / shares;
  const hashes = (rowBytes - FIXED_BYTES) / HASH_BYTES;
  if (!Number.isInteger(hashes) || hashes < 0 || hashes > MAX_PATH)
    throw new Fault("malformed", { element: "sealed", expected: "rows of one length" });
  return Array.from({ length: shares }, (_, i) => {
    let at = i * rowBytes;
    const take = (length: number): Bytes => {
      at += length;
      return bytes.slice(at - length, at);
    };
    const record = toHex(take(RECORD_BYTES)) as RecordId;
    const commitments = take(HASH_BYTES);
    const opening = {
      index,
      share: take(SHARE_BYTES),
      salt: take(HASH_BYTES),
      path: Array.from({ length: hashes }, () => take(HASH_BYTES)),
    };
    return { record, commitments, opening };
  });
}
