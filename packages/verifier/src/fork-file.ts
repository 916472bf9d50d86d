/**
 * The fork file: two histories of one chain that both carry the validators' signatures, so that anybody can see offline that keys were
 * misused, and whose. Like the evidence file it holds nothing that no signature covers.
 * Source: requirement A9; CometBFT v0.40 `types/evidence.go` (LightClientAttackEvidence); docs/internals/proofs.md.
 */
import { verifyVote } from "@xinglin/crypto";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, equal, Fault, schema } from "@xinglin/primitives";
import type { VerifySignature } from "./commit.ts";
import type { EvidenceTrust, Facts } from "./evidence.ts";
import { type Attack, judgeAttack } from "./light-attack.ts";
import { LightClient } from "./light-client.ts";
import { type Anchor, anchorOf, genesisAnchor, isLater, type StepRules, verifyStep } from "./light-step.ts";

/** Bounds of a file. */
export const MAX_FORK_BYTES = 16_777_216;
const MAX_BLOCKS = 1_200;
const MAX_BLOCK_BYTES = 4_194_304;

const blocks = (least: number) => schema.list(schema.bytes(1, MAX_BLOCK_BYTES), MAX_BLOCKS, least);
const forkFile = schema.object({
  type: schema.oneOf("xinglin-fork/1"),
  chainId: schema.text(50),
  /** Light blocks that both histories have, in rising order: from where trust begins to the newest common one. */
  shared: blocks(0),
  /** What follows in each history, in rising order; the last of one contradicts the last of the other. */
  one: blocks(1),
  other: blocks(1),
});

/** The content of a fork file. */
export interface Fork {
  readonly chainId: string;
  readonly shared: readonly cometbft.LightBlock[];
  readonly one: readonly cometbft.LightBlock[];
  readonly other: readonly cometbft.LightBlock[];
}

/** The bytes of a fork file. */
export const encodeFork = ({ chainId, shared, one, other }: Fork): Bytes =>
  cbor.encode({
    type: "xinglin-fork/1",
    chainId,
    shared: shared.map(cometbft.encodeLightBlock),
    one: one.map(cometbft.encodeLightBlock),
    other: other.map(cometbft.encodeLightBlock),
  });

/** The content of a fork file. Throws `Fault("malformed")`; nothing is verified yet. */
export function decodeFork(bytes: Bytes): Fork {
  const { chainId, shared, one, other } = forkFile.parse(cbor.decode(bytes, MAX_FORK_BYTES));
  const decode = (list: readonly Bytes[]): cometbft.LightBlock[] => list.map(cometbft.decodeLightBlock);
  return { chainId, shared: decode(shared), one: decode(one), other: decode(other) };
}

/** One of the two histories, judged with the other taken for true. */
export interface ForkSide extends Attack {
  readonly height: number;
  readonly hash: Bytes;
  /** Seconds UTC. */
  readonly time: number;
}

/** The verdict on a fork file. `commonHeight` is 0 where the histories part at the genesis; then there is no evidence for a node. */
export type ForkVerdict =
  | { readonly ok: true; readonly chainId: string; readonly commonHeight: number; readonly sides: readonly [ForkSide, ForkSide] }
  | { readonly ok: false; readonly code: string; readonly facts: Facts };

/**
 * Verifies that both histories follow from what the caller trusts, and that they contradict each other. Codes of a failure: `malformed`,
 * `evidence_chain`, `fork_missing` (no contradiction), `checkpoint_differs`, and those of `LightClient.advance`.
 */
export async function verifyFork(bytes: Bytes, trust: EvidenceTrust, verify: VerifySignature = verifyVote): Promise<ForkVerdict> {
  try {
    const fork = decodeFork(bytes);
    const rules: StepRules = { verify, jumps: "both" };
    const { anchor, rest } = await begin(fork, trust, verify);
    const common = await walk(anchor, rest, rules);
    await walk(common, fork.one, rules);
    await walk(common, fork.other, rules);
    const one = fork.one.at(-1) as cometbft.LightBlock;
    const other = fork.other.at(-1) as cometbft.LightBlock;
    if (!contradict(one, other)) throw new Fault("fork_missing", { height: one.header.height });
    // Of histories that part at the genesis, each one's first block stands in for the common one: the validators are the same.
    const shared = fork.shared.at(-1);
    const sides = [
      side(one, other, shared ?? (fork.other[0] as cometbft.LightBlock)),
      side(other, one, shared ?? (fork.one[0] as cometbft.LightBlock)),
    ] as const;
    return { ok: true, chainId: fork.chainId, commonHeight: common.height, sides };
  } catch (error) {
    if (error instanceof Fault) return { ok: false, code: error.code, facts: error.facts };
    throw error;
  }
}

const side = (conflicting: cometbft.LightBlock, trusted: cometbft.LightBlock, common: cometbft.LightBlock): ForkSide => ({
  ...judgeAttack(conflicting, trusted, common),
  height: conflicting.header.height,
  hash: cometbft.headerHash(conflicting.header),
  time: conflicting.header.time.seconds,
});

async function begin(
  fork: Fork,
  trust: EvidenceTrust,
  verify: VerifySignature,
): Promise<{ anchor: Anchor; rest: readonly cometbft.LightBlock[] }> {
  const { chainId, shared } = fork;
  if ("genesis" in trust) {
    if (trust.genesis.chainId !== chainId) throw new Fault("evidence_chain", { chain: chainId, expected: trust.genesis.chainId });
    return { anchor: genesisAnchor(trust.genesis), rest: shared };
  }
  const { height, hash } = trust.checkpoint;
  const [first, ...rest] = shared;
  if (first === undefined) throw new Fault("checkpoint_differs", { height: 0, expected: height });
  await new LightClient({ chainId, height, headerHash: hash }, verify).advance(first);
  return { anchor: anchorOf(first), rest };
}

async function walk(anchor: Anchor, path: readonly cometbft.LightBlock[], rules: StepRules): Promise<Anchor> {
  let at = anchor;
  for (const block of path) {
    await verifyStep(at, block, rules);
    at = anchorOf(block);
  }
  return at;
}

/** Two headers of one height, or a higher one that is not later than a lower one. */
function contradict(a: cometbft.LightBlock, b: cometbft.LightBlock): boolean {
  if (a.header.height === b.header.height) return !equal(cometbft.headerHash(a.header), cometbft.headerHash(b.header));
  const [low, high] = a.header.height < b.header.height ? [a, b] : [b, a];
  return !isLater(high.header.time, low.header.time);
}
