/**
 * Whether a transaction may be included at all: asked by `CheckTx` of the last committed state, and again in the block of the state there. What
 * is turned away here leaves no trace. Signatures, the replay set and quotas are the ledger's own.
 * Source: design.md, "Execution" and "Transactions".
 */
import { keyId } from "@xinglin/crypto/pure";
import {
  type ActorId,
  accept,
  type Height,
  invariant,
  type MemberId,
  type Result,
  refuse,
  type UnixSeconds,
} from "@xinglin/primitives";
import type { Facts } from "./model/access.ts";
import type { Actor, PublicKey } from "./model/actor.ts";
import { getActor, getMember, getParameters } from "./reads.ts";
import type { BlockContext, Caller, StateReader } from "./rule.ts";
import type { SignerReference, Transaction } from "./transaction.ts";

/** In the order of the checks. Wire values: append, never reuse. */
export const ADMISSION_CODES = [
  "wrong_chain",
  "oversize",
  "expired",
  "too_far_ahead",
  "unknown_signer",
  "signer_suspended",
  "sponsor_unknown",
  "sponsor_not_yours",
  "sponsor_suspended",
  "unknown_key",
  "key_retired",
  "suite_mismatch",
  "unknown_device",
  "device_not_of_member",
  "device_suspended",
] as const;
export type AdmissionCode = (typeof ADMISSION_CODES)[number];

/** Why a transaction is turned away, with the facts it rests on. */
export interface Admission {
  readonly code: AdmissionCode;
  readonly facts: Facts;
}

/** Who signed, and the keys with which the ledger must verify the signatures over the body. */
export interface Admitted extends Caller {
  /** The signer's key: one of the actor's, or its one-time enrolment key. */
  readonly publicKey: PublicKey;
  /** The device's key, where the transaction names a device. */
  readonly devicePublicKey?: PublicKey;
}

const no = (code: AdmissionCode, facts: Facts = {}): { readonly ok: false; readonly refusal: Admission } =>
  refuse({ code, facts });

/**
 * Checks chain, size, validity, signer, sponsor and device. `sizeBytes` is the length of the transaction as submitted; `block` the one in which it is to be
 * included, or for `CheckTx` the next.
 */
export function admit(
  state: StateReader,
  { body }: Transaction,
  block: BlockContext,
  sizeBytes: number,
): Result<Admitted, Admission> {
  if (body.chain !== block.chain) return no("wrong_chain", { chain: block.chain });
  const parameters = getParameters(state);
  invariant(parameters !== undefined, "a chain has parameters");
  const { maxTransactionBytes, maxValiditySeconds, maxValidityBlocks } = parameters;
  if (sizeBytes > maxTransactionBytes) return no("oversize", { sizeBytes, mostBytes: maxTransactionBytes });
  const { time, height } = body.notAfter;
  if (isPast(time, height, block)) return no("expired", { time, height, blockTime: block.time, blockHeight: block.height });
  if (time > block.time + maxValiditySeconds || height > block.height + maxValidityBlocks)
    return no("too_far_ahead", { mostSeconds: maxValiditySeconds, mostBlocks: maxValidityBlocks });
  return callerOf(state, body);
}

/** Whether the last time or height at which a transaction may be included lies before the block. */
export const isPast = (time: UnixSeconds, height: Height, block: BlockContext): boolean =>
  block.time > time || block.height > height;

/**
 * Who signs a body, if actor, key, sponsor and device are in force. A suspended member's staff, devices, custodians and administration can't act; its patients
 * can, so that no penalty of an institution keeps a patient from revoking.
 */
export function callerOf(
  state: StateReader,
  body: { readonly signer: SignerReference; readonly device?: SignerReference; readonly sponsor: MemberId },
): Result<Admitted, Admission> {
  const { signer, device, sponsor } = body;
  const actor = getActor(state, signer.actor);
  if (actor === undefined) return no("unknown_signer", { actor: signer.actor });
  if (actor.status !== "active") return no("signer_suspended", { actor: signer.actor });
  const member = getMember(state, sponsor);
  if (member === undefined) return no("sponsor_unknown", { member: sponsor });
  if (actor.member !== sponsor) return no("sponsor_not_yours", { member: sponsor });
  if (member.status !== "active" && actor.kind !== "patient") return no("sponsor_suspended", { member: sponsor });
  const key = signingKey(actor, signer);
  if (!key.ok) return key;
  const caller = {
    actorId: signer.actor,
    actor,
    key: signer.key,
    byEnrolment: key.value.byEnrolment,
    sponsor,
    publicKey: key.value.publicKey,
  };
  if (device === undefined) return accept(caller);
  const deviceKey = signingDevice(state, device, sponsor);
  if (!deviceKey.ok) return deviceKey;
  return accept({ ...caller, device: device.actor, devicePublicKey: deviceKey.value });
}

function signingDevice(state: StateReader, device: SignerReference, sponsor: MemberId): Result<PublicKey, Admission> {
  const facts: { readonly actor: ActorId } = { actor: device.actor };
  const actor = getActor(state, device.actor);
  if (actor?.kind !== "device") return no("unknown_device", facts);
  if (actor.member !== sponsor) return no("device_not_of_member", facts);
  if (actor.status !== "active") return no("device_suspended", facts);
  const key = signingKey(actor, device);
  if (!key.ok) return key;
  // A work station that is only being enrolled does not yet vouch for anything.
  return key.value.byEnrolment ? no("unknown_key", { ...facts, key: device.key }) : accept(key.value.publicKey);
}

function signingKey(
  actor: Actor,
  { actor: id, key, suite }: SignerReference,
): Result<{ publicKey: PublicKey; byEnrolment: boolean }, Admission> {
  const known = actor.keys.find((candidate) => candidate.id === key);
  if (known !== undefined) {
    if (known.until !== undefined) return no("key_retired", { actor: id, key, until: known.until });
    return known.publicKey.suite === suite
      ? accept({ publicKey: known.publicKey, byEnrolment: false })
      : no("suite_mismatch", { actor: id, key, suite: known.publicKey.suite });
  }
  const oneTime = actor.enrolment?.publicKey;
  if (oneTime === undefined || keyId(oneTime.suite, oneTime.key) !== key) return no("unknown_key", { actor: id, key });
  return oneTime.suite === suite
    ? accept({ publicKey: oneTime, byEnrolment: true })
    : no("suite_mismatch", { actor: id, key, suite: oneTime.suite });
}
