/**
 * The depositor's side of a deposit in bulk: the keys of many records are split, and each custodian gets its shares of all of them in one request.
 * Source: requirements C3, J9; design.md, "Consent, access, custody".
 */
import type { CustodyReference, PublicKey, SuiteId } from "@xinglin/contracts";
import { hpkeSeal, KEY_BYTES, NONCE_BYTES, randomBytes, type Signer, sealWithNonce, splitKey, verify } from "@xinglin/crypto";
import { keyId, sha256 } from "@xinglin/crypto/pure";
import { type ActorId, type Bytes, cbor, equal, Fault, invariant, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import {
  BULK_EPOCH,
  type BulkDepositBody,
  type BulkDepositReceipt,
  bulkDepositInfo,
  type CommittedShare,
  encodeRows,
  MAX_BULK_SHARES,
} from "./bulk-contract.ts";
import type { ShareRecipient } from "./client.ts";
import * as contract from "./contract.ts";

/** A record with its 32-byte content key. */
export interface KeyedRecord {
  readonly record: RecordId;
  readonly contentKey: Bytes;
}

/** The references that the leaves name, in the order of the records, and each custodian's request. */
export interface PreparedBulkDeposits {
  readonly custodies: readonly CustodyReference[];
  readonly request: (custodian: ActorId, state: contract.ProvenState) => Bytes;
  /** Whether `answer` is the custodian's signature, by one of its `signingKeys`, that it holds exactly these shares. */
  readonly isReceipt: (custodian: ActorId, answer: Bytes, signingKeys: readonly PublicKey[]) => Promise<boolean>;
}

/** Splits the keys of at most `MAX_BULK_SHARES` new records among the recipients and signs what each one gets. Do this before the batch is anchored. */
export async function prepareBulkDeposits(options: {
  chain: string;
  records: readonly KeyedRecord[];
  threshold: number;
  recipients: readonly ShareRecipient[];
  depositor: { actor: ActorId; signer: Signer };
  time: UnixSeconds;
}): Promise<PreparedBulkDeposits> {
  const { chain, records, threshold, recipients, depositor, time } = options;
  invariant(records.length >= 1 && records.length <= MAX_BULK_SHARES, "bulk deposit: number of records");
  const rowsOf: CommittedShare[][] = recipients.map(() => []);
  const custodies: CustodyReference[] = [];
  const custodians = recipients.map(({ id }) => id);
  for (const { record, contentKey } of records) {
    const { root, openings } = await splitKey(contentKey, threshold, recipients.length);
    custodies.push({ epoch: BULK_EPOCH, threshold, custodians, commitments: root });
    for (const opening of openings) rowsOf[opening.index]?.push({ record, commitments: root, opening });
  }
  const suite = depositor.signer.suite as SuiteId;
  const signed = new Map<ActorId, { body: Bytes; signature: Bytes }>();
  await Promise.all(
    recipients.map(async (recipient, index) => {
      const rows = rowsOf[index] as CommittedShare[];
      const bound = { chain, custodian: recipient.id, index, count: recipients.length, shares: rows.length };
      const { sealedKey, sealed } = await sealRows(rows, recipient.hpke, bulkDepositInfo(bound));
      const body = cbor.encode({
        type: "xinglin-bulk-deposit/1",
        ...bound,
        sealedKey,
        sealed,
        depositor: { actor: depositor.actor, key: keyId(suite, depositor.signer.publicKey), suite },
        time,
      } satisfies BulkDepositBody);
      signed.set(recipient.id, { body, signature: await depositor.signer.sign(body) });
    }),
  );
  return {
    custodies,
    request(custodian, state) {
      const found = signed.get(custodian);
      if (found === undefined) throw new Fault("not_a_custodian", { custodian });
      return cbor.encode({ ...found, state });
    },
    async isReceipt(custodian, answer, signingKeys) {
      const body = signed.get(custodian)?.body;
      if (body === undefined) return false;
      const told = {
        type: "xinglin-bulk-deposit-receipt/1",
        chain,
        custodian,
        deposit: sha256(body),
        shares: records.length,
      } as const;
      try {
        const { receipt, signature } = contract.read(contract.depositAnswer, answer);
        if (!equal(receipt, cbor.encode(told satisfies BulkDepositReceipt))) return false;
        const right = await Promise.all(signingKeys.map(({ suite, key }) => verify(suite, key, receipt, signature)));
        return right.includes(true);
      } catch (error) {
        if (error instanceof Fault) return false;
        throw error;
      }
    },
  };
}

/** One key for all rows, used once, so that the nonce may be constant; what was secret is overwritten. */
async function sealRows(rows: readonly CommittedShare[], hpke: Bytes, info: Bytes): Promise<{ sealedKey: Bytes; sealed: Bytes }> {
  const key = randomBytes(KEY_BYTES);
  const plain = encodeRows(rows);
  for (const { opening } of rows) opening.share.fill(0);
  const sealed = await sealWithNonce(key, new Uint8Array(NONCE_BYTES), plain, info);
  plain.fill(0);
  const sealedKey = await hpkeSeal(hpke, info, new Uint8Array(), key);
  key.fill(0);
  return { sealedKey, sealed };
}
