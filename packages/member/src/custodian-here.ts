/**
 * A member's custodian in the process of its node: the same code as in a process of its own, over this node's ledger.
 * Source: design.md, "Consent, access, custody".
 */
import { nodeCurves } from "@xinglin/crypto/node";
import { Custodian, type ProvenState } from "@xinglin/custody";
import { readKeyFile } from "@xinglin/gateway";
import type { Ledger } from "@xinglin/ledger";
import { type Bytes, Fault, type Height, type UnixSeconds } from "@xinglin/primitives";
import { decodeLightBlock, type LightBlockSource } from "@xinglin/verifier";

/** `keyFile` is the custodian's, `shares` the folder of its shares. Faults as `readKeyFile`. */
export function custodianHere(ledger: Ledger, { keyFile, shares }: { keyFile: string; shares: string }): Custodian {
  const key = readKeyFile(keyFile);
  if (key.hpkeSeed === undefined) throw new Fault("key_file_unreadable", { path: keyFile });
  return new Custodian({
    id: key.actor,
    member: key.member,
    directory: shares,
    signer: key.signer,
    hpkePrivateKey: key.hpkeSeed,
    trust: {
      genesis: ledger.genesis,
      curves: nodeCurves,
      now: () => Math.floor(Date.now() / 1000) as UnixSeconds,
      lightBlocks: lightBlocksOf(ledger),
      newest: async (names): Promise<ProvenState> => {
        const height = ledger.provableHeight();
        const proofs = names.map((name) => ledger.prove(name, height));
        return {
          height: height as Height,
          lightBlock: ledger.lightBlock(height + 1) as Bytes,
          proofs: proofs.map(({ key: name, value, proof }) => ({ key: name, proof, ...(value === undefined ? {} : { value }) })),
        };
      },
    },
  });
}

/** The ledger as its custodian's node, for the blocks at which the validators changed. */
const lightBlocksOf = (ledger: Ledger): LightBlockSource => ({
  name: "ledger",
  lightBlock: async (height) => {
    const block = height === "newest" ? ledger.newestLightBlock() : ledger.lightBlock(height);
    if (block === undefined) throw new Fault("height_unknown", { height: ledger.height() });
    return decodeLightBlock(block);
  },
});
