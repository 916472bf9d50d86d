/** What went wrong with which store while an object was read, in few words however many pieces it was. */
import type { Store } from "../store/store.ts";

/** How a store failed. */
export type TroubleKind =
  | "absent"
  | "unreadable"
  | "no_pack"
  | "slow"
  | "piece_missing"
  | "piece_corrupt"
  | "table_missing"
  | "table_corrupt"
  | "manifest_missing"
  | "manifest_corrupt";

/** A store that failed while an object was read, and read around. Of pieces, the first is named. */
export interface StoreTrouble {
  readonly store: string;
  readonly member: string;
  readonly kind: TroubleKind;
  /** Times it happened. */
  readonly count: number;
  readonly stripe?: number;
  readonly column?: number;
}

/** Gathers troubles, one entry a store and kind. */
export class TroubleLog {
  readonly #entries = new Map<string, { -readonly [Key in keyof StoreTrouble]: StoreTrouble[Key] }>();

  note(store: Pick<Store, "id" | "member">, kind: TroubleKind, place?: { stripe: number; column: number }): void {
    const name = `${store.id} ${kind}`;
    const known = this.#entries.get(name);
    if (known !== undefined) known.count++;
    else this.#entries.set(name, { store: store.id, member: store.member, kind, count: 1, ...place });
  }

  get list(): readonly StoreTrouble[] {
    return [...this.#entries.values()];
  }
}
