/**
 * What a gigabyte costs to keep for a month, in yuan and joules, against plain copies. Rates of work are measured, prices stated; no result is
 * written down here.
 * Source: requirement D6 (−40 % cost, −35 % energy against 300–500 % redundancy).
 */
import type { Prices } from "./prices.ts";

/** How an object is kept. */
export interface Scheme {
  /** Stored bytes for a sealed byte: 1.4 of 10+4, 3 of three copies. */
  readonly overhead: number;
  /** Sealed bytes for a byte of the source: below 1 where the lossless filter pays. */
  readonly reduction: number;
  /** Bytes read, and sent, for a lost byte: k of a code, 1 of copies. */
  readonly readsPerLostByte: number;
  /** Source bytes a CPU second; what is not named costs nothing. */
  readonly bytesPerCpuSecond: { readonly ingest?: number; readonly audit?: number; readonly repair?: number };
}

/** What happens to a gigabyte while it is kept. */
export interface Usage {
  readonly monthsKept: number;
  /** Share of all pieces that audits look at in a month. */
  readonly auditedPerMonth: number;
  /** Share of all stores that are lost in a year. */
  readonly storeLossesPerYear: number;
}

/** A hospital's archive: kept for fifteen years (as out-patients' records must be; in-patients' thirty), audited whole once a quarter, one store of twenty lost a year. */
export const ARCHIVE_USAGE: Usage = { monthsKept: 180, auditedPerMonth: 1 / 3, storeLossesPerYear: 0.05 };

/** A sum by what causes it. */
export interface Sum {
  readonly disks: number;
  readonly processors: number;
  readonly network: number;
  readonly total: number;
}

/** A month of a gigabyte of source. */
export interface Footprint {
  readonly joules: Sum;
  readonly yuan: Sum;
}

/** So many copies, said well of: sealing, hashing and audits are taken to cost nothing. */
export const copies = (count: number): Scheme => ({ overhead: count, reduction: 1, readsPerLostByte: 1, bytesPerCpuSecond: {} });

const SECONDS_A_MONTH = (365 * 86_400) / 12;
const GB = 1e9;

/** What a gigabyte of source costs a month, kept like this. */
export function footprintOf(scheme: Scheme, usage: Usage, prices: Prices): Footprint {
  const { overhead, reduction, readsPerLostByte, bytesPerCpuSecond } = scheme;
  const { disk, core, network, powerUsageEffectiveness: pue, yuanPerKwh } = prices;
  const storedTb = (overhead * reduction) / 1000;
  const perSecond = (rate: number | undefined): number => (rate === undefined ? 0 : GB / rate);
  // A repair is measured by the whole object, whichever column is gone; of its columns (overhead × k) each is lost as often as a store.
  const lostPerMonth = usage.storeLossesPerYear / 12;
  const cpuSeconds =
    perSecond(bytesPerCpuSecond.ingest) / usage.monthsKept +
    perSecond(bytesPerCpuSecond.audit) * usage.auditedPerMonth +
    perSecond(bytesPerCpuSecond.repair) * Math.min(1, lostPerMonth * overhead * readsPerLostByte);
  const sentGb = overhead * reduction * (1 / usage.monthsKept + lostPerMonth * (readsPerLostByte + 1));
  const joules = sumOf(
    storedTb * disk.wattsPerTb * SECONDS_A_MONTH * pue,
    cpuSeconds * core.watts * pue,
    sentGb * network.joulesPerGb,
  );
  const perJoule = yuanPerKwh / 3.6e6;
  const yuan = sumOf(
    (storedTb * disk.yuanPerTb) / disk.months + joules.disks * perJoule,
    (cpuSeconds / 3600) * core.yuanPerHour + joules.processors * perJoule,
    sentGb * network.yuanPerGb + joules.network * perJoule,
  );
  return { joules, yuan };
}

const sumOf = (disks: number, processors: number, network: number): Sum => ({
  disks,
  processors,
  network,
  total: disks + processors + network,
});

/** How much less one costs than the other, 0 to 1; below 0 if more. */
export const savedAgainst = (ours: Footprint, theirs: Footprint): { readonly yuan: number; readonly joules: number } => ({
  yuan: 1 - ours.yuan.total / theirs.yuan.total,
  joules: 1 - ours.joules.total / theirs.joules.total,
});
