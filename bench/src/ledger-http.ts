/** The same load through HTTP. */
import type { Ledger } from "@xinglin/ledger";
import type { Load } from "./ledger.ts";
import type { SuiteOptions } from "./measure.ts";

export async function measureHttp({ emit }: { ledger: Ledger; load: Load; quick: boolean; emit: SuiteOptions["emit"]; inProcess: number }): Promise<void> {
  emit({ measure: "signed-tx-http", skipped: "not yet" });
}
