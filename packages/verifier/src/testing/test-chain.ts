/**
 * A chain of headers and commits for tests: any validators, any state roots, and forgeries on request. No ledger behind it.
 * Source: CometBFT v0.40 `types`; style.md, "Tests".
 */
import { ed25519Signer, mlDsa65Signer } from "@xinglin/crypto";
import { cometbft, sha256 } from "@xinglin/crypto/pure";
import { type Bytes, equal, invariant, utf8 } from "@xinglin/primitives";

/** A validator that signs, with a key of either type. */
export interface TestValidator {
  readonly signer: { readonly publicKey: Bytes; sign(message: Bytes): Bytes | Promise<Bytes> };
  readonly power: number;
}

/** A validator whose key follows from its name. */
export const testValidator = (name: string, power = 1): TestValidator => ({ signer: ed25519Signer(sha256(utf8(name))), power });

/** The same with a key of ML-DSA-65. */
export const testLatticeValidator = (name: string, power = 1): TestValidator => ({
  signer: mlDsa65Signer(sha256(utf8(name))),
  power,
});

/** The validators as a set, in its order. */
export const validatorSet = (validators: readonly TestValidator[]): cometbft.Validator[] =>
  cometbft.sortValidators(validators.map(({ signer, power }) => ({ publicKey: signer.publicKey, power })));

/** What the next block shall hold; what is left out stays as it was or is empty. */
export interface TestBlock {
  readonly appHash?: Bytes;
  readonly txs?: readonly Bytes[];
  /** Who validates from the block after this one. */
  readonly nextValidators?: readonly TestValidator[];
  /** Seconds since the block before. */
  readonly seconds?: number;
  /** How a validator votes; "commit" if not told. */
  readonly vote?: (index: number) => cometbft.CommitSig["flag"];
}

const GENESIS_SECONDS = 1_767_225_600;
const NANOS = 123_456_789;

/** Grows block by block; `blocks[0]` has height 1. */
export class TestChain {
  readonly chainId: string;
  readonly blocks: cometbft.LightBlock[] = [];
  #validators: readonly TestValidator[];
  #lastCommit: cometbft.Commit = cometbft.NO_COMMIT;
  #appHash: Bytes = sha256(utf8("genesis state"));
  #seconds = GENESIS_SECONDS;

  constructor(chainId: string, validators: readonly TestValidator[]) {
    this.chainId = chainId;
    this.#validators = validators;
  }

  /** Makes the next block, with its real parts and a commit by the current validators. */
  async next(block: TestBlock = {}): Promise<cometbft.LightBlock> {
    const signers = this.#validators;
    const validators = validatorSet(signers);
    const following = block.nextValidators ?? signers;
    const txs = block.txs ?? [];
    this.#seconds += block.seconds ?? 1;
    this.#appHash = block.appHash ?? this.#appHash;
    const proposer = validators[0];
    invariant(proposer !== undefined, "test chain: no validators");
    const header: cometbft.Header = {
      version: { block: cometbft.BLOCK_PROTOCOL, app: 1 },
      chainId: this.chainId,
      height: this.blocks.length + 1,
      time: { seconds: this.#seconds, nanos: NANOS },
      lastBlockId: this.#lastCommit.blockId,
      lastCommitHash: cometbft.commitHash(this.#lastCommit),
      dataHash: cometbft.dataHash(txs),
      validatorsHash: cometbft.validatorsHash(validators),
      nextValidatorsHash: cometbft.validatorsHash(validatorSet(following)),
      consensusHash: cometbft.consensusHash({ maxBytes: 1_048_576, maxGas: -1 }),
      appHash: this.#appHash,
      lastResultsHash: cometbft.resultsHash(txs.map(() => ({ code: 0, data: new Uint8Array(0), gasWanted: 0, gasUsed: 0 }))),
      evidenceHash: cometbft.NO_EVIDENCE_HASH,
      proposerAddress: cometbft.addressOf(proposer.publicKey),
    };
    const blockId = cometbft.blockId(header, cometbft.encodeBlock({ header, txs, lastCommit: this.#lastCommit }));
    const commit = await signCommit(header, blockId, signers, block.vote);
    const light = { header, commit, validators };
    this.blocks.push(light);
    this.#lastCommit = commit;
    this.#validators = following;
    return light;
  }
}

/** A commit by `signers` for any header and block id, true or forged. */
export async function signCommit(
  header: cometbft.Header,
  blockId: cometbft.BlockId,
  signers: readonly TestValidator[],
  vote: (index: number) => cometbft.CommitSig["flag"] = () => "commit",
  round = 0,
): Promise<cometbft.Commit> {
  const { chainId, height } = header;
  const timestamp = { seconds: header.time.seconds + 1, nanos: NANOS };
  const signatures = validatorSet(signers).map(async ({ publicKey }, index): Promise<cometbft.CommitSig> => {
    const flag = vote(index);
    if (flag === "absent") return { flag };
    const signer = signers.find((one) => equal(one.signer.publicKey, publicKey))?.signer;
    invariant(signer !== undefined, "test chain: a validator without its key");
    const message = cometbft.voteSignBytes({
      type: "precommit",
      chainId,
      height,
      round,
      timestamp,
      ...(flag === "commit" ? { blockId } : {}),
    });
    return { flag, validatorAddress: cometbft.addressOf(publicKey), timestamp, signature: await signer.sign(message) };
  });
  return { height, round, blockId, signatures: await Promise.all(signatures) };
}

/**
 * The same block with another header, signed again by `signers`, who are its validators: what an attacker with these keys can make. `vote` and
 * `round` as in `signCommit`.
 */
export async function forge(
  block: cometbft.LightBlock,
  changes: Partial<cometbft.Header>,
  signers: readonly TestValidator[],
  vote?: (index: number) => cometbft.CommitSig["flag"],
  round?: number,
): Promise<cometbft.LightBlock> {
  const validators = validatorSet(signers);
  const header = { ...block.header, validatorsHash: cometbft.validatorsHash(validators), ...changes };
  const blockId = { ...block.commit.blockId, hash: cometbft.headerHash(header) };
  return { header, validators, commit: await signCommit(header, blockId, signers, vote, round) };
}
