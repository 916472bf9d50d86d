/** All ways to lose `min` to `max` of `count` columns. */
export function* erasures(count: number, min: number, max: number): Generator<number[]> {
  function* choose(from: number, left: number): Generator<number[]> {
    if (left === 0) yield [];
    else
      for (let first = from; first <= count - left; first++)
        for (const rest of choose(first + 1, left - 1)) yield [first, ...rest];
  }
  for (let lost = min; lost <= max; lost++) yield* choose(0, lost);
}
