/**
 * What the wallet holds: one key for each pseudonym, and the chain that the patient was enrolled on.
 * Source: requirement B1; design.md, "Identity" (pairwise pseudonyms, each with its own key).
 */
import type { ActorId, Bytes, MemberId } from "@xinglin/primitives";

/** A WebCrypto pair whose private half can't leave the browser. */
export interface DeviceKey {
  readonly kind: "device";
  readonly pair: CryptoKeyPair;
}
/** A passkey: the private half is the authenticator's. */
export interface PasskeyKey {
  readonly kind: "passkey";
  readonly credentialId: Bytes;
  /** Compressed point. */
  readonly publicKey: Bytes;
}
export type WalletKey = DeviceKey | PasskeyKey;
export type KeyKind = WalletKey["kind"];

/**
 * `pending`: the key was made, and whether the chain took it is not known yet. `enrolled`: it signs. `retired`: another key has taken its
 * place, so it signs nothing any more.
 */
export type HoldingState = "pending" | "enrolled" | "retired";

/** One pseudonym of the patient: whose it is at which institution, and its key. */
export interface Holding {
  readonly patient: ActorId;
  readonly member: MemberId;
  /** Chain id from the enrolment link: it pins the genesis that everything is verified against. */
  readonly chain: string;
  readonly state: HoldingState;
  readonly key: WalletKey;
  /** When it was put here, in milliseconds since 1970. */
  readonly addedAt: number;
}
