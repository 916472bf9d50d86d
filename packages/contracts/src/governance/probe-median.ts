/**
 * What peers' probes come to: medians that a minority of liars among the committee cannot move beyond what honest probers saw.
 *
 * Each of the `others` (committee members but the one probed) has one place. A missing probe takes the place of the least value where credit
 * is given by it, and of the greatest where fitness is judged by it; of an even number the lower middle one is taken for credit, the upper
 * for fitness. With fewer than half of the others lying and every honest one probing, both are between the least and the greatest honest
 * value; with honest probes missing too, they only err towards less credit and towards fitness.
 *
 * Source: requirement A8; design.md, "Validators".
 */
import type { Observation, Probes } from "../model/election.ts";

/** The middle one of `values` and `missing` further ones that count as `stands`. `others` of them altogether, at least one. */
function middle(values: readonly number[], others: number, stands: "least" | "greatest"): number | undefined {
  const sorted = [...values].sort((a, b) => a - b);
  const missing = Math.max(0, others - sorted.length);
  const all = missing + sorted.length;
  if (all === 0) return undefined;
  const place = stands === "least" ? Math.floor((all - 1) / 2) - missing : Math.floor(all / 2);
  return place < 0 ? undefined : sorted[place];
}

const each = (of: (element: keyof Observation) => number): Observation => ({
  answeredPerMille: of("answeredPerMille"),
  kilobytesPerSecond: of("kilobytesPerSecond"),
  freeMegabytes: of("freeMegabytes"),
});

const valuesOf = (seen: Probes["by"], element: keyof Observation): number[] => seen.map(({ seen }) => seen[element]);

/** Medians for credit: 0 where half or more of the probes are missing. */
export const credited = (seen: Probes["by"], others: number): Observation =>
  each((element) => middle(valuesOf(seen, element), others, "least") ?? 0);

/** The median of the answers per thousand that were told, whoever was silent; 0 if nobody told. */
export const answeredAsTold = (seen: Probes["by"]): number =>
  middle(valuesOf(seen, "answeredPerMille"), seen.length, "least") ?? 0;

/** Medians for fitness: undefined where so many probes are missing that nothing may be held against the node. */
export function judged(seen: Probes["by"], others: number): Observation | undefined {
  const judgement = (["answeredPerMille", "kilobytesPerSecond", "freeMegabytes"] as const).map((element) =>
    middle(valuesOf(seen, element), others, "greatest"),
  );
  const [answeredPerMille, kilobytesPerSecond, freeMegabytes] = judgement;
  if (answeredPerMille === undefined || kilobytesPerSecond === undefined || freeMegabytes === undefined) return undefined;
  return { answeredPerMille, kilobytesPerSecond, freeMegabytes };
}
