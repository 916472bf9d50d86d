/**
 * The state as an operation sees it: the last committed values and, above them, the changes of the operations before it in the block.
 * Source: design.md, "Execution".
 */
import type { Change, StateReader } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";

export class Overlay implements StateReader {
  readonly #base: StateReader;
  readonly #written = new Map<string, Bytes | null>();
  /** Values read once: within a block the same key always gives the same array, so that rules can keep what they decoded from it. */
  readonly #read = new Map<string, Bytes | undefined>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  get(key: string): Bytes | undefined {
    const written = this.#written.get(key);
    if (written !== undefined) return written ?? undefined;
    const known = this.#read.get(key);
    if (known !== undefined || this.#read.has(key)) return known;
    const value = this.#base.get(key);
    this.#read.set(key, value);
    return value;
  }

  write(changes: readonly Change[]): void {
    for (const { key, value } of changes) this.#written.set(key, value);
  }

  /** Everything written so far: the last write of each key. */
  changes(): Change[] {
    return [...this.#written].map(([key, value]) => (value === null ? { key, value: null } : { key, value }));
  }
}
