/**
 * A light client that a clinic without a node can live on: it starts from a genesis or a checkpoint, moves on by skipping, asks other nodes
 * whether they have the same header, remembers what it verified, and goes no further once it was shown two histories.
 * Source: CometBFT v0.40 `light/client.go`; requirement A9.
 */
import { verifyVote } from "@xinglin/crypto";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, Fault } from "@xinglin/primitives";
import type { VerifySignature } from "./commit.ts";
import { decodeFork, encodeFork } from "./fork-file.ts";
import { judgeAttack } from "./light-attack.ts";
import { bisect, fetchAt } from "./light-bisection.ts";
import { LightClient, type Trust } from "./light-client.ts";
import { compareWith, type Divergence, type WitnessAnswer } from "./light-detector.ts";
import { extendHistory } from "./light-history.ts";
import type { LightBlockSource } from "./light-source.ts";
import {
  type Anchor,
  anchorOf,
  genesisAnchor,
  requireFreshTrust,
  requireHeader,
  type StepRules,
  TRUSTING_PERIOD_SECONDS,
  verifyStep,
} from "./light-step.ts";
import { decodeLightState, encodeLightState, type LightStore, memoryLightStore } from "./light-store.ts";

/** What a follower is made of. */
export interface FollowerOptions {
  readonly trust: Trust;
  /** The node that is asked first. */
  readonly primary: LightBlockSource;
  /** Nodes of other members, which are asked whether they have the same header. */
  readonly witnesses: readonly LightBlockSource[];
  /** How many of them are asked at a look, in turn; the very first look asks all. All if not told. */
  readonly witnessesAtOnce?: number;
  readonly store?: LightStore;
  readonly verify?: VerifySignature;
  /** Seconds UTC. */
  readonly now: () => number;
  readonly trustingPeriodSeconds?: number;
  readonly clockDriftSeconds?: number;
}

/** Where a follower stands after it asked. Times in seconds UTC. */
export interface LightReport {
  readonly chainId: string;
  /** Since when this client follows the chain. */
  readonly since: number;
  readonly height: number;
  readonly hash: Bytes;
  /** Of the newest header, and when it was asked for. */
  readonly time: number;
  readonly checkedAt: number;
  readonly validators: number;
  /** How many of them signed. */
  readonly signed: number;
  /** One key alone has more than two thirds of the power: its holder could rewrite history. */
  readonly isSoleKey: boolean;
  /** The asked node is not as far as the header that was verified before. */
  readonly isBehind: boolean;
  readonly witnesses: readonly WitnessAnswer[];
  /** How many other nodes there are to ask; not each is asked at every look. */
  readonly witnessCount: number;
}

