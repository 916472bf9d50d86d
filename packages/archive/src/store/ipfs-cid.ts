/** Identifiers of blocks: the digest that pieces and tables already have, under the names that IPFS gives it. Source: CIDv1 (multiformats). */
import { CID } from "multiformats/cid";
import * as multihash from "multiformats/hashes/digest";
import { DIGEST_BYTES, sha256 } from "../digest.ts";

const RAW = 0x55;
const DAG_CBOR = 0x71;
const SHA_256 = 0x12;

/** The identifier of raw bytes with this SHA-256: a piece, or a part of a document. */
export const rawLink = (digest: Uint8Array): CID => CID.createV1(RAW, multihash.create(SHA_256, digest));
/** The identifier of an encoded node. */
export const nodeLink = (encoded: Uint8Array): CID => CID.createV1(DAG_CBOR, multihash.create(SHA_256, sha256(encoded)));

export const isRaw = (link: CID): boolean => link.code === RAW;
export const isNode = (link: CID): boolean => link.code === DAG_CBOR;
/** SHA-256 that a link stands for. */
export const digestOf = (link: CID): Uint8Array => link.multihash.digest;

/** Whether a link is one that a store makes: version 1, raw or DAG-CBOR, SHA-256. Others in what a node shows are refused. */
export const isOwnLink = (link: CID): boolean =>
  link.version === 1 &&
  (isRaw(link) || isNode(link)) &&
  link.multihash.code === SHA_256 &&
  link.multihash.digest.length === DIGEST_BYTES;

/** The identifier that a node's answer names, or `undefined` if it is none. */
export function parseLink(text: string): CID | undefined {
  try {
    const link = CID.parse(text);
    return isOwnLink(link) ? link : undefined;
  } catch {
    return undefined;
  }
}
