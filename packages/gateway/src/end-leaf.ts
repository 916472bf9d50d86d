/**
 * The end of a record of a batch. A leaf can't be changed, so a record of its own takes its place and ends: its shares are erased, and the pack and
 * its neighbours stay. Source: requirement C8; docs/internals/rules.md, "Records".
 */
import { TrustedChain } from "@xinglin/client";
import { keys } from "@xinglin/contracts";
import { Fault, type RecordId } from "@xinglin/primitives";
import type { BatchLeaves } from "./batch-leaves.ts";
import { eraseShares, type ShareErasure } from "./end-record.ts";
import type { Gateway } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";
import { requireAccepted } from "./receipts.ts";

/**
 * Ends a record of a batch of this source and has its shares erased; then its salt is forgotten. May be called again for custodians that were not
 * reached. Faults: `leaf_unknown`, those of `anchorRecord` and `endRecord`.
 */
export async function endLeaf(
  gateway: Gateway,
  by: KeyOfFile,
  record: RecordId,
  leaves: BatchLeaves,
): Promise<readonly ShareErasure[]> {
  if (!(await isStoodOver(gateway, by, record))) {
    const { salt: _, ...leaf } = leaves.ticketOf(record).leaf;
    const credential = by.credential === undefined ? {} : { credential: by.credential };
    const operations = [
      { op: "anchorRecord", ...leaf, ...credential },
      { op: "endRecord", record, ...credential },
    ] as const;
    requireAccepted(await gateway.client.submit(by, operations));
  }
  const erasures = await eraseShares(gateway, by, record);
  if (erasures.length > 0 && erasures.every(({ code }) => code === undefined)) leaves.erase(record);
  return erasures;
}

/** Whether a record of this source stands over the leaf already; one of another's the rules will name. */
async function isStoodOver({ client }: Gateway, by: KeyOfFile, record: RecordId): Promise<boolean> {
  try {
    return (await (await TrustedChain.of(client)).prove(by, keys.record(record))).value !== undefined;
  } catch (error) {
    // A server shows nobody whether there is no record or another's.
    if (error instanceof Fault && error.code === "not_visible") return false;
    throw error;
  }
}
