/**
 * Every decision can be proved to a stranger: an audit entry, by way of its epoch's tree and the state's tree, to a header, and that to the signatures
 * of more than two thirds. Source: design.md, "Proofs", "Audit log"; RFC 6962; ICS-23.
 */
import { keys } from "@xinglin/contracts";
import { verifySync } from "@xinglin/crypto/node";
import { cometbft, ics23, merkle } from "@xinglin/crypto/pure";
import { type Bytes, utf8 } from "@xinglin/primitives";
import { decodeClosedLog, decodeLogHead } from "../log-head.ts";
import type { ChainFacts } from "./block.ts";
import type { SimulatedNode } from "./node.ts";
import { mustHold } from "./violation.ts";
import type { StoredBlock } from "./witness.ts";

/** Proves the entry at `sequence` on this node, at the newest height that a header of its own chain vouches for. False if it is too new. */
export function proveEntry(node: SimulatedNode, facts: ChainFacts, sequence: number, bytes: Bytes): boolean {
  const { state, application } = node;
  const height = application.height - 1;
  const stored = node.kept.blocks.get(height + 1);
  if (height < 1 || stored === undefined || state === undefined) return false;
  const { log } = application;
  const entry = log.entry(sequence);
  mustHold(
    entry !== undefined && Buffer.compare(entry, bytes) === 0,
    () => `entry ${sequence} is not on node ${node.index} as it was decided`,
  );
  const { appHash } = stored.block.header;
  const prove = (key: string): Bytes | undefined => {
    const { value, proof } = state.prove(key, height);
    const decoded = ics23.decodeProof(proof);
    const isProved =
      value === undefined
        ? ics23.verifyNonMembership(appHash, decoded, utf8(key))
        : ics23.verifyMembership(appHash, decoded, utf8(key), value);
    mustHold(isProved, () => `the proof of ${key} at ${height} does not hold`);
    return value;
  };
  const { epoch, index, first } = log.place(sequence);
  const open = decodeLogHead(prove(keys.log));
  if (epoch > open.epoch || (epoch === open.epoch && index >= open.size)) return false;
  const { size, root } = epoch === open.epoch ? open : decodeClosedLog(prove(keys.closedLog(epoch)) as Bytes);
  const path = log.path({ epoch, index, first }, size);
  mustHold(merkle.verifyInclusion(entry, index, size, path, root), () => `entry ${sequence} does not prove itself`);
  prove(`batch/of-nobody-${sequence}`);
  checkCommit(facts, stored);
  return true;
}

/** More than two thirds of the power signed this very block. */
export function checkCommit({ chainId, schedule }: ChainFacts, { block, commit }: StoredBlock): void {
  const { validators, total } = schedule.at(block.header.height);
  let power = 0;
  for (const [i, validator] of validators.entries()) {
    const bytes = cometbft.commitSignBytes(chainId, commit, i);
    const sig = commit.signatures[i];
    if (bytes === undefined || sig?.flag !== "commit") continue;
    mustHold(verifySync("ed25519", validator.publicKey, bytes, sig.signature), "a vote in a commit is not by its validator");
    power += validator.power;
  }
  mustHold(3 * power > 2 * total, "a commit lacks votes");
}
