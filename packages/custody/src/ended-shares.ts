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

/** Shares whose records are asked about at once. */
const AT_ONCE = 32;

/** Of `shares` those of records that have ended, and of versions whose erasure `custodian` has signed. `view` answers for the keys that it is given. */
export async function* endedShares(
  shares: Iterable<ShareName>,
  custodian: ActorId,
  view: (names: readonly string[]) => Read | Promise<Read>,
  signal?: AbortSignal,
): AsyncGenerator<EndedShare> {
  for (const some of groups(shares)) {
    if (signal?.aborted === true) return;
    // A record of a batch has no entry of its own until something happens to it: of most one key is asked, and it is not there.
    const read = await view(some.map(({ record }) => keys.record(record)));
    const own = some.filter(({ source, record }) => read(keys.record(record), recordEntry)?.source === source);
    if (own.length === 0) continue;
    const more = await view(
      own.flatMap(({ record, version }) => [
        keys.record(record),
        keys.recordVersion(record, version),
        keys.erasure(record, version, custodian),
      ]),
    );
    for (const name of own) {
      const { source, record, version } = name;
      const newest = more(keys.record(record), recordEntry);
      // A deposit for what was never anchored, or for a record of another's: nothing says that it ended.
      if (newest?.source !== source) continue;
      const named = newest.version === version ? newest : more(keys.recordVersion(record, version), recordEntry);
      if (named === undefined) continue;
      if (newest.status === "ending" || more(keys.erasure(record, version, custodian), erasure) !== undefined)
        yield { name, named };
    }
  }
}

function* groups(shares: Iterable<ShareName>): Generator<readonly ShareName[]> {
  let some: ShareName[] = [];
  for (const share of shares) {
    if (some.push(share) < AT_ONCE) continue;
    yield some;
    some = [];
  }
  if (some.length > 0) yield some;
}
