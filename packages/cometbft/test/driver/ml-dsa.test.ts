/** Validators whose keys are of ML-DSA-65, alone and beside others, in the CometBFT that members run. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeGenesis, encodeGenesis } from "@xinglin/contracts";
import { verifyVoteWith } from "@xinglin/crypto";
import { nodeCurves, nodeMlDsa65Key } from "@xinglin/crypto/node";
import { cometbft } from "@xinglin/crypto/pure";
import type { Bytes } from "@xinglin/primitives";
import { publicKeyIn, publicKeyOf, validatorKeyFile } from "../../src/home/keys.ts";
import { openCometbftLedger } from "../../src/open.ts";
import { consortiumOf } from "../support/consortium.ts";
import { engineTest, network, submit, untilHeight } from "../support/network.ts";

/** A consortium whose first `count` validators have ML-DSA-65 keys of the same seeds. */
function withMlDsa65(validators: number, count: number): { genesis: Bytes; seeds: readonly Bytes[] } {
  const { genesis, seeds } = consortiumOf(validators);
  const content = decodeGenesis(genesis);
  const changed = content.validators.map((one, i) =>
    i < count ? { ...one, publicKey: nodeMlDsa65Key(seeds[i] as Bytes).publicKey } : one,
  );
  return { genesis: encodeGenesis({ ...content, validators: changed }), seeds };
}

for (const [validators, count] of [
  [1, 1],
  [4, 2],
] as const)
  engineTest(`${count} of ${validators} validators sign with ML-DSA-65, and every commit verifies`, async (context, binary) => {
    const consortium = withMlDsa65(validators, count);
    const net = await network(
      context,
      binary,
      validators,
      {},
      {
        ...consortium,
        optionsOf: (index) => (index < count ? { validatorKeyType: "ml-dsa-65" } : {}),
      },
    );
    const { ledger, directory, options } = net.nodes[0]!;
    const id = await submit(ledger);
    const receipt = await ledger.receipt(id, "provable");
    assert.equal(receipt.results[0]?.outcome, "accepted");
    await untilHeight(ledger, receipt.height + 2);
    const verify = verifyVoteWith(nodeCurves);
    const types = new Set<cometbft.KeyType>();
    for (let height = 1; height <= receipt.height; height++) {
      const { header, commit, validators: set } = cometbft.decodeLightBlock(ledger.lightBlock(height) as Bytes);
      assert.deepEqual(cometbft.validatorsHash(set), header.validatorsHash);
      for (const [index, sig] of commit.signatures.entries()) {
        if (sig.flag === "absent") continue;
        const { publicKey } = set[index] as cometbft.Validator;
        const message = cometbft.commitSignBytes(ledger.chainId, commit, index) as Bytes;
        assert.ok(verify(publicKey, message, sig.signature), `vote ${index} of ${height}`);
        types.add(cometbft.keyTypeOf(publicKey));
      }
    }
    assert.ok(types.has("ml-dsa-65"));
    assert.equal(types.has("ed25519"), count < validators);

    const file = await readFile(join(directory, "engine/config/priv_validator_key.json"), "utf8");
    assert.deepEqual(publicKeyIn(file, ""), publicKeyOf(consortium.seeds[0] as Bytes, "ml-dsa-65"));
    assert.equal(file, validatorKeyFile(consortium.seeds[0] as Bytes, "ml-dsa-65"));
    await net.nodes[0]!.stop();
    const { validatorKeyType: _, ...another } = options;
    await assert.rejects(openCometbftLedger(another), { code: "not_the_validator" });
    if (count < validators) return;
    const again = await net.nodes[0]!.start();
    assert.ok(again.height() >= receipt.height);
  });
