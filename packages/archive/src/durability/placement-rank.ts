/**
 * The order in which stores are asked to take an object's columns: at random by the object's id, yet each as often as its weight says.
 * Source: design.md, "Archive"; B. Rosén, "On sampling with probability proportional to size" (1997), Pareto order sampling.
 */

/** What is known of a store that may take a column. What is not said counts as the same for all. */
export interface StoreFacts {
  /** What it can still take. */
  readonly freeBytes?: number;
  /** Share of time in which it answered, as measured. */
  readonly availability?: number;
  /** What a stored gigabyte costs a month there; any currency, the same for all. */
  readonly price?: number;
}

/** A store that is out less than this is not preferred for it: measurements are not finer. */
const BEST_OUTAGE = 0.01;

/**
 * How many columns a store should get against others: in proportion to its free room, in inverse proportion to its price, and to the share of
 * time in which it is out where that is more than 1 %. 0 for a store without room.
 */
export function weightOf({ freeBytes = 1, availability = 1, price = 1 }: StoreFacts): number {
  return (Math.max(0, freeBytes) * (BEST_OUTAGE / Math.max(BEST_OUTAGE, 1 - availability))) / Math.max(price, Number.MIN_VALUE);
}

/**
 * A rank for each store, the lowest first: of all orders, the one in which the first `count` contain each store with a probability that is
 * proportional to its weight, as nearly as that can be (one with more than its share is always among them). Stores of weight 0 come last.
 * The same id and weights always give the same ranks. Cost: linear.
 */
export function ranks(ids: readonly string[], weights: readonly number[], objectId: Uint8Array, count: number): Float64Array {
  const wanted = inclusion(weights, count);
  const out = new Float64Array(ids.length);
  for (const [i, id] of ids.entries()) {
    const u = uniform(objectId, id);
    const share = wanted[i]!;
    // Shares of 1 rank below 0, those of 0 above all others, each among themselves by u.
    out[i] = share >= 1 ? u - 1 : share <= 0 ? Number.MAX_VALUE * (0.5 + u / 2) : (u * (1 - share)) / ((1 - u) * share);
  }
  return out;
}

/** The probability with which each is to be among `count`: proportional to weight, none above 1. */
function inclusion(weights: readonly number[], count: number): number[] {
  const shares = weights.map(() => 0);
  const isFull = weights.map((weight) => !(weight > 0));
  let left = count;
  for (;;) {
    const total = weights.reduce((sum, weight, i) => (isFull[i] ? sum : sum + weight), 0);
    let isSettled = true;
    for (const [i, weight] of weights.entries()) {
      if (isFull[i]) continue;
      shares[i] = Math.min(1, (left * weight) / total);
      if (shares[i] === 1) isSettled = false;
    }
    if (isSettled) return shares;
    for (const [i, share] of shares.entries())
      if (share === 1 && !isFull[i]) {
        isFull[i] = true;
        left--;
      }
    if (left <= 0) return shares;
  }
}

/** A number in (0, 1) that depends on both, as if drawn: two multiply-and-shift hashes over all their bytes. No secret, and no attack to withstand. */
function uniform(objectId: Uint8Array, id: string): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  const take = (value: number): void => {
    a = Math.imul(a ^ value, 0x01000193);
    b = Math.imul(b ^ value, 0xcc9e2d51);
    b = (b << 13) | (b >>> 19);
  };
  for (const byte of objectId) take(byte);
  for (let i = 0; i < id.length; i++) take(id.charCodeAt(i));
  return (finished(a ^ b) * 2 ** 21 + (finished(b + 0x27d4eb2f + a) >>> 11) + 0.5) / 2 ** 53;
}

function finished(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
