/** Receipts whose refusal the caller cannot use: turned into the fault that names it. */
import type { Receipt } from "@xinglin/client";
import { Fault } from "@xinglin/primitives";

/** Throws `Fault(code)` of the first refused operation. */
export function requireAccepted(receipt: Receipt): Receipt {
  for (const { outcome, code, facts } of receipt.results)
    if (outcome === "refused") throw new Fault(code ?? "refused", facts ?? {});
  return receipt;
}
