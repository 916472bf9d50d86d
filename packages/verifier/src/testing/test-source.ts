/** A node for tests that answers what it was given. Source: style.md, "Tests". */
import { cometbft } from "@xinglin/crypto/pure";
import { Fault } from "@xinglin/primitives";
import type { LightBlockSource } from "../light-source.ts";

/** A node with these light blocks; the highest is its newest. `asked` fills with the heights that it was asked for. */
export interface TestSource extends LightBlockSource {
  readonly asked: (number | "newest")[];
  /** What it has; may be changed. */
  blocks: readonly cometbft.LightBlock[];
  /** While set, every request fails with it. */
  fault: Fault | undefined;
}

/** Makes a node for tests. */
export function testSource(name: string, blocks: readonly cometbft.LightBlock[]): TestSource {
  const source: TestSource = {
    name,
    blocks,
    asked: [],
    fault: undefined,
    async lightBlock(height) {
      source.asked.push(height);
      if (source.fault !== undefined) throw source.fault;
      const sorted = [...source.blocks].sort((a, b) => a.header.height - b.header.height);
      const found = height === "newest" ? sorted.at(-1) : sorted.find(({ header }) => header.height === height);
      if (found === undefined) throw new Fault("height_unknown", { height: sorted.at(-1)?.header.height ?? 0 });
      // As it would come over a wire.
      return cometbft.decodeLightBlock(cometbft.encodeLightBlock(found));
    },
  };
  return source;
}
