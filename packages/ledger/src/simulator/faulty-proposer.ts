/** The blocks of a faulty proposer: see `byzantine.ts` for what may be wrong with them. */
import type { Bytes } from "@xinglin/primitives";
import { type Block, blockTime, type Contents, makeBlock, withHeader } from "./block.ts";
import { pickTrick, type Trick, trickTransactions } from "./byzantine.ts";
import type { SimulatedNode } from "./node.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

/** A faulty block in the place of the honest one with these contents. */
export function faultyBlock(world: World, random: Random, node: SimulatedNode, honest: Contents): { block: Block; trick: Trick } {
  const { facts, workload } = world;
  const { tip } = node;
  const { memberQuota: quota, maxTransactionBytes } = node.application.parameters();
  const height = tip.height + 1;
  const time = blockTime(facts, height, honest.lastCommit).seconds;
  const material = { honest: honest.txs, committed: world.committed(height), time, height, quota, maxTransactionBytes };
  const wanted = world.tricks === undefined ? pickTrick(random) : random.pick(world.tricks);
  const { txs, trick } = trickTransactions(wanted, random, workload, material);
  const contents = { ...honest, txs };
  const block = makeBlock(facts, tip, contents);
  if (trick !== "wrong_header") return { block, trick };
  return { block: withHeader({ ...block.header, appHash: random.bytes(32) }, contents), trick };
}

/** Another block for the same round: who is shown which is up to the proposer. */
export function otherFace(
  { facts }: World,
  node: SimulatedNode,
  proposer: Bytes,
  { lastCommit, misbehaviour, txs }: Block,
): Block {
  return makeBlock(facts, node.tip, { lastCommit, misbehaviour, proposer, txs: txs.slice(1) });
}
