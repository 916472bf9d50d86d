/**
 * Faults that no new try mends: this node's state is not what the chain says it is. A ledger that finds one stops for good and says so, since whatever it
 * answered from then on could be wrong. Other faults of a disk pass, and the ledger goes on by itself.
 * Source: design.md, "Ledger"; style.md, "Errors are of three kinds" (stopping is better than forking).
 */
import { Fault } from "@xinglin/primitives";

const DAMAGE = new Set(["state_diverged", "state_corrupt"]);

/** The `Fault` in an error that says that the node's own state is damaged, LevelDB's word for a damaged file included; undefined for any other. */
export function damageIn(error: unknown): Fault | undefined {
  if (error instanceof Fault) return DAMAGE.has(error.code) ? error : undefined;
  const { code } = error as { code?: unknown };
  return code === "LEVEL_CORRUPTION" ? new Fault("state_corrupt", {}, { cause: error }) : undefined;
}
