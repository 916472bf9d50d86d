/** Who was found to have voted twice, and which blocks have said so. Source: CometBFT v0.40 spec, evidence (duplicate votes). */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal } from "@xinglin/primitives";
import type { Misbehaviour } from "../block.ts";

/** Evidence counts for so many heights. */
const MAX_AGE = 50;

export class Evidence {
  readonly #found = new Map<string, Misbehaviour>();
  readonly #reported = new Set<string>();

  /** Notes a double vote; whether it is news. */
  add(publicKey: Bytes, height: number): boolean {
    const address = cometbft.addressOf(publicKey);
    const name = nameOf({ address, height });
    if (this.#found.has(name)) return false;
    this.#found.set(name, { kind: "duplicate_vote", address, height });
    return true;
  }

  /** What the block at `height` may bring. */
  open(height: number): Misbehaviour[] {
    return [...this.#found]
      .filter(([name, one]) => !this.#reported.has(name) && one.height < height && one.height + MAX_AGE > height)
      .map(([, one]) => one);
  }

  /** A decided block brings this. */
  report(misbehaviour: readonly Misbehaviour[]): void {
    for (const one of misbehaviour)
      for (const known of this.#found.values())
        if (known.height === one.height && equal(known.address, one.address)) this.#reported.add(nameOf(known));
  }
}

const nameOf = ({ address, height }: Pick<Misbehaviour, "address" | "height">): string =>
  `${height} ${Buffer.from(address).toString("hex")}`;
