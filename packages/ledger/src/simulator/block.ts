/**
 * Blocks of several validators, with real headers, parts and commits, as CometBFT writes them.
 * Source: CometBFT v0.40 `state/state.go` (MakeBlock), `state/validation.go`, spec "BFT time".
 */
import { nodeSha256 } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, cbor, equal, toHex } from "@xinglin/primitives";
import type { BlockInput, CommitVote, Misbehaviour } from "../block.ts";
import type { Time } from "../block-time.ts";
import { APP_PROTOCOL } from "../solo-block.ts";
import type { ValidatorSchedule } from "./validators.ts";

/** A block with everything that hangs on it. `key` names its id. */
export interface Block {
  readonly header: cometbft.Header;
  readonly txs: readonly Bytes[];
  readonly lastCommit: cometbft.Commit;
  readonly misbehaviour: readonly Misbehaviour[];
  readonly bytes: Bytes;
  readonly blockId: cometbft.BlockId;
  readonly key: string;
}

/** What the next header says of what came before. */
export interface Tip {
  readonly height: number;
  readonly blockId: cometbft.BlockId;
  readonly appHash: Bytes;
  readonly resultsHash: Bytes;
}

/** What is the same in every header of the chain. */
export interface ChainFacts {
  readonly chainId: string;
  readonly maxBlockBytes: number;
  /** Time of the first block. */
  readonly genesisTime: Time;
  readonly schedule: ValidatorSchedule;
}

/** What a proposer chooses. */
export interface Contents {
  readonly txs: readonly Bytes[];
  readonly lastCommit: cometbft.Commit;
  readonly misbehaviour: readonly Misbehaviour[];
  readonly proposer: Bytes;
}

/** The block after `tip`. */
export function makeBlock(facts: ChainFacts, tip: Tip, { txs, lastCommit, misbehaviour, proposer }: Contents): Block {
  const height = tip.height + 1;
  const { schedule } = facts;
  const header: cometbft.Header = {
    version: { block: cometbft.BLOCK_PROTOCOL, app: APP_PROTOCOL },
    chainId: facts.chainId,
    height,
    time: blockTime(facts, height, lastCommit),
    lastBlockId: tip.blockId,
    lastCommitHash: cometbft.commitHash(lastCommit),
    dataHash: cometbft.dataHash(txs, nodeSha256),
    validatorsHash: schedule.at(height).hash,
    nextValidatorsHash: schedule.at(height + 1).hash,
    consensusHash: cometbft.consensusHash({ maxBytes: facts.maxBlockBytes, maxGas: -1 }),
    appHash: tip.appHash,
    lastResultsHash: tip.resultsHash,
    // Stands for the hash over CometBFT's own encoding of evidence, which carries the two votes.
    evidenceHash:
      misbehaviour.length === 0 ? cometbft.NO_EVIDENCE_HASH : nodeSha256(cbor.encode(misbehaviour.map((one) => ({ ...one })))),
    proposerAddress: cometbft.addressOf(proposer),
  };
  return withHeader(header, { txs, lastCommit, misbehaviour });
}

/** The same contents under another header: only a faulty proposer makes one by hand. */
export function withHeader(header: cometbft.Header, contents: Omit<Contents, "proposer">): Block {
  const { txs, lastCommit } = contents;
  const bytes = cometbft.encodeBlock({ header, txs, lastCommit });
  const blockId = cometbft.blockId(header, bytes, nodeSha256);
  const { misbehaviour } = contents;
  return { header, txs, lastCommit, misbehaviour, bytes, blockId, key: keyOf(blockId) };
}

/** A block id as a map key. */
export const keyOf = ({ hash }: cometbft.BlockId): string => Buffer.from(hash).toString("latin1");

/** Verdicts on a block, by the app hash before it: all nodes of a simulation look at the same objects. */
const judged = new WeakMap<Block, Map<string, boolean>>();

/** What CometBFT checks of a proposal before the application sees it. */
export function isWellFormed(facts: ChainFacts, tip: Tip, block: Block): boolean {
  const name = `${tip.height} ${toHex(tip.appHash)} ${toHex(tip.resultsHash)}`;
  const verdicts = judged.get(block) ?? new Map<string, boolean>();
  judged.set(block, verdicts);
  const verdict = verdicts.get(name) ?? check(facts, tip, block);
  verdicts.set(name, verdict);
  return verdict;
}

function check(facts: ChainFacts, tip: Tip, block: Block): boolean {
  const { header, txs, lastCommit, misbehaviour } = block;
  const proposer = facts.schedule
    .at(header.height)
    .validators.find(({ publicKey }) => equal(cometbft.addressOf(publicKey), header.proposerAddress));
  if (header.height !== tip.height + 1 || proposer === undefined) return false;
  if (tip.height > 0 && !isCommitOf(facts, tip, lastCommit)) return false;
  const size = txs.reduce((sum, tx) => sum + tx.length, 0);
  if (size > facts.maxBlockBytes) return false;
  return makeBlock(facts, tip, { txs, lastCommit, misbehaviour, proposer: proposer.publicKey }).key === block.key;
}

function isCommitOf({ schedule }: ChainFacts, tip: Tip, commit: cometbft.Commit): boolean {
  const { validators, total } = schedule.at(tip.height);
  if (commit.signatures.length !== validators.length || !equal(commit.blockId.hash, tip.blockId.hash)) return false;
  const power = validators.reduce((sum, { power: own }, i) => sum + (commit.signatures[i]?.flag === "commit" ? own : 0), 0);
  return 3 * power > 2 * total;
}

/** The weighted median of the times in the last commit; of the first block, the genesis'. */
export function blockTime({ genesisTime, schedule }: ChainFacts, height: number, { signatures }: cometbft.Commit): Time {
  if (height === 1) return genesisTime;
  const { validators } = schedule.at(height - 1);
  const votes = signatures.flatMap((sig, i) =>
    sig.flag === "absent" ? [] : [{ time: sig.timestamp, power: validators[i]?.power ?? 0 }],
  );
  votes.sort((a, b) => a.time.seconds - b.time.seconds || a.time.nanos - b.time.nanos);
  let left = Math.floor(votes.reduce((sum, { power }) => sum + power, 0) / 2);
  for (const { time, power } of votes) {
    if (left <= power) return time;
    left -= power;
  }
  return genesisTime;
}

/** The block as the application gets it. Transactions are copies: a block comes from outside. */
export function inputOf({ schedule }: ChainFacts, { header, txs, lastCommit, misbehaviour }: Block): BlockInput {
  const { height, time } = header;
  const votes: CommitVote[] =
    height === 1
      ? []
      : schedule.at(height - 1).validators.map(({ publicKey }, i) => ({
          address: cometbft.addressOf(publicKey),
          signed: lastCommit.signatures[i]?.flag === "commit",
        }));
  return { height, time, transactions: txs.map((tx) => tx.slice()), misbehaviour, lastCommit: votes };
}
