/**
 * A light client over members' APIs: one is asked first, the others are its witnesses. The patient's page and `xinglin light` use it.
 * Source: requirement A9; design.md, "Proofs".
 */
import { Fault, schema } from "@xinglin/primitives";
import {
  genesisTrust,
  headerHash,
  type LightBlock,
  LightFollower,
  type LightReport,
  type LightStore,
  type Trust,
  type VerifySignature,
} from "@xinglin/verifier";
import { ApiClient } from "./api-client.ts";
import { ApiLightSource } from "./light-source.ts";
import { TrustedChain } from "./trusted-chain.ts";

/** Other nodes that are asked at one look: enough that one honest one is among them, few enough for 1 MB a day. */
const WITNESSES_AT_ONCE = 4;
/** More nodes than this are not remembered: a server could name any number. */
const MAX_WITNESSES = 64;

/** A header that a person vouches for. */
export interface Checkpoint {
  readonly height: number;
  readonly hash: Uint8Array;
}

/** What a followed chain is made of. */
export interface FollowedChainOptions {
  readonly client: ApiClient;
  /** Learnt elsewhere, from an enrolment link or a letter: a server with another genesis is `wrong_chain`. */
  readonly chainId?: string;
  readonly checkpoint?: Checkpoint;
  /** Addresses of other members' APIs. */
  readonly witnesses: readonly string[];
  readonly store?: LightStore;
  readonly verify?: VerifySignature;
  /** Seconds UTC; of this device if not told. */
  readonly now?: () => number;
  readonly trustingPeriodSeconds?: number;
  readonly fetch?: typeof fetch;
}

const peersAnswer = schema.object({ peers: schema.list(schema.text(256), 256) });

/** The other members' APIs that a node names; none where it does not know the route. They are addresses, not yet trusted with anything. */
export async function peersOf(client: ApiClient): Promise<readonly string[]> {
  try {
    return peersAnswer
      .parse(await client.getJson("/v1/peers"))
      .peers.filter((peer) => /^https?:\/\/[^/?#\s]+$/.test(peer) && URL.canParse(peer));
  } catch (error) {
    if (error instanceof Fault && error.code === "route_unknown") return [];
    throw error;
  }
}

/** Follows a chain and knows what it cost. */
export class FollowedChain {
  readonly #follower: LightFollower;
  readonly #sources: readonly ApiLightSource[];

  private constructor(follower: LightFollower, sources: readonly ApiLightSource[]) {
    this.#follower = follower;
    this.#sources = sources;
  }

  /** Opens the store and asks nobody but for the genesis. Throws `wrong_chain`. */
  static async open(options: FollowedChainOptions): Promise<FollowedChain> {
    const { client, checkpoint, store, verify, trustingPeriodSeconds } = options;
    const genesis = genesisTrust((await client.genesis()).bytes);
    const { chainId } = genesis;
    if (options.chainId !== undefined && options.chainId !== chainId) throw new Fault("wrong_chain", { chain: chainId });
    const trust: Trust = checkpoint === undefined ? genesis : { chainId, height: checkpoint.height, headerHash: checkpoint.hash };
    const own = new URL(client.url).origin;
    const others = [...new Set(options.witnesses)].filter((url) => new URL(url).origin !== own).slice(0, MAX_WITNESSES);
    const primary = new ApiLightSource(client);
    const witnesses = others.map(
      (url) => new ApiLightSource(new ApiClient({ url, ...(options.fetch === undefined ? {} : { fetch: options.fetch }) })),
    );
    const follower = await LightFollower.open({
      trust,
      primary,
      witnesses,
      witnessesAtOnce: WITNESSES_AT_ONCE,
      now: options.now ?? (() => Math.floor(Date.now() / 1000)),
      ...(store === undefined ? {} : { store }),
      ...(verify === undefined ? {} : { verify }),
      ...(trustingPeriodSeconds === undefined ? {} : { trustingPeriodSeconds }),
    });
    return new FollowedChain(follower, [primary, ...witnesses]);
  }

  /** As `LightFollower.update`. */
  async update(): Promise<LightReport> {
    const known = this.newest;
    if (known !== undefined) for (const source of this.#sources) source.learn(known);
    return this.#follower.update();
  }

  get newest(): LightBlock | undefined {
    return this.#follower.newest;
  }

  /** Bytes of the fork file, once a node was caught. */
  get fork(): Uint8Array | undefined {
    return this.#follower.fork;
  }

  /** Bytes that all nodes together cost so far. */
  get bytes(): number {
    return this.#sources.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}

/** The newest block of the caller's own node, its signatures checked: what a registrar or an old phone vouches for in a link. */
export async function newestCheckpoint(client: ApiClient): Promise<Checkpoint> {
  const lightBlock = await client.getBytes("/v1/light-blocks/newest");
  const header = await (await TrustedChain.of(client)).header(lightBlock);
  return { height: header.height, hash: headerHash(header) };
}

/** Reads `HASH@HEIGHT`, as a person gives it; spaces and case do not matter. Undefined for anything else. */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  const match = /^([0-9a-f]{64})@([1-9][0-9]{0,14})$/.exec(text.replace(/\s/g, "").toLowerCase());
  if (match === null) return undefined;
  const [, hash, height] = match as unknown as [string, string, string];
  return { height: Number(height), hash: Uint8Array.from(hash.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)) };
}
