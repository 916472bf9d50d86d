/**
 * What the cost and energy model is told of the world: nothing here was measured by this project, and every figure is to be replaced by a
 * consortium's own. Prices are of 2025, in yuan without tax.
 * Source: requirement D6; each line names its own.
 */

/** Prices and powers. */
export interface Prices {
  /** A disk with its slot: bought once, used so many months, drawing so many watts all the time. */
  readonly disk: { readonly yuanPerTb: number; readonly months: number; readonly wattsPerTb: number };
  /** Electricity of the room for that of the machines: cooling, converters. */
  readonly powerUsageEffectiveness: number;
  readonly yuanPerKwh: number;
  /** A core under load, and an hour of it. */
  readonly core: { readonly watts: number; readonly yuanPerHour: number };
  readonly network: { readonly joulesPerGb: number; readonly yuanPerGb: number };
}

/** Disks bought for the purpose, in a hospital's machine room. */
export const BOUGHT_DISKS: Prices = {
  disk: {
    // 16 TB nearline disk at some 2,400 yuan, and 1,500 yuan for its slot of a server with eight (retail prices; assumption).
    yuanPerTb: (2_400 + 1_500) / 16,
    // Warranty of Seagate Exos X16, data sheet DS2011: five years.
    months: 60,
    // The same data sheet: 5.0 W idle. The slot's share of a server of 80 W with eight disks: 10 W (assumption).
    wattsPerTb: (5.0 + 10) / 16,
  },
  // Large data centres in China are reported at 1.48 on average (2023, not checked here); a hospital's room is worse (assumption).
  powerUsageEffectiveness: 1.6,
  // General commercial tariff, eastern provinces, with peaks averaged (assumption).
  yuanPerKwh: 0.75,
  core: {
    // As the other benchmarks state it: a server processor's share a core.
    watts: 10,
    // 16 cores of a server of 40,000 yuan over five years: 0.057 a core (assumption); its electricity is counted apart.
    yuanPerHour: 0.057,
  },
  network: {
    // Aslan, Mayers, Koomey, France 2018: 0.06 kWh/GB in 2015, halved every two years: 0.0019 in 2025.
    joulesPerGb: (0.06 / 32) * 3.6e6,
    // Members' own lines are paid by the month, not by the gigabyte (assumption).
    yuanPerGb: 0,
  },
};

/**
 * Disks that a hospital has already and uses for nothing else: no price, only the slot's share (assumption), in a server that serves them as seldom as
 * cold objects are read.
 */
export const IDLE_DISKS: Prices = {
  ...BOUGHT_DISKS,
  disk: {
    yuanPerTb: 1_500 / 16,
    months: 60,
    // Seagate Exos X16, data sheet DS2011: about 1 W in standby (assumption: spun down most of the time). Half of the slot's share of the server (assumption).
    wattsPerTb: (1 + 5) / 16,
  },
};

/**
 * Object storage of a public cloud, yuan a GB and month, local redundancy: Alibaba Cloud OSS list prices on the mainland (standard, infrequent
 * access, archive, cold archive). What a member with a bucket pays; the energy is the provider's.
 */
export const BUCKET_YUAN_PER_GB_MONTH = { standard: 0.12, infrequent: 0.08, archive: 0.033, coldArchive: 0.015 } as const;
