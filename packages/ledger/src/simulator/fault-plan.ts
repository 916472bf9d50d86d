/** Faults that come from outside a node's own work: it is killed at any moment, the network falls apart, a clock is set wrong. */
import type { Profile } from "./profile.ts";
import type { Random } from "./random.ts";

/** What comes next. `parts[i]` is the part of the network in which node i finds itself. */
export type OutsideFault =
  | { readonly kind: "kill"; readonly node: number }
  | { readonly kind: "split"; readonly parts: readonly number[]; readonly lastsMs: number }
  | { readonly kind: "skew"; readonly node: number; readonly skewMs: number };

export class FaultPlan {
  readonly #random: Random;
  readonly #profile: Profile;

  constructor(random: Random, profile: Profile) {
    this.#random = random;
    this.#profile = profile;
  }

  /** By how much each clock is wrong at first: badly those of less than a third, the others a little. */
  skews(): number[] {
    const { powers, skewMs } = this.#profile;
    const few = Math.floor((powers.length - 1) / 3);
    return powers.map((_, i) => this.#skew(i < few ? skewMs : Math.min(skewMs, 200)));
  }

  /** Milliseconds to the next fault. */
  nextMs(): number {
    const { faultEveryMs } = this.#profile;
    return this.#random.between(Math.ceil(faultEveryMs / 2), Math.ceil(faultEveryMs * 1.5));
  }

  /** How long a node stays down. */
  downMs(): number {
    return this.#random.chance(850) ? this.#random.between(20, 1_500) : this.#random.between(2_000, 8_000);
  }

  /** The next fault, if one fits. */
  next(isUp: readonly boolean[], isSplit: boolean): OutsideFault | undefined {
    const random = this.#random;
    const kind = random.pick(["kill", "kill", "split", "split", "skew"] as const);
    const node = random.below(isUp.length);
    if (kind === "skew") return { kind, node: 0, skewMs: this.#skew(this.#profile.skewMs) };
    if (kind === "kill") {
      const down = isUp.filter((up) => !up).length;
      const isTooMany = !this.#profile.mayLoseQuorum && 3 * (down + 1) >= isUp.length;
      return isUp[node] === true && !isTooMany ? { kind, node } : undefined;
    }
    if (isSplit || isUp.length < 2) return undefined;
    // One node alone, or two to three parts of any size.
    const parts = random.chance(400)
      ? isUp.map((_, i) => Number(i === node))
      : isUp.map(() => random.below(random.between(2, 3)));
    return { kind, parts, lastsMs: random.between(200, 3_000) };
  }

  #skew(most: number): number {
    return this.#random.between(-most, most);
  }
}
