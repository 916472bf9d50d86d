/**
 * The one-time link that makes a browser or phone the patient's key. The one-time keys are in the fragment, which a browser never sends;
 * each can do nothing but enrol one key, once, until it expires. Source: design.md, "Identity".
 */
import { ed25519Signer, randomBytes } from "@xinglin/crypto";
import {
  type ActorId,
  actorId,
  type Bytes,
  cbor,
  Fault,
  fromBase64url,
  type Infer,
  type MemberId,
  memberId,
  schema,
  toBase64url,
} from "@xinglin/primitives";
import type { Identity } from "./identity.ts";

/** A patient has one pseudonym an institution; one link enrols a key of its own for each. */
const linkContent = schema.object({
  chain: schema.text(50),
  pseudonyms: schema.list(schema.object({ patient: actorId, member: memberId, seed: schema.bytes(32) }), 16, 1),
  /** A recent block that whoever made the link vouches for: on an old chain the page's trust begins there, not at the genesis. */
  checkpoint: schema.optional(schema.object({ height: schema.uint(Number.MAX_SAFE_INTEGER, 1), hash: schema.bytes(32) })),
});
export type EnrolmentLink = Infer<typeof linkContent>;

/** A fresh one-time key: its public half goes into the chain, its seed into the link. */
export function oneTimeKey(): { seed: Bytes; publicKey: { suite: "ed25519"; key: Bytes } } {
  const seed = randomBytes(32);
  return { seed, publicKey: { suite: "ed25519", key: ed25519Signer(seed).publicKey } };
}

/** `{page}#enrol=…` */
export const encodeEnrolmentLink = (page: string, link: EnrolmentLink): string =>
  `${page}#enrol=${toBase64url(cbor.encode(link))}`;

/** Reads the fragment of a link. Throws `Fault("enrolment_link_wrong")`. */
export function decodeEnrolmentLink(fragment: string): EnrolmentLink {
  const match = /^#?enrol=([A-Za-z0-9_-]+)$/.exec(fragment);
  try {
    return linkContent.parse(cbor.decode(fromBase64url(match?.[1] ?? ""), 4096));
  } catch (cause) {
    throw new Fault("enrolment_link_wrong", {}, { cause });
  }
}

/** The one-time identity that signs `enrolKey` for a pseudonym. */
export const enrolmentIdentity = (pseudonym: { patient: ActorId; member: MemberId; seed: Bytes }): Identity => ({
  actor: pseudonym.patient,
  member: pseudonym.member,
  signer: ed25519Signer(pseudonym.seed),
});
