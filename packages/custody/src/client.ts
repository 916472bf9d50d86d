/**
 * The other side of a custodian: what a hospital sends to deposit the shares of a new content key, and what a reader does with the shares
 * that are released. Source: design.md, "Consent, access, custody".
 */
import type { CustodyReference, Permit, PublicKey, SuiteId } from "@xinglin/contracts";
import { checkShare, combineShares, hpkeOpen, hpkeSeal, type ShareOpening, type Signer, splitKey, verify } from "@xinglin/crypto";
import { keyId } from "@xinglin/crypto/pure";
import { type ActorId, type Bytes, cbor, equal, Fault, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import * as contract from "./contract.ts";
import { encodeKeyShareInfo } from "./share-info.ts";

export { type KeyedRecord, type PreparedBulkDeposits, prepareBulkDeposits } from "./bulk-client.ts";
export { MAX_BULK_SHARES } from "./bulk-contract.ts";
export { depositAnswer, depositReceipt, erasureAnswer, type ProvenState, read, releaseAnswer } from "./contract.ts";

/** Where a share goes: the custodian and its X-Wing public key. */
export interface ShareRecipient {
  readonly id: ActorId;
  readonly hpke: Bytes;
}

/** The reference that the anchor names, and each custodian's request once the depositor's own state is proven. */
export interface PreparedDeposits {
  readonly custody: CustodyReference;
  readonly request: (custodian: ActorId, state: contract.ProvenState) => Bytes;
  /** Whether `answer` is the custodian's signature, by one of its `signingKeys`, that it holds exactly this share. */
  readonly isReceipt: (custodian: ActorId, answer: Bytes, signingKeys: readonly PublicKey[]) => Promise<boolean>;
}

/**
 * Splits a 32-byte content key so that `threshold` of the recipients can restore it, seals each share to its custodian and signs each
 * deposit. The shares exist nowhere else. Do this before the record is anchored: an anchor must never name shares nobody holds.
 */
export async function prepareDeposits(options: {
  chain: string;
  record: RecordId;
  version: number;
  epoch: number;
  contentKey: Bytes;
  threshold: number;
  recipients: readonly ShareRecipient[];
  depositor: { actor: ActorId; signer: Signer };
  time: UnixSeconds;
}): Promise<PreparedDeposits> {
  const { chain, record, version, epoch, threshold, recipients, depositor, time } = options;
  const { root, openings } = await splitKey(options.contentKey, threshold, recipients.length);
  const suite = depositor.signer.suite as SuiteId;
  const signed = new Map<ActorId, { body: Bytes; signature: Bytes }>();
  await Promise.all(
    recipients.map(async (recipient, index) => {
      const info = encodeKeyShareInfo({ chain, record, version, epoch, custodian: recipient.id, index });
      const body = cbor.encode({
        type: "xinglin-deposit/1",
        chain,
        custodian: recipient.id,
        record,
        version,
        epoch,
        threshold,
        count: recipients.length,
        commitments: root,
        index,
        sealed: await hpkeSeal(recipient.hpke, info, new Uint8Array(), cbor.encode(openings[index])),
        depositor: { actor: depositor.actor, key: keyId(suite, depositor.signer.publicKey), suite },
        time,
      } satisfies contract.DepositBody);
      signed.set(recipient.id, { body, signature: await depositor.signer.sign(body) });
    }),
  );
  return {
    custody: { epoch, threshold, custodians: recipients.map(({ id }) => id), commitments: root },
    request(custodian, state) {
      const found = signed.get(custodian);
      if (found === undefined) throw new Fault("not_a_custodian", { custodian });
      return cbor.encode({ ...found, state });
    },
    async isReceipt(custodian, answer, signingKeys) {
      const index = recipients.findIndex(({ id }) => id === custodian);
      const told = {
        type: "xinglin-deposit-receipt/1",
        chain,
        custodian,
        record,
        version,
        epoch,
        index,
        commitments: root,
      } as const;
      try {
        const { receipt, signature } = contract.read(contract.depositAnswer, answer);
        if (!equal(receipt, cbor.encode(told satisfies contract.DepositReceipt))) return false;
        const right = await Promise.all(signingKeys.map(({ suite, key }) => verify(suite, key, receipt, signature)));
        return right.includes(true);
      } catch (error) {
        if (error instanceof Fault) return false;
        throw error;
      }
    },
  };
}

/** The request that asks one custodian to release its share for a permit. */
export const releaseRequest = (request: contract.ReleaseRequest): Bytes => cbor.encode(request);

/** The request that asks one custodian to erase its share. */
export const erasureRequest = (request: {
  chain: string;
  custodian: ActorId;
  record: RecordId;
  version: number;
  state: contract.ProvenState;
}): Bytes => cbor.encode(request);

/**
 * Opens the released shares and restores the content key. A share that is not the committed one is named by `share_wrong` and left out;
 * fewer than the threshold of right ones is `too_few_shares`.
 */
export async function restoreContentKey(options: {
  chain: string;
  permit: Permit;
  patient: ActorId;
  number: number;
  hpkePrivateKey: Bytes;
  answers: readonly { custodian: ActorId; answer: Bytes }[];
}): Promise<{ contentKey: Bytes; wrong: ActorId[] }> {
  const { chain, permit, patient, number } = options;
  const { record } = permit.target;
  const version = permit.target.kind === "record" ? permit.target.version : 1;
  const { epoch, threshold, custodians, commitments } = permit.custody;
  const right: ShareOpening[] = [];
  const wrong: ActorId[] = [];
  for (const { custodian, answer } of options.answers) {
    try {
      const { index, sealed } = contract.read(contract.releaseAnswer, answer);
      const info = encodeKeyShareInfo({ chain, record, version, epoch, custodian, index, permit: { patient, number } });
      const opening = contract.read(
        contract.shareOpening,
        await hpkeOpen(options.hpkePrivateKey, info, new Uint8Array(), sealed),
      );
      const committed =
        custodians[opening.index] === custodian && opening.index === index && checkShare(opening, commitments, custodians.length);
      if (!committed) throw new Fault("share_wrong", { index });
      right.push(opening);
    } catch {
      wrong.push(custodian);
    }
  }
  if (right.length < threshold) throw new Fault("too_few_shares", { right: right.length, threshold, wrong: wrong.join(",") });
  return { contentKey: await combineShares(right, threshold, commitments, custodians.length), wrong };
}
