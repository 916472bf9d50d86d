/**
 * What an honest proposer leaves out: only what does not fit. So a transaction that f faulty proposers leave out is in a block within f + 1
 * proposers of the rotation. Source: requirement A1; design.md, "Ledger".
 */
import { decodeTransaction } from "@xinglin/contracts";
import type { Bytes } from "@xinglin/primitives";
import { mustHold } from "./violation.ts";

/** Bounds of a block: operations a member; bytes and operations altogether; the latest end of validity that is not too far ahead of it. */
export interface Room {
  readonly latestSeconds: number;
  readonly quota: number;
  readonly maxBytes: number;
  readonly maxOperations: number;
}

/** Below this share of its bytes a block has room for any transaction. */
const FULL_SHARE = 0.5;

/** Checks a proposal against everything that waits in the proposer's mempool. */
export function checkComplete(
  waiting: readonly Bytes[],
  proposed: readonly Bytes[],
  { quota, maxBytes, maxOperations, latestSeconds }: Room,
): void {
  if (proposed.length >= waiting.length) return;
  const bytes = proposed.reduce((sum, one) => sum + one.length, 0);
  if (bytes > FULL_SHARE * maxBytes) return;
  const taken = new Set(proposed);
  const used = new Map<string, number>();
  let all = 0;
  for (const one of proposed) {
    const { sponsor, operations } = decodeTransaction(one).body;
    all += operations.length;
    used.set(sponsor, (used.get(sponsor) ?? 0) + operations.length);
  }
  const blocked = new Set<string>();
  for (const one of waiting) {
    if (taken.has(one)) continue;
    const { sponsor, operations, notAfter } = decodeTransaction(one).body;
    if (notAfter.time > latestSeconds) continue;
    // The order within a member is kept: behind one that does not fit the others wait.
    const isOver = (used.get(sponsor) ?? 0) + operations.length > quota || all + operations.length > maxOperations;
    mustHold(blocked.has(sponsor) || isOver, `a proposal leaves a transaction of ${sponsor} out`);
    blocked.add(sponsor);
  }
}
