/**
 * Where a chain went on as a network after it had begun as one hospital's: a file beside the genesis, the same for all members.
 * Source: requirement F13; CometBFT v0.40 `types/genesis.go` (initial_height, app_hash).
 */
import { existsSync, readFileSync } from "node:fs";
import type { Continuation } from "@xinglin/cometbft";
import { writeFileDurably } from "@xinglin/custody";
import { Fault, fromHex, schema, toHex } from "@xinglin/primitives";

const shape = schema.object({
  type: schema.oneOf("xinglin-continuation/1"),
  initialHeight: schema.uint(Number.MAX_SAFE_INTEGER, 2),
  appHash: schema.text(64, /^[0-9a-f]{64}$/),
  seconds: schema.uint(),
  nanos: schema.uint(999_999_999),
});

/** Where the file lies for the genesis at `genesis`. */
export const continuationFile = (genesis: string): string => `${genesis}.continuation`;

/** Writes the file beside the genesis. */
export function writeContinuation(genesis: string, { initialHeight, appHash, genesisTime }: Continuation): void {
  const content = { type: "xinglin-continuation/1", initialHeight, appHash: toHex(appHash), ...genesisTime };
  writeFileDurably(continuationFile(genesis), Buffer.from(`${JSON.stringify(content, undefined, 2)}\n`));
}

/** Reads it; undefined for a chain that began as a network. Throws `continuation_unreadable`. */
export function readContinuation(genesis: string): Continuation | undefined {
  const path = continuationFile(genesis);
  if (!existsSync(path)) return undefined;
  try {
    const { initialHeight, appHash, seconds, nanos } = shape.parse(JSON.parse(readFileSync(path, "utf8")));
    return { initialHeight, appHash: fromHex(appHash), genesisTime: { seconds, nanos } };
  } catch (cause) {
    throw new Fault("continuation_unreadable", { path }, { cause });
  }
}
