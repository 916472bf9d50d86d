/**
 * What CometBFT is told of a transaction that was turned away: whether it may come again.
 * Source: CometBFT v0.40 `mempool/app_mempool.go` (codes from 32000 on are forgotten, others stay known as seen).
 */
import { Fault } from "@xinglin/primitives";
import { RETRY_CODE } from "../abci/handlers.ts";

/** A no for good. */
export const REFUSED_CODE = 1;

/** What can never stand in a block of this chain, whatever its state: a peer's copy stays known as seen. */
const FOR_EVER = new Set([
  "malformed",
  "oversize",
  "wrong_chain",
  "expired",
  "suite_mismatch",
  "signature_wrong",
  "over_quota",
  "verification_over_budget",
]);

/** The code for a transaction that was turned away; what is no `Fault` is a bug and goes on as one. */
export function answerCode(error: unknown): number {
  if (!(error instanceof Fault)) throw error;
  return FOR_EVER.has(error.code) ? REFUSED_CODE : RETRY_CODE;
}
