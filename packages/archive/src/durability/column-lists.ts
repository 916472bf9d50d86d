/** Which columns each store of a simulation holds: linked lists in typed arrays, so that a column comes and goes at no cost. */
export class ColumnLists {
  readonly #storeOf: Int32Array;
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;

  /** `storeOf` says of each column where it is or will be; a column may move only while it is in no list. */
  constructor(storeOf: Int32Array, stores: number) {
    this.#storeOf = storeOf;
    this.#first = new Int32Array(stores).fill(-1);
    this.#next = new Int32Array(storeOf.length);
    this.#previous = new Int32Array(storeOf.length);
  }

  /** The columns of a store, the latest first. */
  *of(store: number): Generator<number> {
    for (let column = this.#first[store]!; column >= 0; column = this.#next[column]!) yield column;
  }

  add(column: number): void {
    const store = this.#storeOf[column]!;
    const first = this.#first[store]!;
    this.#next[column] = first;
    this.#previous[column] = -1;
    if (first >= 0) this.#previous[first] = column;
    this.#first[store] = column;
  }

  remove(column: number): void {
    const [next, previous] = [this.#next[column]!, this.#previous[column]!];
    if (next >= 0) this.#previous[next] = previous;
    if (previous >= 0) this.#next[previous] = next;
    else this.#first[this.#storeOf[column]!] = next;
  }
}
