/**
 * The last committed state, with what nearly every transaction reads kept by key: who signs, for which member, under which rules. The same
 * key gives the same array until a block changes it, so that readers can keep what they decoded from it.
 * Source: design.md, "Execution".
 */
import type { StateReader } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";

const KEPT = ["actor/", "member/", "custodian/", "credential/", "matrix/", "parameters"];
function isKept(key: string): boolean {
  for (const prefix of KEPT) if (key.startsWith(prefix)) return true;
  return false;
}
/** In two halves; a few kilobytes each at most. */
const MAX_KEPT = 20_000;

export class CommittedReader implements StateReader {
  readonly #state: StateReader;
  /** Read lately; when it is full it becomes `#keptBefore`, and what that held is forgotten. Cheaper than forgetting the oldest one by one. */
  #kept = new Map<string, Bytes>();
  #keptBefore = new Map<string, Bytes>();

  constructor(state: StateReader) {
    this.#state = state;
  }

  get(key: string): Bytes | undefined {
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const before = this.#keptBefore.get(key);
    const value = before ?? this.#state.get(key);
    if (before !== undefined || (value !== undefined && isKept(key))) this.#keep(key, value as Bytes);
    return value;
  }

  #keep(key: string, value: Bytes): void {
    if (this.#kept.size >= MAX_KEPT / 2) {
      this.#keptBefore = this.#kept;
      this.#kept = new Map();
    }
    this.#kept.set(key, value);
  }

  /** A block changed these. */
  forget(keys: readonly string[]): void {
    for (const key of keys) {
      this.#kept.delete(key);
      this.#keptBefore.delete(key);
    }
  }
}
