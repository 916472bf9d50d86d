/** The custodian's side of a deposit in bulk: the rows are opened and every share is held against its commitments. Source: requirements C3, J9. */
import { checkShare, hpkeOpen, NONCE_BYTES, openWithNonce } from "@xinglin/crypto";
import { type Bytes, Fault } from "@xinglin/primitives";
import { type BulkDepositBody, bulkDepositInfo, type CommittedShare, decodeRows } from "./bulk-contract.ts";

/** Every share of a deposit. Faults: `share_sealed_wrong`, `share_wrong` for the first that is not the committed one, `malformed`. */
export async function openBulkDeposit(body: BulkDepositBody, hpkePrivateKey: Bytes): Promise<CommittedShare[]> {
  const { chain, custodian, index, count, shares } = body;
  const info = bulkDepositInfo({ chain, custodian, index, count, shares });
  const plain = await open(body, info, hpkePrivateKey);
  const rows = decodeRows(plain, shares, index);
  plain.fill(0);
  for (const { record, commitments, opening } of rows)
    if (!checkShare(opening, commitments, count)) throw new Fault("share_wrong", { index, record });
  return rows;
}

async function open({ sealedKey, sealed }: BulkDepositBody, info: Bytes, hpkePrivateKey: Bytes): Promise<Bytes> {
  try {
    const key = await hpkeOpen(hpkePrivateKey, info, new Uint8Array(), sealedKey);
    const plain = await openWithNonce(key, new Uint8Array(NONCE_BYTES), sealed, info);
    key.fill(0);
    return plain;
  } catch (cause) {
    throw new Fault("share_sealed_wrong", {}, { cause });
  }
}
