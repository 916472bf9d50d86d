/**
 * Where light blocks come from: a member's node, asked over whatever the caller has.
 * Source: CometBFT v0.40 `light/provider/provider.go`; requirement A9.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal } from "@xinglin/primitives";

/** One node that can be asked. What it answers is believed only as far as it verifies. */
export interface LightBlockSource {
  /** How a person knows this node: its address. */
  readonly name: string;
  /**
   * The light block at a height, or the newest. Rejects with `Fault("height_unknown")` where the node has none, and with a fault that can be
   * retried where it can't be reached; any other fault means that it answered what no honest node answers.
   */
  lightBlock(height: number | "newest"): Promise<cometbft.LightBlock>;
  /** The light block at a height unless its header has this hash: saves the bytes of an answer that agrees. */
  differing?(height: number, hash: Bytes): Promise<cometbft.LightBlock | undefined>;
}

/** The node's block at a height if it differs from the header with this hash; undefined if it agrees. */
export async function differingBlock(
  source: LightBlockSource,
  height: number,
  hash: Bytes,
): Promise<cometbft.LightBlock | undefined> {
  const answer = await (source.differing?.(height, hash) ?? source.lightBlock(height));
  return answer === undefined || equal(cometbft.headerHash(answer.header), hash) ? undefined : answer;
}
