/**
 * A content key split into shares, of which any k restore it and fewer say nothing. Each share is committed to by a salted hash under one
 * Merkle root, so a custodian that returns a wrong share is named; without the salt the commitment says nothing about the share.
 * Source: Shamir, "How to share a secret" (1979), over GF(2^8) by `shamir-secret-sharing`; design.md, "Consent, access, custody".
 */
import { type Bytes, concat, Fault, invariant, utf8 } from "@xinglin/primitives";
import { combine, split } from "shamir-secret-sharing";
import { leafHash, treeOfHashes, verifyInclusion } from "./pure/merkle.ts";
import { sha256 } from "./pure/sha256.ts";
import { KEY_BYTES, randomBytes } from "./seal.ts";

/** Bytes of a share of a 32-byte key (one more than the key) and of the salt in its commitment. */
export const SHARE_BYTES = KEY_BYTES + 1;
export const SHARE_SALT_BYTES = 32;

const DOMAIN = utf8("xinglin/share/1");

/** One share with what shows that it is the right one: `index` from 0, `path` to the root of the commitments. */
export interface ShareOpening {
  readonly index: number;
  readonly share: Bytes;
  readonly salt: Bytes;
  readonly path: readonly Bytes[];
}

/** A split key: the root for the chain, and an opening for each custodian. */
export interface SplitKey {
  readonly root: Bytes;
  readonly openings: readonly ShareOpening[];
}

/** Splits a 32-byte key so that any `k` of `n` shares restore it. Every call draws new shares and salts. */
export async function splitKey(key: Bytes, k: number, n: number): Promise<SplitKey> {
  invariant(key.length === KEY_BYTES, "shares: a key has 32 bytes");
  invariant(Number.isSafeInteger(k) && Number.isSafeInteger(n) && k >= 2 && k <= n && n <= 255, "shares: 2 <= k <= n <= 255");
  const shares = await split(key, n, k);
  const salted = shares.map((share, index) => ({ index, share, salt: randomBytes(SHARE_SALT_BYTES) }));
  const tree = treeOfHashes(salted.map((one) => leafHash(commitmentOf(one))));
  return { root: tree.root, openings: salted.map((one) => ({ ...one, path: tree.path(one.index) })) };
}

/** SHA-256(domain, salt, index, share): what the chain learns of a share, through the root. */
export const commitmentOf = (opening: Pick<ShareOpening, "index" | "share" | "salt">): Bytes =>
  sha256(concat(DOMAIN, opening.salt, Uint8Array.of(opening.index), opening.share));

/** Whether this is share `index` of the `n` that `root` commits to. */
export function checkShare(opening: ShareOpening, root: Bytes, n: number): boolean {
  const { index, share, salt, path } = opening;
  if (share.length !== SHARE_BYTES || salt.length !== SHARE_SALT_BYTES || n > 255) return false;
  return verifyInclusion(commitmentOf(opening), index, n, path, root);
}

/**
 * Restores the key from at least `k` different openings. Throws `Fault("share_wrong", { index })` for the first that `root` does not
 * commit to, and `Fault("shares_too_few", { have, need })`. A key that `splitKey` did not split may still come out: authenticate what it opens.
 */
export async function combineShares(openings: readonly ShareOpening[], k: number, root: Bytes, n: number): Promise<Bytes> {
  const distinct = new Map<number, ShareOpening>();
  for (const opening of openings) {
    if (!checkShare(opening, root, n)) throw new Fault("share_wrong", { index: opening.index });
    distinct.set(opening.index, opening);
  }
  if (distinct.size < k) throw new Fault("shares_too_few", { have: distinct.size, need: k });
  const key = await combine([...distinct.values()].slice(0, k).map(({ share }) => share));
  invariant(key.length === KEY_BYTES, "shares: a key has 32 bytes");
  return key;
}
