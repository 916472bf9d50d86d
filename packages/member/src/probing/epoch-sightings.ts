/** What a node saw of its peers in the open epoch, put into the numbers that it signs. Source: requirement A8. */
import type { Observation } from "@xinglin/contracts";
import type { MemberId } from "@xinglin/primitives";

/** What one round saw of one peer; `kilobytesPerSecond` only if it measured. */
export interface Sighting {
  readonly member: MemberId;
  readonly answered: boolean;
  readonly freeMegabytes: number | undefined;
  readonly kilobytesPerSecond?: number | undefined;
}

/** With fewer rounds than this nothing is said: one lost answer must not be an unfit epoch. */
export const LEAST_ROUNDS = 2;
const MOST = 1_000_000_000;

interface Row {
  asked: number;
  answered: number;
  freeMegabytes: number;
  /** Undefined until a transfer was tried. */
  best: number | undefined;
}

export class EpochSightings {
  readonly #rows = new Map<MemberId, Row>();

  /** Counts a round. One in which nobody answered says more about this node than about its peers, and is left out. */
  add(round: readonly Sighting[]): void {
    if (!round.some(({ answered }) => answered)) return;
    for (const { member, answered, freeMegabytes, kilobytesPerSecond } of round) {
      const row = this.#rows.get(member) ?? { asked: 0, answered: 0, freeMegabytes: 0, best: undefined };
      row.asked++;
      row.answered += Number(answered);
      // The newest counts: space comes and goes.
      row.freeMegabytes = freeMegabytes ?? row.freeMegabytes;
      if (kilobytesPerSecond !== undefined) row.best = Math.max(row.best ?? 0, kilobytesPerSecond);
      this.#rows.set(member, row);
    }
  }

  /** What is to be said of a peer; undefined while too little was seen. Of several transfers the fastest counts: what hinders one may be anything. */
  of(member: MemberId): Observation | undefined {
    const row = this.#rows.get(member);
    if (row === undefined || row.asked < LEAST_ROUNDS || row.best === undefined) return undefined;
    return {
      answeredPerMille: Math.floor((1000 * row.answered) / row.asked),
      kilobytesPerSecond: Math.min(MOST, row.best),
      freeMegabytes: Math.min(MOST, row.freeMegabytes),
    };
  }
}
