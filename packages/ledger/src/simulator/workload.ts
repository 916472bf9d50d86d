/**
 * What people do while the simulation runs: they register patients, anchor records, grant and revoke consent, ask to read with and without right,
 * and some of them send what no honest gateway would. Everything is really signed.
 */
import type { StateReader } from "@xinglin/contracts";
import type { Bytes, MemberId } from "@xinglin/primitives";
import { actorOf, administration, COMMISSION, type Draft, HOSPITALS, signed } from "./consortium.ts";
import { byMember, Deeds } from "./deeds.ts";
import type { Random } from "./random.ts";

/** Ways in which a transaction is wrong before any rule is asked. */
export const BAD_TRANSACTIONS = [
  "malformed",
  "damaged",
  "forged",
  "expired",
  "too_far_ahead",
  "stranger",
  "other_chain",
  "again",
] as const;
type Bad = (typeof BAD_TRANSACTIONS)[number];

/** What somebody sends. `bad` says what is wrong with it; undefined if a node may take it. */
export interface Sent {
  readonly bytes: Bytes;
  readonly what: string;
  readonly bad?: Bad;
}

export class Workload {
  readonly #random: Random;
  readonly #chain: string;
  readonly #maxValiditySeconds: number;
  readonly #sent: Bytes[] = [];
  readonly #deeds: Deeds;

  /** `maxValiditySeconds` is the chain's. */
  constructor(random: Random, chain: string, maxValiditySeconds: number) {
    this.#random = random;
    this.#chain = chain;
    this.#maxValiditySeconds = maxValiditySeconds;
    this.#deeds = new Deeds(random);
  }

  /** What somebody sends next, who sees this state at this time and height. */
  next(state: StateReader, time: number, height: number): Sent {
    const random = this.#random;
    if (random.chance(120)) return this.#bad(random.pick(BAD_TRANSACTIONS), time, height);
    const [what, who, operations] = this.#deeds.next(state, time);
    // Now and then as long as may be by a clock of now, which is ahead of the newest block: too far ahead for the next one, perhaps.
    const seconds = random.chance(60) ? this.#maxValiditySeconds + random.between(0, 3) : random.between(4, 50);
    const notAfter = { time: time + seconds, height: height + random.between(6, 200) };
    const bytes = this.sign({ ...who, operations, notAfter });
    this.#sent.push(bytes);
    return { bytes, what };
  }

  /** Signs a transaction of this chain. */
  sign(draft: Omit<Draft, "chain" | "nonce">): Bytes {
    return signed({ chain: this.#chain, nonce: this.#random.bytes(16), ...draft });
  }

  /** A transaction by a member's administration with so many harmless operations. */
  filler(member: MemberId, operations: number, time: number, height: number): Bytes {
    const draft = { ...byMember(member), operations: Array.from({ length: operations }, () => this.#deeds.batch()) };
    return this.sign({ ...draft, notAfter: { time: time + 20, height: height + 20 } });
  }

  /** A transaction that is wrong in one way. */
  bad(kind: Bad, time: number, height: number): Bytes {
    const random = this.#random;
    const member = random.pick(HOSPITALS);
    const notAfter = { time: time + 20, height: height + 20 };
    const good = { ...byMember(member), operations: [this.#deeds.batch()], notAfter };
    if (kind === "malformed") return random.bytes(random.between(0, 200));
    if (kind === "forged") return this.sign({ ...good, forgedBy: random.pick(["mallory", COMMISSION]) });
    if (kind === "expired")
      return this.sign({
        ...good,
        notAfter: random.pick([
          { time: time - 30, height: height + 9 },
          { time: time + 9, height: 0 },
        ]),
      });
    if (kind === "too_far_ahead") return this.sign({ ...good, notAfter: { time: time + 5_000, height } });
    if (kind === "stranger")
      return this.sign({ ...good, key: "mallory", actor: random.pick([actorOf("mallory"), administration(member)]) });
    if (kind === "other_chain") return signed({ ...good, chain: "other-0123456789abcdef", nonce: random.bytes(16) });
    const base = this.#sent.length === 0 ? this.sign(good) : random.pick(this.#sent);
    if (kind === "again") return base;
    const damaged = base.slice();
    damaged[random.below(damaged.length)]! ^= 1 << random.below(8);
    return damaged;
  }

  #bad(kind: Bad, time: number, height: number): Sent {
    const bytes = this.bad(kind, time, height);
    // What was sent before may be taken where it is not known yet.
    return kind === "again" ? { bytes, what: "again" } : { bytes, what: kind, bad: kind };
  }
}
