/**
 * The ledger of one validator in this process.
 * Source: design.md, "Ledger" (Drivers: solo).
 */
import { openDriverLedger } from "./driver-ledger.ts";
import type { Ledger, LedgerOptions } from "./ledger.ts";
import { SoloDriver } from "./solo-driver.ts";

/** The kind of driver that folders of a solo ledger name. */
export const SOLO = "solo";

/**
 * Opens a data folder as a solo ledger and starts making blocks; the genesis is provable when this resolves. Rejects as `openDriverLedger` does,
 * and with `not_the_validator` for another key than the one of the genesis' only validator, `not_for_one_validator` for a genesis with more seats.
 */
export function openLedger({ validator, gatherMs, ...options }: LedgerOptions): Promise<Ledger> {
  const driver = { validator, ...(gatherMs === undefined ? {} : { gatherMs }) };
  return openDriverLedger({ ...options, kind: SOLO, driver: (site) => new SoloDriver({ ...site, ...driver }) });
}
