/**
 * The ledger as it is between two blocks, held for a snapshot.
 */
import { keys } from "@xinglin/contracts";
import { type State, StateExport } from "@xinglin/state";
import type { AuditLog } from "../audit-log.ts";
import type { Database } from "../database.ts";
import type { HeldLedger } from "./store.ts";

/** Holds what the newest block left, at once; the caller closes it. */
export function holdLedger(database: Database, state: State, log: AuditLog): HeldLedger {
  const { value = new Uint8Array(0), proof } = state.prove(keys.log);
  const leaves = Buffer.concat(log.openLeaves);
  return { state: new StateExport(database), log: { head: value, proof, leaves } };
}
