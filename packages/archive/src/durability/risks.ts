/**
 * How likely more columns of a stripe are gone than parity can replace, when things that fail take several columns with them: a store its
 * own, a building all that stand in it.
 * Source: requirement D2 (correlated failures); R. E. Barlow, F. Proschan, "Mathematical Theory of Reliability" (1965).
 */

/** Something that fails by itself, and the columns (from 0) that are gone while it is down. */
export interface Risk {
  /** Share of the time in which it is down, 0 to 1. */
  readonly down: number;
  readonly columns: readonly number[];
}

/** A probability; with `isBound` the true one is no higher. */
export interface Odds {
  readonly probability: number;
  readonly isBound: boolean;
}

/** States of risks that cross each other are gone through one by one up to so many; what is beyond counts as loss. */
const MAX_STATES = 4096;

/**
 * The probability that more than `m` columns are gone. Risks are independent of each other. Exact where they nest (any two share all
 * columns of one, or none), by convolution from the inside out; also with a dozen that cross. With more, all states in which many of the
 * crossing ones are down at once count as loss, and the result is a bound. Sums positive terms only, so that it is right to the last digits
 * however small. Cost: risks × m², times the states of those that cross.
 */
export function oddsOfMoreThan(m: number, risks: readonly Risk[]): Odds {
  const possible = risks.filter(({ down, columns }) => down > 0 && columns.length > 0);
  const pivots = crossing(possible);
  const nested = possible.filter((risk) => !pivots.includes(risk));
  const most = deepest(pivots.length);
  let probability = 0;
  const visit = (index: number, downs: number, weight: number, gone: ReadonlySet<number>): void => {
    if (weight === 0) return;
    const pivot = pivots[index];
    if (pivot === undefined) {
      probability += weight * tail(m, nested, gone);
      return;
    }
    visit(index + 1, downs, weight * (1 - pivot.down), gone);
    if (downs < most) visit(index + 1, downs + 1, weight * pivot.down, new Set([...gone, ...pivot.columns]));
  };
  visit(0, 0, 1, new Set());
  if (most >= pivots.length) return { probability: Math.min(1, probability), isBound: false };
  const beyond = binomialTail(
    most,
    pivots.map(({ down }) => down),
  );
  return { probability: Math.min(1, probability + beyond), isBound: true };
}

/** The probability that more than `m` of independent events happen (Poisson-binomial). Cost: events × m. */
export function binomialTail(m: number, probabilities: readonly number[]): number {
  // counts[i]: so many so far; at place m + 1 of all numbers above m.
  const counts = new Float64Array(m + 2);
  counts[0] = 1;
  for (const p of probabilities) {
    counts[m + 1]! += counts[m]! * p;
    for (let i = m; i > 0; i--) counts[i] = counts[i]! * (1 - p) + counts[i - 1]! * p;
    counts[0]! *= 1 - p;
  }
  return counts[m + 1]!;
}

/** Probabilities of 0, 1 … columns gone; at place m + 1 of all numbers above m. */
type Counts = readonly number[];

function convolve(a: Counts, b: Counts, m: number): Counts {
  const sum = Array<number>(Math.min(a.length + b.length - 1, m + 2)).fill(0);
  for (let i = 0; i < a.length; i++) for (let j = 0; j < b.length; j++) sum[Math.min(i + j, m + 1)]! += a[i]! * b[j]!;
  return sum;
}

/** More than `m` gone, of risks that nest, where the columns `gone` are gone already. */
function tail(m: number, nested: readonly Risk[], gone: ReadonlySet<number>): number {
  if (gone.size > m) return 1;
  const left = nested
    .map(({ down, columns }) => ({ down, columns: gone.size === 0 ? columns : columns.filter((column) => !gone.has(column)) }))
    .filter(({ columns }) => columns.length > 0)
    .sort((a, b) => a.columns.length - b.columns.length);
  if (left.at(-1)?.columns.length === 1) return binomialTail(m - gone.size, byColumn(left));
  // From the smallest set to the largest: each takes over what was computed of the columns in it.
  const groupOf = new Map<number, { counts: Counts; columns: readonly number[] }>();
  for (const { down, columns } of left) {
    const inside = new Set(columns.map((column) => groupOf.get(column)).filter((group) => group !== undefined));
    let counts: Counts = [1];
    for (const group of inside) counts = convolve(counts, group.counts, m);
    const place = Math.min(columns.length, m + 1);
    const taken = Array.from({ length: Math.max(counts.length, place + 1) }, (_, i) => (counts[i] ?? 0) * (1 - down));
    taken[place]! += down;
    const group = { counts: taken, columns };
    for (const column of columns) groupOf.set(column, group);
  }
  let counts: Counts = [...Array<number>(gone.size).fill(0), 1];
  for (const group of new Set(groupOf.values())) counts = convolve(counts, group.counts, m);
  return counts[m + 1] ?? 0;
}

/** How likely each column is gone, of risks that take one each. */
function byColumn(risks: readonly Risk[]): readonly number[] {
  const downs = new Map<number, number>();
  for (const { down, columns } of risks) {
    const before = downs.get(columns[0]!) ?? 0;
    downs.set(columns[0]!, before + down * (1 - before));
  }
  return [...downs.values()];
}

/** Risks to take out so that the others nest: always the one that crosses most. */
function crossing(all: readonly Risk[]): Risk[] {
  const risks = all.filter(({ columns }) => columns.length > 1); // one column is in another set or it is not
  const sets = risks.map(({ columns }) => new Set(columns));
  const crosses = (a: ReadonlySet<number>, b: ReadonlySet<number>): boolean => {
    const shared = [...a].filter((column) => b.has(column)).length;
    return shared > 0 && shared < a.size && shared < b.size;
  };
  const partners = sets.map((a) => new Set(sets.flatMap((b, j) => (crosses(a, b) ? [j] : []))));
  const taken: Risk[] = [];
  for (;;) {
    const worst = partners.reduce((best, { size }, i) => (size > partners[best]!.size ? i : best), 0);
    if (partners.length === 0 || partners[worst]!.size === 0) return taken;
    for (const j of partners[worst]!) partners[j]!.delete(worst);
    partners[worst]!.clear();
    taken.push(risks[worst]!);
  }
}

/** How many of `count` may be down at once before there are more than `MAX_STATES` states to look at. */
function deepest(count: number): number {
  let states = 1;
  let ways = 1;
  for (let down = 1; down <= count; down++) {
    ways = (ways * (count - down + 1)) / down;
    states += ways;
    if (states > MAX_STATES) return down - 1;
  }
  return count;
}
