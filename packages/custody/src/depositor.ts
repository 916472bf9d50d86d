/** Who may deposit shares. Source: requirement C3; design.md, "Consent, access, custody". */
import { actor as actorEntry, keys, member as memberEntry, type SuiteId } from "@xinglin/contracts";
import { verifyWith } from "@xinglin/crypto";
import { type ActorId, type Bytes, Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import type { ChainFollower, ChainTrust, ChainView } from "./chain-view.ts";

/** A deposit is signed at most this long before it arrives. */
const MAX_DEPOSIT_AGE_SECONDS = 120;

/** A signed deposit, of one share or of many. */
export interface SignedDeposit {
  readonly body: Bytes;
  readonly signature: Bytes;
  readonly depositor: { readonly actor: ActorId; readonly key: string; readonly suite: SuiteId };
  readonly time: UnixSeconds;
}

/**
 * The depositor's member. Patients and custodians anchor no records, so they deposit nothing. Faults: `deposit_stale`, `depositor_not_in_force`,
 * `signature_wrong`.
 */
export function requireDepositor(view: ChainView, chain: ChainFollower, trust: ChainTrust, signed: SignedDeposit): MemberId {
  const { depositor, time } = signed;
  if (Math.abs(trust.now() - time) > MAX_DEPOSIT_AGE_SECONDS) throw new Fault("deposit_stale", { time }, { retry: true });
  const actor = view.read(keys.actor(depositor.actor), actorEntry);
  const key = actor?.keys.find(({ id, until }) => id === depositor.key && until === undefined);
  if (actor?.kind === "patient" || actor?.kind === "custodian")
    throw new Fault("depositor_not_in_force", { actor: depositor.actor });
  if (actor?.status !== "active" || key === undefined || key.publicKey.suite !== depositor.suite)
    throw new Fault("depositor_not_in_force", { actor: depositor.actor });
  if (view.read(keys.member(actor.member), memberEntry)?.status !== "active")
    throw new Fault("depositor_not_in_force", { actor: depositor.actor });
  const { webauthn } = chain.genesis.parameters;
  if (!verifyWith(trust.curves, depositor.suite, key.publicKey.key, signed.body, signed.signature, webauthn))
    throw new Fault("signature_wrong", { actor: depositor.actor });
  return actor.member;
}
