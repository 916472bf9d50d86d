/** What a block may ask of every node to verify: held against a proposal before any signature is looked at. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  chainIdOf,
  encodeBody,
  encodeGenesis,
  encodeTransaction,
  type Genesis,
  MAX_BLOCK_VERIFICATION,
  type TransactionBody,
} from "@xinglin/contracts";
import { keyId, SUITES, VERIFICATION_UNITS } from "@xinglin/crypto/pure";
import type { Bytes } from "@xinglin/primitives";
import { anchor, genesisWith, HOSPITAL_A } from "./support/chain.ts";
import { folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const key = new Uint8Array(33).fill(2);
const base = genesisWith();
const genesis: Genesis = {
  ...base,
  parameters: { ...base.parameters, memberQuota: 1_000_000 },
  members: base.members.map((one) => (one.id === HOSPITAL_A ? { ...one, key: { suite: "sm2", key } } : one)),
};
const chain = chainIdOf(encodeGenesis(genesis));

/** As many transactions under the dearest suite; their signatures are wrong, which is found out only by verifying. */
const proposal = (count: number): Bytes[] =>
  Array.from({ length: count }, (_, n) => {
    const nonce = new Uint8Array(16);
    new DataView(nonce.buffer).setUint32(0, n);
    const body = encodeBody({
      type: "xinglin-transaction/1",
      chain,
      signer: { actor: HOSPITAL_A, key: keyId("sm2", key), suite: "sm2" },
      sponsor: HOSPITAL_A,
      notAfter: { time: GENESIS_TIME + 300, height: 9_000 },
      nonce,
      operations: [anchor("same")],
    } as unknown as TransactionBody);
    return encodeTransaction(body, new Uint8Array(64));
  });

test("a proposal at the bound is verified, one signature more and nothing of it is", async (context) => {
  const node = await HandDrivenNode.open(await folder(context), encodeGenesis(genesis));
  context.after(() => node.close());
  const most = Math.floor(MAX_BLOCK_VERIFICATION / VERIFICATION_UNITS.sm2);
  const time = { seconds: GENESIS_TIME + 1, nanos: 0 };
  const why = async (transactions: readonly Bytes[]) => node.application.processProposal({ height: 1, time, transactions });
  const transactions = proposal(most + 1);
  const over = await why(transactions);
  const units = (most + 1) * VERIFICATION_UNITS.sm2;
  assert.deepEqual([over?.code, over?.facts], ["verification_over_budget", { units, mostUnits: MAX_BLOCK_VERIFICATION }]);
  assert.equal((await why(transactions.slice(0, most)))?.code, "signature_wrong");
});

test("what suites cost and a block may cost is pinned: nodes that counted otherwise would refuse each other's blocks", () => {
  const units = SUITES.map((suite) => VERIFICATION_UNITS[suite]);
  assert.deepEqual(units, [1, 2, 2, 5, 6], "a change of these forks a chain: it needs a height");
  assert.equal(MAX_BLOCK_VERIFICATION, 20_000);
});
