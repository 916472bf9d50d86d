/**
 * Whether a commit makes its header final.
 * Source: CometBFT v0.40 `types/validation.go` (VerifyCommit: every signature is checked, those for nil too).
 */
import { cometbft } from "@xinglin/crypto/pure";
import { type Bytes, equal, Fault, toHex } from "@xinglin/primitives";

/**
 * Whether a validator's signature is right, whatever the type of its key: `verifyVoteWith` of `@xinglin/crypto` makes one. May answer later, as a
 * pool of threads does.
 */
export type VerifySignature = (publicKey: Bytes, message: Bytes, signature: Bytes) => boolean | Promise<boolean>;

/**
 * Checks that the commit is for the header with `hash`, that every signature in it is by the validator in its place, and that those for
 * the block carry more than two thirds of the power. The validators must already be known to be the header's.
 *
 * Throws `Fault`: `commit_block` (another height or block), `commit_count`, `commit_address`, `commit_signature`, `commit_power`.
 */
export async function verifyCommit(block: cometbft.LightBlock, hash: Bytes, verify: VerifySignature): Promise<void> {
  const { header, commit, validators } = block;
  const { height } = header;
  if (commit.height !== height || !equal(commit.blockId.hash, hash))
    throw new Fault("commit_block", { height, commit: commit.height });
  const { signatures } = commit;
  if (signatures.length !== validators.length)
    throw new Fault("commit_count", { height, signatures: signatures.length, validators: validators.length });

  const checks = signatures.map(async (sig, index) => {
    if (sig.flag === "absent") return;
    const { publicKey } = validators[index] as cometbft.Validator;
    if (!equal(sig.validatorAddress, cometbft.addressOf(publicKey))) throw new Fault("commit_address", { height, index });
    const message = cometbft.commitSignBytes(header.chainId, commit, index) as Bytes;
    if (!(await verify(publicKey, message, sig.signature))) throw new Fault("commit_signature", { height, index });
  });
  await Promise.all(checks);

  const signed = validators.reduce((sum, { power }, index) => (signatures[index]?.flag === "commit" ? sum + power : sum), 0);
  const total = cometbft.totalPower(validators);
  if (3 * signed <= 2 * total) throw new Fault("commit_power", { height, signed, total });
}

/** The power, within `trusted`, of the validators that signed for the block. */
export function powerThatSigned(trusted: readonly cometbft.Validator[], { commit, validators }: cometbft.LightBlock): number {
  const signers = new Set(
    validators.filter((_, i) => commit.signatures[i]?.flag === "commit").map(({ publicKey }) => toHex(publicKey)),
  );
  return trusted.reduce((sum, { publicKey, power }) => (signers.has(toHex(publicKey)) ? sum + power : sum), 0);
}
