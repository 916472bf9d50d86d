/**
 * The last committed state, with what nearly every transaction reads kept by key: who signs, for which member, under which rules. The same
 * key gives the same array until a block changes it, so that readers can keep what they decoded from it.
 * Source: design.md, "Execution".
 */
import type { StateReader } from "@xinglin/contracts";
import { type Bytes, Recent } from "@xinglin/primitives";

const KEPT = ["actor/", "member/", "custodian/", "credential/", "matrix/", "parameters", "election", "validators"];
function isKept(key: string): boolean {
  for (const prefix of KEPT) if (key.startsWith(prefix)) return true;
  return false;
}
/** A few kilobytes each at most. */
const MAX_KEPT = 20_000;

export class CommittedReader implements StateReader {
  readonly #state: StateReader;
  readonly #kept = new Recent<string, Bytes>(MAX_KEPT);

  constructor(state: StateReader) {
    this.#state = state;
  }

  get(key: string): Bytes | undefined {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const value = this.#state.get(key);
    if (value !== undefined && isKept(key)) this.#kept.set(key, value);
    return value;
  }

  /** A block changed these. */
  forget(keys: readonly string[]): void {
    for (const key of keys) this.#kept.delete(key);
  }
}
