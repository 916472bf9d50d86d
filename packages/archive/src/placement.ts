/**
 * Which stores hold an object, and what the loss of an institution would mean.
 * Source: design.md, "Archive" (pieces on different members and failure domains).
 */
import { createHash } from "node:crypto";
import { Fault } from "@xinglin/primitives";
import { type CodeParameters, columnsOf } from "./layout.ts";
import type { Store } from "./store/store.ts";

/**
 * Chooses one store for each of the k + m columns, in slot order: members give in turn, then buildings,
 * power supplies and cities, and among equals the object's id
 * decides, so that objects spread evenly. Faults: `stores_too_few`.
 */
export function placeObject<S extends Pick<Store, "id" | "member" | "site">>(
  stores: readonly S[],
  code: CodeParameters,
  objectId: Uint8Array,
): S[] {
  const needed = columnsOf({ code });
  if (stores.length < needed) throw new Fault("stores_too_few", { needed, stores: stores.length });
  const ranked = stores
    .map((store) => ({ store, rank: createHash("sha256").update(objectId).update(store.id).digest("hex") }))
    .sort((a, b) => (a.rank < b.rank ? -1 : 1))
    .map(({ store }) => store);
  const chosen: S[] = [];
  const used = new Map<string, number>();
  while (chosen.length < needed) {
    const load = (store: S): number => sharesOf(store).reduce((sum, name) => sum * 128 + (used.get(name) ?? 0), 0);
    const next = ranked.reduce((best, store) => (load(store) < load(best) ? store : best));
    ranked.splice(ranked.indexOf(next), 1);
    chosen.push(next);
    for (const name of sharesOf(next)) used.set(name, (used.get(name) ?? 0) + 1);
  }
  return chosen;
}

/** What a store shares with others that can fail with it, the likeliest first. */
const sharesOf = ({ member, site }: Pick<Store, "member" | "site">): string[] => [
  `member ${member}`,
  `building ${site.building}`,
  `power ${site.power}`,
  `city ${site.city}`,
];

/** What the loss of one member would mean, for the caller's words. */
export interface MemberLoss {
  readonly member: string;
  /** Stores it brings. */
  readonly stores: number;
  /** Most pieces of any stripe that would be gone. */
  readonly piecesGone: number;
  readonly readable: boolean;
  /** How many more pieces of a stripe could go before it is unreadable; negative if it already is. */
  readonly spare: number;
}

/** What the loss of members would mean for objects placed on these stores. */
export interface LossReport {
  readonly code: CodeParameters;
  readonly stores: number;
  /** In order of first store. */
  readonly members: readonly MemberLoss[];
  /** So many members can be lost, whichever they are, and everything is still readable. */
  readonly anyMembers: number;
  /** Members without which, one alone, something is unreadable. */
  readonly indispensable: readonly string[];
}

/** Works out what losing each member would mean for an object over `stores`, one piece of each stripe a store. */
export function describeLoss(stores: readonly Pick<Store, "id" | "member">[], code: CodeParameters): LossReport {
  const counts = new Map<string, number>();
  for (const { member } of stores) counts.set(member, (counts.get(member) ?? 0) + 1);
  const columns = columnsOf({ code });
  const members = [...counts].map(([member, count]): MemberLoss => {
    const piecesGone = Math.min(count, columns);
    return { member, stores: count, piecesGone, readable: piecesGone <= code.m, spare: code.m - piecesGone };
  });
  let anyMembers = 0;
  let gone = 0;
  for (const { piecesGone } of members.toSorted((a, b) => b.piecesGone - a.piecesGone)) {
    gone += piecesGone;
    if (gone > code.m) break;
    anyMembers++;
  }
  return {
    code,
    stores: stores.length,
    members,
    anyMembers,
    indispensable: members.filter((m) => !m.readable).map((m) => m.member),
  };
}