/** Follows one chain. Calls of `update` run one after the other. */
export class LightFollower {
  readonly chainId: string;
  readonly #options: FollowerOptions;
  readonly #store: LightStore;
  #since: number;
  #blocks: readonly cometbft.LightBlock[];
  #fork: Bytes | undefined;
  #looks = 0;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(options: FollowerOptions, store: LightStore, loaded: ReturnType<typeof decodeLightState>) {
    this.chainId = options.trust.chainId;
    this.#options = options;
    this.#store = store;
    this.#since = loaded?.since ?? options.now();
    this.#blocks = loaded?.blocks ?? [];
    this.#fork = loaded?.fork;
  }

  /**
   * Goes on from what the store holds, or starts from the trust. A checkpoint above the stored height takes its place: that is how trust
   * which has expired begins anew; it does not make a fork forgotten.
   */
  static async open(options: FollowerOptions): Promise<LightFollower> {
    const store = options.store ?? memoryLightStore();
    const bytes = await store.load();
    const loaded = bytes === undefined ? undefined : decodeLightState(bytes, options.trust.chainId);
    const { trust } = options;
    const newest = loaded?.blocks.at(-1);
    const isReplaced = "height" in trust && newest !== undefined && trust.height > newest.header.height;
    return new LightFollower(options, store, loaded !== undefined && isReplaced ? { ...loaded, blocks: [] } : loaded);
  }

  /** The newest block that was verified and that no other node contradicts. */
  get newest(): cometbft.LightBlock | undefined {
    return this.#blocks.at(-1);
  }

  /** Bytes of the fork file, once a node was caught. */
  get fork(): Bytes | undefined {
    return this.#fork;
  }

  /**
   * Verifies the node's newest header, asks the other nodes, and keeps it. Rejects with `node_lied` when two histories were shown, then and
   * ever after; `trust_expired`; the faults of `verifyStep` when the node's answer does not verify; and those of the source.
   */
  update(): Promise<LightReport> {
    const next = this.#last.then(() => this.#update());
    this.#last = next.catch(() => {});
    return next;
  }

  async #update(): Promise<LightReport> {
    if (this.#fork !== undefined) throw this.#lied(this.#fork);
    const { primary } = this.#options;
    const witnesses = this.#askedNow();
    const rules = this.#rules();
    const anchor = await this.#anchor(rules);
    requireFreshTrust(anchor, rules);
    const target = await primary.lightBlock("newest");
    requireHeader(target.header, this.chainId, rules);
    const isNewer = target.header.height > anchor.height;
    const verified = isNewer ? await bisect(anchor, target, primary, rules) : [];
    const own = { blocks: [...this.#blocks, ...verified], genesis: this.#genesis() };
    // A node that has nothing newer is held against what was verified before, like the others.
    const asked = isNewer ? witnesses : [primary, ...witnesses];
    const answers = await Promise.all(asked.map((source) => compareWith(source, own, rules)));
    const divergence = answers.find((answer): answer is Divergence => "shared" in answer);
    if (divergence !== undefined) await this.#halt(divergence);
    const told = answers as WitnessAnswer[];
    const first = isNewer ? undefined : (told.shift() as WitnessAnswer);
    if (first?.outcome === "dropped") throw new Fault(first.code ?? "malformed", { height: target.header.height });
    this.#blocks = extendHistory(this.#blocks, verified, rules.oldestSeconds);
    await this.#save();
    return this.#report(told, first?.outcome === "behind");
  }

  /** Each in turn, so that none is left out for long. */
  #askedNow(): readonly LightBlockSource[] {
    const { witnesses, witnessesAtOnce = witnesses.length } = this.#options;
    const look = this.#looks++;
    if (this.newest === undefined || witnessesAtOnce >= witnesses.length) return witnesses;
    // A page is opened often and looked at once: it must not begin with the same ones every time.
    const start = (Math.floor(this.#options.now() / 60) + look * witnessesAtOnce) % witnesses.length;
    return [...witnesses, ...witnesses].slice(start, start + witnessesAtOnce);
  }

  #rules(): StepRules & { oldestSeconds: number } {
    const { verify = verifyVote, trustingPeriodSeconds = TRUSTING_PERIOD_SECONDS, clockDriftSeconds } = this.#options;
    const now = this.#options.now();
    const oldestSeconds = now - trustingPeriodSeconds;
    return { verify, jumps: "overlap", now, trustingPeriodSeconds, clockDriftSeconds, oldestSeconds };
  }

  #genesis(): Anchor | undefined {
    const { trust } = this.#options;
    return "validators" in trust ? genesisAnchor(trust) : undefined;
  }

  /** What to go on from; at first the block of the checkpoint, or the first of the chain, which a fork could be traced back to. */
  async #anchor(rules: StepRules): Promise<Anchor> {
    const newest = this.newest;
    if (newest !== undefined) return anchorOf(newest);
    const { trust, primary } = this.#options;
    const genesis = this.#genesis();
    let first: cometbft.LightBlock;
    if (genesis === undefined) {
      const { height } = trust as Extract<Trust, { height: number }>;
      first = await fetchAt(primary, height);
      await new LightClient(trust, rules.verify).advance(first);
    } else {
      requireFreshTrust(genesis, rules);
      try {
        first = await fetchAt(primary, 1);
      } catch (error) {
        // A node that joined late may not have it any more.
        if (error instanceof Fault && error.code === "height_unknown") return genesis;
        throw error;
      }
      await verifyStep(genesis, first, rules);
    }
    this.#blocks = [first];
    return anchorOf(first);
  }

  async #halt({ shared, own, other }: Divergence): Promise<never> {
    this.#fork = encodeFork({ chainId: this.chainId, shared, one: own, other });
    await this.#save();
    throw this.#lied(this.#fork);
  }

  #lied(bytes: Bytes): Fault {
    const { shared, one, other } = decodeFork(bytes);
    const [mine, theirs] = [one.at(-1), other.at(-1)] as [cometbft.LightBlock, cometbft.LightBlock];
    const common = shared.at(-1);
    const attack = judgeAttack(mine, theirs, common ?? (other[0] as cometbft.LightBlock));
    const { kind, byzantine, power, totalPower } = attack;
    const commonHeight = common?.header.height ?? 0;
    return new Fault("node_lied", {
      height: mine.header.height,
      commonHeight,
      kind,
      byzantine: byzantine.length,
      power,
      totalPower,
    });
  }

  /** Another tab may have found a fork meanwhile: that is never overwritten. */
  async #save(): Promise<void> {
    const kept = await this.#store.load();
    const fork = this.#fork ?? (kept === undefined ? undefined : decodeLightState(kept, this.chainId)?.fork);
    this.#fork = fork;
    await this.#store.save(encodeLightState({ chainId: this.chainId, since: this.#since, blocks: this.#blocks, fork }));
  }

  #report(witnesses: readonly WitnessAnswer[], isBehind: boolean): LightReport {
    const { header, commit, validators } = this.newest as cometbft.LightBlock;
    const total = cometbft.totalPower(validators);
    return {
      chainId: this.chainId,
      since: this.#since,
      height: header.height,
      hash: cometbft.headerHash(header),
      time: header.time.seconds,
      checkedAt: this.#options.now(),
      validators: validators.length,
      signed: commit.signatures.filter(({ flag }) => flag === "commit").length,
      isSoleKey: validators.some(({ power }) => 3 * power > 2 * total),
      isBehind,
      witnesses,
      witnessCount: this.#options.witnesses.length,
    };
  }
}
