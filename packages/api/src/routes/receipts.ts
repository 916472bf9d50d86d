/** A receipt as JSON, and waiting for one within the server's bound. Source: requirement C10; design.md, "Execution". */
import type { Ledger, Receipt, ReceiptStage } from "@xinglin/ledger";
import { type Bytes, Fault, toHex } from "@xinglin/primitives";

export const WAITS = ["none", "committed", "provable"] as const;
export type Wait = (typeof WAITS)[number];

/** The JSON form: hashes as hex, the block's time in seconds. */
export const receiptJson = ({ id, height, time, results }: Receipt) => ({
  id: toHex(id),
  height,
  time: time.seconds,
  results: results.map(({ operation, outcome, code, facts, reason, subject, sequence }) => ({
    operation,
    outcome,
    ...(code === undefined ? {} : { code }),
    ...(facts === undefined ? {} : { facts }),
    ...(reason === undefined ? {} : { reason }),
    subject: Object.fromEntries(
      Object.entries(subject).map(([name, value]) => [name, value instanceof Uint8Array ? toHex(value) : value]),
    ),
    sequence,
  })),
});

/** Waits at most `waitMs`. Throws `Fault("receipt_pending")` if that was not enough, and what the ledger throws. */
export async function receiptWithin(ledger: Ledger, id: Bytes, stage: ReceiptStage, waitMs: number): Promise<Receipt> {
  const patience = AbortSignal.timeout(waitMs);
  try {
    return await ledger.receipt(id, stage, patience);
  } catch (error) {
    if (patience.aborted) throw new Fault("receipt_pending", { id: toHex(id) }, { retry: true });
    throw error;
  }
}
