/**
 * Whether a custody may be relied on: known, active, different custodians, of whom more than half are needed.
 * Source: requirement D9; design.md, "Consent, access, custody" (no read without a record).
 */
import { type ActorId, accept, type Height, type Result, refuse } from "@xinglin/primitives";
import type { CustodyReference } from "../model/record.ts";
import { getCustodian } from "../reads.ts";
import type { StateReader } from "../rule.ts";

/** In the order of the checks. */
export type CustodyRefusal =
  | { code: "epoch_wrong"; expected: number }
  | { code: "threshold_too_high"; threshold: number; custodians: number }
  | { code: "threshold_too_low"; threshold: number; custodians: number }
  | { code: "custodian_repeated"; custodian: ActorId }
  | { code: "unknown_custodian"; custodian: ActorId }
  | { code: "custodian_retired"; custodian: ActorId };

/** The epoch of a new version's first sharing. */
export const FIRST_EPOCH = 1;

/**
 * Checks `custody` as the sharing number `epoch` of a record version. At most half of the custodians can't put the key together. `anchoredAt`: of what was
 * anchored then, for a custodian that was retired since keeps what it had.
 */
export function checkCustody(
  state: StateReader,
  custody: CustodyReference,
  epoch: number,
  anchoredAt?: Height,
): Result<undefined, CustodyRefusal> {
  const { custodians, threshold } = custody;
  if (custody.epoch !== epoch) return refuse({ code: "epoch_wrong", expected: epoch });
  const facts = { threshold, custodians: custodians.length };
  if (threshold > custodians.length) return refuse({ code: "threshold_too_high", ...facts });
  if (2 * threshold <= custodians.length) return refuse({ code: "threshold_too_low", ...facts });
  for (let i = 0; i < custodians.length; i++) {
    const custodian = custodians[i] as ActorId;
    if (custodians.indexOf(custodian) !== i) return refuse({ code: "custodian_repeated", custodian });
    const found = getCustodian(state, custodian);
    if (found === undefined) return refuse({ code: "unknown_custodian", custodian });
    const keptIt = anchoredAt !== undefined && found.retiredAt !== undefined && anchoredAt < found.retiredAt;
    if (found.status !== "active" && !keptIt) return refuse({ code: "custodian_retired", custodian });
  }
  return accept(undefined);
}
