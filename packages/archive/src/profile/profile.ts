/**
 * Which primitives an object is sealed and hashed with. Everything that seals, hashes, names or checks is given one of these; nothing else
 * knows which it is.
 * Source: requirement D9; docs/decisions/0013-national-profile.md.
 */
import { createHash, createHmac, type Hash, hash, hkdfSync } from "node:crypto";
import { type Infer, schema } from "@xinglin/primitives";
import { sha256 } from "../digest.ts";
import { type Aead, KEY_BYTES } from "./aead.ts";
import { AesGcm } from "./aes-gcm.ts";
import { Sm4CtrHmacSm3 } from "./sm4-ctr-hmac.ts";

/** Names of the profiles: AES-256-GCM and SHA-256; SM4 and SM3. */
export const PROFILES = ["standard", "national"] as const;
/** Which profile: chosen by an institution for what it archives from now on; every object says its own. */
export const profileName = schema.oneOf(...PROFILES);
export type ProfileName = Infer<typeof profileName>;

/** How a reference, a table's header and a manifest name their profile: `standard` by saying nothing, so that there is one way to say each. */
export const profileMark = schema.optional(schema.oneOf("national"));
/** What carries such a mark. */
export interface Marked {
  readonly profile?: Exclude<ProfileName, "standard">;
}

/** Functions of a profile. Digests, MACs and derived keys have 32 bytes. */
export interface Profile {
  readonly name: ProfileName;
  /** Whether digests are SHA-256: IPFS names blocks by that and takes no SM3. */
  readonly isSha256: boolean;
  /** Of pieces, nodes of trees and documents. */
  digest(bytes: Uint8Array): Uint8Array;
  /** The same of what comes bit by bit. */
  startDigest(): Hash;
  /** HMAC over these parts, one after the other. */
  mac(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Uint8Array;
  /** HKDF: a key of one purpose, for `aead` or as a secret of its own. */
  derive(secret: Uint8Array, salt: Uint8Array, purpose: string): Uint8Array;
  /** The cipher under a key of 32 bytes. */
  aead(key: Uint8Array): Aead;
}

type HashName = "sha256" | "sm3";

const functionsOf = (hashName: HashName, label: string) => ({
  startDigest: (): Hash => createHash(hashName),
  mac(key: Uint8Array, ...parts: readonly (string | Uint8Array)[]): Uint8Array {
    const mac = createHmac(hashName, key);
    for (const part of parts) mac.update(part);
    return mac.digest();
  },
  derive: (secret: Uint8Array, salt: Uint8Array, purpose: string): Uint8Array =>
    new Uint8Array(hkdfSync(hashName, secret, salt, `${label} ${purpose}`, KEY_BYTES)),
});

const standard: Profile = {
  name: "standard",
  isSha256: true,
  digest: sha256,
  aead: (key) => new AesGcm(key),
  ...functionsOf("sha256", "xinglin archive v1"),
};

const national: Profile = {
  name: "national",
  isSha256: false,
  digest: (bytes) => hash("sm3", bytes, "buffer"),
  aead: (key) => new Sm4CtrHmacSm3(key),
  ...functionsOf("sm3", "xinglin archive v1 national"),
};

const profiles: Readonly<Record<ProfileName, Profile>> = { standard, national };

/** The profile of this name; `standard` if none is said. */
export const profileNamed = (name: ProfileName = "standard"): Profile => profiles[name];
/** The profile of what carries a mark. */
export const profileOf = ({ profile }: Marked): Profile => profiles[profile ?? "standard"];
/** The mark of a profile, to be spread into what carries it. */
export const markOf = ({ name }: Pick<Profile, "name">): Marked => (name === "standard" ? {} : { profile: name });
