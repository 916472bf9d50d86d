/**
 * Which pages a block made and which it replaced, so that either can be given up: the replaced ones once the block is durable, the
 * made ones if it is not decided.
 */
import type { PageStore } from "./page-store.ts";

type Kind = "leaves" | "branches";

export class PageTurnover {
  readonly #pages: PageStore;
  readonly #made = { leaves: new Set<number>(), branches: new Set<number>() };
  readonly #replaced: Record<Kind, number[]> = { leaves: [], branches: [] };

  constructor(pages: PageStore) {
    this.#pages = pages;
  }

  /** Notes a page that the block made; returns it. */
  make(kind: Kind, id: number): number {
    this.#made[kind].add(id);
    return id;
  }

  /** Gives up a page that the block made and does not need. */
  drop(kind: Kind, id: number): void {
    this.#made[kind].delete(id);
    this.#pages[kind].release(id);
  }

  /** Notes that the block has no more use for a page, which the committed tree may still have. */
  replace(kind: Kind, id: number): void {
    if (this.#made[kind].has(id)) this.drop(kind, id);
    else this.#replaced[kind].push(id);
  }

  /** The block is durable. */
  settle(): void {
    for (const id of this.#replaced.leaves) this.#pages.leaves.release(id);
    for (const id of this.#replaced.branches) this.#pages.branches.release(id);
  }

  /** The block is not decided. */
  abandon(): void {
    for (const id of this.#made.leaves) this.#pages.leaves.release(id);
    for (const id of this.#made.branches) this.#pages.branches.release(id);
    this.#made.leaves.clear();
    this.#made.branches.clear();
  }
}
