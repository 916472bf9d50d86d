/**
 * The HPKE `info` of a sealed share: it binds the share to its chain, object version, epoch, custodian and index, and a release also to
 * its permit, so that a share sealed for one purpose opens for no other.
 * Source: design.md, "Consent, access, custody" (Release); RFC 9180 section 5.
 */
import { type ActorId, type Bytes, cbor, type RecordId } from "@xinglin/primitives";

export interface KeyShareInfo {
  readonly chain: string;
  readonly record: RecordId;
  readonly version: number;
  readonly epoch: number;
  readonly custodian: ActorId;
  readonly index: number;
  /** The permit that a release rests on; absent for a deposit. */
  readonly permit?: { readonly patient: ActorId; readonly number: number };
}

/** The `info` that a share is sealed with: it opens for nothing else. */
export const encodeKeyShareInfo = (info: KeyShareInfo): Bytes =>
  cbor.encode({ type: info.permit === undefined ? "xinglin-deposit/1" : "xinglin-release/1", ...info });
