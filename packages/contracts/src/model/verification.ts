/**
 * How much verifying a block may ask of every node. Signatures cost unlike much: a block full of the dearest would take the others longer to check than they
 * give a proposer, and fail round after round. So each has a price in units (`VERIFICATION_UNITS`), a block has a budget, and no honest validator votes
 * for a block beyond it. A constant of the chain: what a node measures itself would differ between nodes.
 * Source: requirement A4; docs/internals/suites.md, "Cost"; docs/internals/cometbft.md, "Cadence".
 */
import { type SignatureKind, VERIFICATION_UNITS } from "@xinglin/crypto/pure";

/**
 * Units of one block. One core verifies so many in about a second, a third of the time after which validators give a proposer up: 20,000 signatures of Ed25519,
 * 4,000 of the hybrid, 3,333 of SM2.
 */
export const MAX_BLOCK_VERIFICATION = 20_000;

/** What so many signatures cost together. */
export const verificationUnits = (signatures: readonly { readonly suite: SignatureKind }[]): number =>
  signatures.reduce((sum, { suite }) => sum + VERIFICATION_UNITS[suite], 0);
