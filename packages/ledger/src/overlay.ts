/**
 * The state as an operation sees it: the last committed values and, above them, the changes of the operations before it in the block.
 * Source: design.md, "Execution".
 */
import type { Change, StateReader } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";

export class Overlay implements StateReader {
  readonly #base: StateReader;
  /**
   * Everything read or written so far; null is what is not there. Within a block the same key gives the same array until it is written, so
   * that rules can keep what they decoded from it.
   */
  readonly #known = new Map<string, Bytes | null>();
  readonly #written = new Set<string>();

  constructor(base: StateReader) {
    this.#base = base;
  }

  get(key: string): Bytes | undefined {
    const known = this.#known.get(key);
    if (known !== undefined) return known ?? undefined;
    const value = this.#base.get(key);
    this.#known.set(key, value ?? null);
    return value;
  }

  write(changes: readonly Change[]): void {
    for (const { key, value } of changes) {
      this.#known.set(key, value);
      this.#written.add(key);
    }
  }

  /** Everything written so far: the last write of each key. */
  changes(): Change[] {
    return [...this.#written].map((key) => ({ key, value: this.#known.get(key) ?? null }) as Change);
  }
}
