/**
 * A million small records from content to anchor, for once: it takes a quarter of an hour, so the suite of the archive stops a decade before. Source:
 * requirement J9.
 */
import { closeWorkers, openStores } from "@xinglin/archive";
import { measureSmallRecords } from "./archive-small-records.ts";
import { storesBelow } from "./archive-study.ts";
import type { SuiteOptions } from "./measure.ts";

const SIZES = [10_000, 100_000, 1_000_000];

/** Emits `small-records` and `small-records-files`; a quick run skips them. */
export async function run({ quick, emit }: SuiteOptions): Promise<void> {
  try {
    await measureSmallRecords(quick, (at) => openStores(storesBelow(at), { create: true }), emit, SIZES);
  } finally {
    await closeWorkers();
  }
}
