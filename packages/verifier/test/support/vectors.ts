/**
 * Makes `spec/crypto/proofs.json` and `spec/crypto/evidence.json`, for implementations in any language. Byte strings are hexadecimal.
 * Run `node packages/verifier/test/support/vectors.ts proofs > spec/crypto/proofs.json` (or `evidence`) to make them again.
 */
import { commitmentOf } from "@xinglin/crypto";
import { append, cometbft, EMPTY_FRONTIER, type Frontier, keyId, merkle, rootOf } from "@xinglin/crypto/pure";
import { type Bytes, cbor, toHex, utf8 } from "@xinglin/primitives";
import { encodeEvidence, type Statement } from "../../src/evidence-file.ts";
import { genesisTrust } from "../../src/genesis.ts";
import { TestChain, TestState, testValidator, validatorSet } from "../../src/testing/index.ts";

const VALUES = {
  a: utf8("value of a"),
  b: utf8("value of b"),
  c: utf8("value of c"),
  d: utf8("value of d"),
  e: utf8("value of e"),
};
const hexOf = (items: readonly Bytes[]): string[] => items.map(toHex);

/** Trees, proofs, keys, commitments and one light block. */
export async function proofVectors(): Promise<object> {
  const leaves = Array.from({ length: 7 }, (_, i) => utf8(`leaf ${i}`));
  const frontiers: Frontier[] = [EMPTY_FRONTIER];
  for (const leaf of leaves) frontiers.push(append(frontiers.at(-1) as Frontier, merkle.leafHash(leaf)));
  const state = new TestState(VALUES);
  const proofOf = (key: string): object => {
    const { value, proof } = state.prove(key);
    return { key: toHex(utf8(key)), ...(value === undefined ? {} : { value: toHex(value) }), proof: toHex(proof) };
  };
  const chain = new TestChain("vector-0123456789ab", [testValidator("first", 2), testValidator("second", 1)]);
  const block = await chain.next({ appHash: state.root, txs: [utf8("a transaction")] });
  const share = { index: 2, share: new Uint8Array(33).fill(3), salt: new Uint8Array(32).fill(4) };
  return {
    merkle: {
      leaves: hexOf(leaves),
      roots: frontiers.map((frontier) => toHex(rootOf(frontier))),
      paths: leaves.map((_, i) => hexOf(merkle.inclusionProof(leaves, i))),
    },
    keyId: {
      suite: "ed25519",
      publicKey: toHex(new Uint8Array(32).fill(1)),
      keyId: keyId("ed25519", new Uint8Array(32).fill(1)),
    },
    shareCommitment: { index: 2, share: toHex(share.share), salt: toHex(share.salt), commitment: toHex(commitmentOf(share)) },
    state: {
      entries: Object.entries(VALUES).map(([key, value]) => ({ key: toHex(utf8(key)), value: toHex(value) })),
      root: toHex(state.root),
      present: ["a", "b", "c", "d", "e"].map(proofOf),
      absent: ["f", "g", "h", "i", "j", "k"].map(proofOf),
    },
    lightBlock: {
      bytes: toHex(cometbft.encodeLightBlock(block)),
      headerHash: toHex(cometbft.headerHash(block.header)),
      validatorsHash: toHex(cometbft.validatorsHash(block.validators)),
      signBytes: block.commit.signatures.map((_, i) =>
        toHex(cometbft.commitSignBytes(chain.chainId, block.commit, i) ?? new Uint8Array(0)),
      ),
    },
  };
}

/** A file with every kind of statement, over one change of the validators, to be checked from its genesis; and the same from a checkpoint. */
export async function evidenceVector(): Promise<{
  genesis: string;
  file: string;
  fileFromCheckpoint: string;
  checkpoint: { height: number; hash: string };
  proves: string[];
}> {
  const first = [testValidator("first")];
  const members = validatorSet(first).map((validator) => ({ ...validator, member: "commission" }));
  const genesis = cbor.encode({ type: "xinglin-genesis/1", name: "vector", validators: members });
  const { chainId } = genesisTrust(genesis);
  const entries = ["an entry", "another", "a third"].map(utf8);
  const head = { epoch: 0, first: 0, size: entries.length, root: merkle.root(entries), frontier: [] };
  const state = new TestState({ ...VALUES, log: cbor.encode(head) });
  const chain = new TestChain(chainId, first);
  await chain.next({ nextValidators: [...first, testValidator("second"), testValidator("third")] });
  const checkpoint = await chain.next();
  await chain.next({ appHash: state.root });
  const log = state.prove("log");
  const statements: Statement[] = [
    { kind: "state", height: 2, ...state.prove("a") },
    { kind: "state", height: 2, ...state.prove("f") },
    {
      kind: "log",
      height: 2,
      epoch: 0,
      index: 1,
      entry: entries[1] as Bytes,
      path: merkle.inclusionProof(entries, 1),
      ...log,
      value: log.value as Bytes,
    },
  ];
  const [change, , shown] = chain.blocks as [cometbft.LightBlock, cometbft.LightBlock, cometbft.LightBlock];
  return {
    genesis: toHex(genesis),
    file: toHex(encodeEvidence({ chainId, headers: [change, shown], statements })),
    fileFromCheckpoint: toHex(encodeEvidence({ chainId, headers: [checkpoint, shown], statements })),
    checkpoint: { height: 2, hash: toHex(cometbft.headerHash(checkpoint.header)) },
    proves: ["state_absent", "state_held", "log_entry"],
  };
}

if (import.meta.main) {
  const vectors = process.argv[2] === "evidence" ? await evidenceVector() : await proofVectors();
  process.stdout.write(`${JSON.stringify(vectors, null, 2)}\n`);
}
