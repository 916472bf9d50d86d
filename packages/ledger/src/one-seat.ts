/**
 * What a driver of one validator turns away: a vote that would give the chain more seats. The rules allow it, because under consensus a chain
 * grows that way; here nobody else would ever sign.
 * Source: design.md, "Drivers" (solo), "Validators"; requirement F13.
 */
import type { Transaction } from "@xinglin/contracts";
import { Fault } from "@xinglin/primitives";

/** Throws `Fault("not_for_one_validator")` for a transaction that proposes more than one seat. */
export function checkOneSeat({ body }: Transaction): void {
  for (const operation of body.operations) {
    if (operation.op !== "proposeChange" || operation.action.kind !== "setElection") continue;
    const { maxSeats } = operation.action.election;
    if (maxSeats > 1) throw new Fault("not_for_one_validator", { seats: maxSeats });
  }
}
