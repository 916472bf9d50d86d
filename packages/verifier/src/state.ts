/**
 * What a verified header proves of the state and of the audit log.
 * Source: design.md, "State", "Audit log", "Proofs"; ICS-23.
 */
import { ics23, merkle } from "@xinglin/crypto/pure";
import { type Bytes, Fault, utf8 } from "@xinglin/primitives";
import type { VerifiedHeader } from "./light-client.ts";

/** One key of the state with its proof (`ics23.encodeProof`); without `value`, the proof is of its absence. */
export interface StateProof {
  readonly key: string | Bytes;
  readonly value?: Bytes;
  readonly proof: Bytes;
}

/**
 * Whether the state after block `header.height - 1` held exactly this value under the key, or nothing: the state after a block stands in
 * the next header. False for malformed proofs too.
 */
export function verifyState(header: VerifiedHeader, { key, value, proof }: StateProof): boolean {
  const keyBytes = typeof key === "string" ? utf8(key) : key;
  let decoded: ics23.CommitmentProof;
  try {
    decoded = ics23.decodeProof(proof);
  } catch (error) {
    if (error instanceof Fault) return false;
    throw error;
  }
  if (value === undefined) return ics23.verifyNonMembership(header.appHash, decoded, keyBytes);
  return ics23.verifyMembership(header.appHash, decoded, keyBytes, value);
}

/** Whether an entry stands at `index` of a log of `size` entries with this root; index and size count within the epoch. */
export const verifyLogEntry = (entry: Bytes, index: number, size: number, path: readonly Bytes[], root: Bytes): boolean =>
  merkle.verifyInclusion(entry, index, size, path, root);
