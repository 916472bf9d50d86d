/** Whether tests with CometBFT can run on this machine. */
import { ensureEngine } from "@xinglin/cometbft";
import { Fault } from "@xinglin/primitives";

/** Why there is no CometBFT; undefined if there is one, built if need be. */
export async function engineMissing(): Promise<string | undefined> {
  try {
    await ensureEngine();
    return undefined;
  } catch (error) {
    if (error instanceof Fault && error.code === "go_missing") return `CometBFT is not built: ${error.message}`;
    throw error;
  }
}
