/**
 * From a trusted header to a later one in as few steps as verify: where a jump fails because the validators changed too much, the block in
 * the middle is fetched first.
 * Source: CometBFT v0.40 `light/client.go` (verifySkipping).
 */
import type { cometbft } from "@xinglin/crypto/pure";
import { Fault } from "@xinglin/primitives";
import type { LightBlockSource } from "./light-source.ts";
import { type Anchor, anchorOf, type StepRules, verifyStep } from "./light-step.ts";

/** A node that makes a client fetch more than this is not helping it. */
const MAX_FETCHED = 1_000;

/**
 * The verified blocks that lead from `anchor` to `target`, which is the last. Throws what `verifyStep` throws, and what the source rejects
 * with when a block in between is not to be had.
 */
export async function bisect(
  anchor: Anchor,
  target: cometbft.LightBlock,
  source: LightBlockSource,
  rules: StepRules,
): Promise<cometbft.LightBlock[]> {
  const trace: cometbft.LightBlock[] = [];
  /** Blocks that wait to be verified, the target first, each next one lower. */
  const waiting = [target];
  let trusted = anchor;
  let tried = 0;
  let fetched = 0;
  for (;;) {
    const block = waiting[tried] as cometbft.LightBlock;
    const isProven = await verifies(trusted, block, rules);
    if (isProven) {
      trace.push(block);
      if (tried === 0) return trace;
      trusted = anchorOf(block);
      waiting.length = tried;
      tried = 0;
      continue;
    }
    tried += 1;
    if (tried < waiting.length) continue;
    fetched += 1;
    if (fetched > MAX_FETCHED) throw new Fault("validators_unproven", { height: target.header.height, trusted: anchor.height });
    waiting.push(await fetchAt(source, Math.floor((trusted.height + block.header.height) / 2)));
  }
}

/** False where a block in between may help. */
async function verifies(trusted: Anchor, block: cometbft.LightBlock, rules: StepRules): Promise<boolean> {
  try {
    await verifyStep(trusted, block, rules);
    return true;
  } catch (error) {
    const mayHelp = error instanceof Fault && error.code === "validators_unproven";
    if (mayHelp && block.header.height > trusted.height + 1) return false;
    throw error;
  }
}

/** The block at a height. Throws `Fault("malformed")` if the node answers another. */
export async function fetchAt(source: LightBlockSource, height: number): Promise<cometbft.LightBlock> {
  const block = await source.lightBlock(height);
  if (block.header.height !== height) throw new Fault("malformed", { element: "height", height });
  return block;
}
