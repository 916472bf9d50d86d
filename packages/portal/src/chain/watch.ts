/**
 * Follows the chain while the page is open: checks new blocks, asks other members' nodes whether they show the same, and raises the alarm when two
 * histories are shown. At most 1 MB a day. Source: requirement A9; docs/guides/patient-page.md.
 */
import type { ApiClient, FollowedChain } from "@xinglin/client";
import { Fault } from "@xinglin/primitives";
import type { LightReport } from "@xinglin/verifier";
import type { ChainStore } from "./store.ts";

/** An open page looks at most this often by itself. */
const LEAST_SECONDS = 600;

/**
 * `opening` until the first look ends; `checked` after one that verified; `unreached` when there was no answer; `spent` when earlier visits used what a day
 * may cost; `expired` when trust is too old to go on from; `lied` when two histories were shown; `wrong` when the server's answer does not verify.
 */
export type ChainPhase = "opening" | "spent" | "checked" | "unreached" | "expired" | "lied" | "wrong";

/** One moment. `report` is the last that verified. */
export interface ChainMoment {
  readonly phase: ChainPhase;
  readonly report: LightReport | undefined;
  readonly fault: Fault | undefined;
  /** The fork file, once a node was caught. */
  readonly fork: Uint8Array | undefined;
}

export class ChainWatch {
  readonly #client: ApiClient;
  readonly #chain: string;
  readonly #store: ChainStore;
  readonly #listeners = new Set<() => void>();
  #moment: ChainMoment = { phase: "opening", report: undefined, fault: undefined, fork: undefined };
  #stop = new AbortController();
  #followed: FollowedChain | undefined;

  /** `chain` is the id in the enrolment link. */
  constructor(client: ApiClient, chain: string, store: ChainStore) {
    this.#client = client;
    this.#chain = chain;
    this.#store = store;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): ChainMoment => this.#moment;

  /** Looks now and then until `stop`; never rejects. */
  start(): void {
    this.#stop = new AbortController();
    void this.#follow(this.#stop.signal).catch((error: unknown) => this.#failed(error));
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Goes on from a block that a person vouches for. Throws `checkpoint_unreadable` where the text is none. */
  async trust(text: string): Promise<void> {
    const { parseCheckpoint } = await import("./follow.ts");
    const checkpoint = parseCheckpoint(text);
    if (checkpoint === undefined) throw new Fault("checkpoint_unreadable");
    await this.#store.keepCheckpoint(checkpoint);
    this.stop();
    this.#set({ phase: "opening", fault: undefined });
    this.start();
  }

  /** Throws `node_lied` once two histories were shown: then nothing is shown as verified and nothing is signed. */
  requireHonest(): void {
    const { phase, fault } = this.#moment;
    if (phase === "lied") throw fault ?? new Fault("node_lied");
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { followChain, LightBudget, openFollowed } = await import("./follow.ts");
    const followed = await openFollowed(this.#client, this.#chain, this.#store);
    if (signal.aborted) return;
    this.#followed = followed;
    await followChain({
      follower: followed,
      bytes: () => followed.bytes,
      rest: resting,
      signal,
      leastSeconds: LEAST_SECONDS,
      onReport: (report) => this.#set({ phase: "checked", report, fault: undefined }),
      onFault: (fault) => this.#set({ phase: "unreached", fault }),
      budget: new LightBudget(this.#store.looks, () => Math.floor(Date.now() / 1_000)),
      // After a look of this visit what it found goes on to stand there, with its time.
      onSpent: () => {
        if (this.#moment.phase === "opening") this.#set({ phase: "spent" });
      },
    });
  }

  #failed(error: unknown): void {
    if (this.#stop.signal.aborted) return;
    // A part of the page that did not load, for example: the next visit tries again.
    if (!(error instanceof Fault)) {
      this.#set({ phase: "unreached", fault: undefined });
      return;
    }
    const fork = this.#followed?.fork;
    this.#set({ phase: phaseOf(error), fault: error, ...(fork === undefined ? {} : { fork }) });
  }

  #set(change: Partial<ChainMoment>): void {
    this.#moment = { ...this.#moment, ...change };
    for (const listener of this.#listeners) listener();
  }
}

function phaseOf({ code, retry }: Fault): ChainPhase {
  if (code === "node_lied") return "lied";
  if (code === "trust_expired") return "expired";
  return retry ? "unreached" : "wrong";
}

const resting = (seconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1_000);
    signal.addEventListener("abort", done);
    if (signal.aborted) done();
  });
