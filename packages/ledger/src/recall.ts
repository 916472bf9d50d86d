/**
 * What a committed block came to, told again from what is kept of it: for a driver that could not tell of it when it was committed.
 * Source: design.md, "Drivers".
 */
import { decodeAuditEntry, decodeTransaction } from "@xinglin/contracts";
import { type Bytes, invariant } from "@xinglin/primitives";
import type { Application } from "./application.ts";
import type { BlockOutcome } from "./block.ts";

/**
 * The outcome of the block at `height`, whose transactions these are; undefined if this node did not execute it, or let it go. Cost: linear in its
 * entries, each read and decoded.
 */
export function recallOutcome(
  { results, log }: { readonly results: Application["results"]; readonly log: Pick<Application["log"], "entry"> },
  height: number,
  transactions: readonly Bytes[],
): BlockOutcome | undefined {
  const kept = results(height);
  if (kept === undefined) return undefined;
  invariant(kept.transactions.length === transactions.length, "recall: the transactions of another block");
  const ids: Bytes[] = [];
  const entries: BlockOutcome["entries"][number][] = [];
  for (const [i, result] of kept.transactions.entries()) {
    if ("code" in result) continue;
    ids.push(decodeTransaction(transactions[i] as Bytes).id);
    for (let n = 0; n < result.operations; n++) {
      const sequence = kept.first + entries.length;
      const bytes = log.entry(sequence);
      invariant(bytes !== undefined, "recall: an audit entry is missing");
      entries.push({ sequence, bytes, entry: decodeAuditEntry(bytes) });
    }
  }
  return { entries, ids };
}
