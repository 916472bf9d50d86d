/**
 * Which of the shares on a custodian's disk should not be there any more: a folder that was put back from an old copy holds what was erased since.
 * Source: requirement D8; design.md, "Consent, access, custody" (Ending).
 */
import { erasure, keys, type MedicalRecord, record as recordEntry } from "@xinglin/contracts";
import { type ActorId, type Bytes, cbor, type Schema } from "@xinglin/primitives";
import type { ShareName } from "./share-store.ts";

/** Reads an entry of the state, proven or one's own. */
export type Read = <T>(key: string, shape: Schema<T>) => T | undefined;

/** Reads entries of a state that is trusted. */
export const reading =
  (get: (key: string) => Bytes | undefined): Read =>
  (key, shape) => {
    const value = get(key);
    return value === undefined ? undefined : shape.parse(cbor.decodeTrusted(value));
  };

/** A share that is to go, and the record version that it is of. */
export interface EndedShare {
  readonly name: ShareName;
  readonly named: MedicalRecord;
}

/** Of `shares` those of records that have ended, and of versions whose erasure `custodian` has signed. `view` answers for the keys that it is given. */
export async function* endedShares(
  shares: readonly ShareName[],
  custodian: ActorId,
  view: (names: readonly string[]) => Read | Promise<Read>,
): AsyncGenerator<EndedShare> {
  for (const name of shares) {
    const { source, record, version } = name;
    const own = keys.erasure(record, version, custodian);
    const read = await view([keys.record(record), keys.recordVersion(record, version), own]);
    const newest = read(keys.record(record), recordEntry);
    // A deposit for what was never anchored, or for a record of another's: nothing says that it ended.
    if (newest?.source !== source) continue;
    const named = newest.version === version ? newest : read(keys.recordVersion(record, version), recordEntry);
    if (named === undefined) continue;
    if (newest.status === "ending" || read(own, erasure) !== undefined) yield { name, named };
  }
}
