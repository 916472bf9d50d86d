/** What a node's last round found of the archive: what `GET /v1/archive/health` answers. Source: requirements D2, D3. */

/** Yuan and joules. */
export interface YuanAndJoules {
  readonly yuan: number;
  readonly joules: number;
}

/** A round's report; counts are as the round left things, after its repairs. */
export interface ArchiveReport {
  /** Whose node looked, and at what: its own objects and those that it looks after for members that are away, or all. */
  readonly member: string;
  readonly scope: "own" | "all";
  /** Number under which the round stands on the chain; missing until it does. */
  readonly round?: number;
  /** Seconds UTC. */
  readonly from: number;
  readonly until: number;
  readonly objects: number;
  /** Objects by missing columns. */
  readonly byMissing: Readonly<Record<string, number>>;
  /** Those that lack something, the most endangered first; the first thousand of `waiting`. */
  readonly queue: readonly {
    readonly object: string;
    readonly record?: string;
    readonly missing: number;
    readonly spare: number;
  }[];
  readonly waiting: number;
  /** Objects with fewer spare columns than the node is told to warn of, and of these the unreadable ones. */
  readonly endangered: number;
  readonly unreadable: number;
  /** Pieces that were drawn, and those that a store which is there did not show rightly. */
  readonly drawn: number;
  readonly lost: number;
  readonly stores: readonly {
    readonly store: string;
    readonly state: "there" | "away" | "gone";
    readonly drawn: number;
    readonly lost: number;
  }[];
  readonly repaired: { readonly objects: number; readonly pieces: number };
  /** Stores that repairs could not write to, why, and of how many objects. */
  readonly left: readonly { readonly store: string; readonly code: string; readonly objects: number }[];
  /** Stored bytes for each byte sealed, of the widest code. */
  readonly overhead: number;
  readonly storedBytes: number;
  /** The probability that some object is lost within a year. */
  readonly yearlyLoss: number;
  /** A month on disks bought for it, and of three plain copies: an estimate. */
  readonly cost: YuanAndJoules & { readonly threeCopies: YuanAndJoules };
}

/** Most objects that a report names. */
export const MAX_REPORTED_OBJECTS = 1_000;
