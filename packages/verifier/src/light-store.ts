/**
 * What a follower keeps from one visit to the next: the blocks that it verified, and a fork that it found. The place is the caller's: a
 * browser's database, a file. Nothing in it is secret; whoever can change it can change the program as well (docs/security.md).
 * Source: requirement A9; CometBFT v0.40 `light/store`.
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, Fault, schema } from "@xinglin/primitives";
import { MAX_FORK_BYTES } from "./fork-file.ts";

/** A place that keeps one byte string. */
export interface LightStore {
  load(): Promise<Bytes | undefined>;
  save(bytes: Bytes): Promise<void>;
}

/** A store that lasts as long as the program. */
export function memoryLightStore(): LightStore {
  let kept: Bytes | undefined;
  return {
    load: async () => kept,
    save: async (bytes) => {
      kept = bytes;
    },
  };
}

const MAX_STATE_BYTES = 2 * MAX_FORK_BYTES;
const MAX_BLOCKS = 1_200;
const MAX_BLOCK_BYTES = 4_194_304;

const stored = schema.object({
  type: schema.oneOf("xinglin-light/1"),
  chainId: schema.text(50),
  since: schema.uint(),
  blocks: schema.list(schema.bytes(1, MAX_BLOCK_BYTES), MAX_BLOCKS),
  fork: schema.optional(schema.bytes(1, MAX_FORK_BYTES)),
});

/** What is kept. `since` is when this client began to follow the chain, in seconds UTC. */
export interface LightState {
  readonly chainId: string;
  readonly since: number;
  readonly blocks: readonly cometbft.LightBlock[];
  readonly fork?: Bytes | undefined;
}

/** The bytes of a state. */
export const encodeLightState = ({ chainId, since, blocks, fork }: LightState): Bytes =>
  cbor.encode({
    type: "xinglin-light/1",
    chainId,
    since,
    blocks: blocks.map(cometbft.encodeLightBlock),
    ...(fork === undefined ? {} : { fork }),
  });

/** The state in these bytes, or undefined where they are damaged or of another chain: then the follower starts again from its trust. */
export function decodeLightState(bytes: Bytes, chainId: string): LightState | undefined {
  try {
    const state = stored.parse(cbor.decode(bytes, MAX_STATE_BYTES));
    return state.chainId === chainId ? { ...state, blocks: state.blocks.map(cometbft.decodeLightBlock) } : undefined;
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

/** What a store holds, for a person to read: the newest verified block, since when the chain is followed, and the fork file if there is one. */
export function lightStateSummary(
  bytes: Bytes,
  chainId: string,
): { readonly newest: cometbft.LightBlock | undefined; readonly since: number; readonly fork: Bytes | undefined } | undefined {
  const state = decodeLightState(bytes, chainId);
  return state === undefined ? undefined : { newest: state.blocks.at(-1), since: state.since, fork: state.fork };
}
