/**
 * Reading a record that lies elsewhere: ask, collect the shares that the permit opens, restore the key, fetch and check the pieces.
 * The private key that opens the shares is made for one request and never leaves this process.
 * Source: requirements C2, C3, D5; design.md, "Consent, access, custody".
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type ReadOutcome, retrieve, retrieveRecord, type Selection } from "@xinglin/archive";
import { type Identity, type Receipt, TrustedChain } from "@xinglin/client";
import {
  keys,
  type Permit,
  type Purpose,
  permit as permitSchema,
  type RecordClass,
  type RequestTarget,
} from "@xinglin/contracts";
import { hpkeKeyPair } from "@xinglin/crypto";
import { sha256 } from "@xinglin/crypto/pure";
import { writeFileDurably } from "@xinglin/custody";
import { read as readCustody, releaseAnswer, releaseRequest, restoreContentKey } from "@xinglin/custody/client";
import { type ActorId, type CredentialId, cbor, equal, Fault } from "@xinglin/primitives";
import { askCustodians, proveState } from "./custodians.ts";
import type { Gateway } from "./keep-record.ts";
import { within } from "./stream-object.ts";

/** What is wanted, and why. Never a consent: the block finds it. */
export interface ReadRequest {
  readonly patient: ActorId;
  readonly purpose: Purpose;
  readonly class: RecordClass;
  readonly target: RequestTarget;
  readonly credential: CredentialId;
  /** The review or ethics approval that it rests on. */
  readonly approval?: CredentialId;
}

/** A permit with the key that opens what it releases. Keep it in memory only. */
export interface HeldPermit {
  readonly patient: ActorId;
  readonly number: number;
  readonly permit: Permit;
  readonly receipt: Receipt;
  readonly hpkePrivateKey: Uint8Array;
}

/**
 * Asks for a record. A refusal is a decision, on the record and provable: it comes back as the receipt, not as an error.
 */
export async function requestRead(
  gateway: Gateway,
  by: Identity,
  request: ReadRequest,
): Promise<{ permitted: true; held: HeldPermit } | { permitted: false; receipt: Receipt }> {
  const { client } = gateway;
  const pair = await hpkeKeyPair();
  const receipt = await client.submit(by, [{ op: "requestAccess", ...request, hpke: pair.publicKey }]);
  const [result] = receipt.results;
  if (result === undefined) throw new Fault("receipt_missing", { id: receipt.id });
  const { number } = result.subject;
  if (result.outcome === "refused" || number === undefined) return { permitted: false, receipt };
  const proof = await (await TrustedChain.of(client)).prove(by, keys.access(request.patient, number));
  if (proof.value === undefined) throw new Fault("proof_wrong", { key: keys.access(request.patient, number) });
  const permit = permitSchema.parse(cbor.decodeTrusted(proof.value));
  // The number came from the server: a permit that pins another key is not the answer to this request.
  if (!equal(permit.hpke, sha256(pair.publicKey))) throw new Fault("proof_wrong", { key: keys.access(request.patient, number) });
  return { permitted: true, held: { patient: request.patient, number, permit, receipt, hpkePrivateKey: pair.privateKey } };
}

/** What came of collecting the shares: the key, who gave one, and who did not and why. */
export interface RedeemedPermit {
  readonly contentKey: Uint8Array;
  readonly released: readonly ActorId[];
  readonly refused: readonly { custodian: ActorId; code: string }[];
}

/**
 * Collects the shares of a permit from its custodians and restores the content key; submits the custodians' release receipts.
 * Faults: `releases_refused` when fewer than the threshold released theirs, with the codes; `share_wrong` names a custodian.
 */
export async function redeemPermit(gateway: Gateway, by: Identity, held: HeldPermit): Promise<RedeemedPermit> {
  const { client } = gateway;
  const { patient, number, permit } = held;
  const { chainId } = await client.genesis();
  const publicKey = (await hpkeKeyPair(held.hpkePrivateKey)).publicKey;
  const custodians = permit.custody.custodians;
  const answers = await askCustodians(
    client,
    custodians,
    "releases",
    () => proveState(client, by, keysOfPermit(held)),
    (custodian, state) => releaseRequest({ chain: chainId, custodian, patient, number, hpke: publicKey, state }),
  );
  const released = answers.flatMap(({ custodian, answer }) => (answer === undefined ? [] : [{ custodian, answer }]));
  const refused = answers.flatMap(({ custodian, refusal }) => (refusal === undefined ? [] : [{ custodian, code: refusal.code }]));
  if (released.length < permit.custody.threshold)
    throw new Fault("releases_refused", {
      released: released.length,
      threshold: permit.custody.threshold,
      codes: [...new Set(refused.map(({ code }) => code))].join(","),
    });
  const { contentKey, wrong } = await restoreContentKey({
    chain: chainId,
    permit,
    patient,
    number,
    hpkePrivateKey: held.hpkePrivateKey,
    answers: released,
  });
  await submitReceipts(client, released);
  return {
    contentKey,
    released: released.map(({ custodian }) => custodian).filter((custodian) => !wrong.includes(custodian)),
    refused: [...refused, ...wrong.map((custodian) => ({ custodian, code: "share_wrong" }))],
  };
}

/** The custodians' signed release receipts go on the chain. The permit already counts as the read, so one that is turned away changes nothing. */
async function submitReceipts(client: Gateway["client"], released: readonly { answer: Uint8Array }[]): Promise<void> {
  await Promise.allSettled(
    released.map(({ answer }) => client.postBytes("/v1/transactions", readCustody(releaseAnswer, answer).transaction)),
  );
}

/** The state that a custodian looks at before it releases, in the order of its checks. */
function keysOfPermit({ patient, number, permit }: HeldPermit): string[] {
  const { grantee, target } = permit;
  return [
    keys.access(patient, number),
    keys.consentHead(patient),
    keys.actor(grantee.actor),
    keys.member(grantee.member),
    keys.credential(grantee.credential),
    keys.record(target.record),
    ...permit.custody.custodians.map((custodian) => keys.custodian(custodian)),
  ];
}

/** Where a DICOM Part 10 file says that it is one. */
const DICM_AT = 128;

/**
 * Fetches the permitted object into `folder`, or what of it `only` chooses (a series, an instance, some files, a range), without reading the
 * rest. Every piece is checked against the anchored root and every whole file against its hash. A record inside a pack is read whole; it, or the range of it, goes into one file named as the record.
 */
export async function fetchObject(
  gateway: Gateway,
  permit: Permit,
  contentKey: Uint8Array,
  folder: string,
  by: Identity,
  onProgress?: (doneBytes: number, totalBytes: number) => void,
  only?: Selection,
): Promise<ReadOutcome> {
  const { id, slice, ...reference } = permit.object;
  const { readable } = await gateway.stores(by);
  if (slice !== undefined) {
    const { content, outcome } = await retrieveRecord({ reference, packId: id, slice }, contentKey, readable);
    mkdirSync(folder, { recursive: true });
    const ending = Buffer.from(content.subarray(DICM_AT, DICM_AT + 4)).equals(Buffer.from("DICM")) ? "dcm" : "json";
    writeFileDurably(
      join(folder, `${permit.target.record}.${ending}`),
      only !== undefined && "start" in only ? within(content, only) : content,
    );
    return outcome;
  }
  const options = { ...(only === undefined ? {} : { only }), ...(onProgress === undefined ? {} : { onProgress }) };
  return retrieve(reference, id, contentKey, readable, folder, options);
}
