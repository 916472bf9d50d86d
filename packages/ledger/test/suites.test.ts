/** Keys of every suite on a chain whose validator signs with ML-DSA-65: who moves to a stronger suite can't be made to step down. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { type TestContext, test } from "node:test";
import {
  chainIdOf,
  encodeBody,
  encodeGenesis,
  encodeTransaction,
  type Operation,
  type SuiteId,
  type TransactionBody,
} from "@xinglin/contracts";
import { verifyVoteWith } from "@xinglin/crypto";
import { nodeCurves, nodeHybridSigner, nodeMlDsa65Key, nodeSm2Signer } from "@xinglin/crypto/node";
import { cometbft, keyId } from "@xinglin/crypto/pure";
import type { ActorId, Bytes, Height, MemberId, UnixSeconds } from "@xinglin/primitives";
import { type Ledger, openLedger } from "../src/index.ts";
import { anchor, genesisWith, keyOf, signed } from "./support/chain.ts";
import { atEnd, folder } from "./support/folder.ts";

const validator = nodeMlDsa65Key(new Uint8Array(32).fill(6));
const from = genesisWith();
const genesis = encodeGenesis({
  ...from,
  validators: from.validators.map((one) => ({ ...one, publicKey: validator.publicKey })),
});
const chain = chainIdOf(genesis);
const hybrid = nodeHybridSigner(new Uint8Array(64).fill(7));
const national = nodeSm2Signer(new Uint8Array(32).fill(8));

async function open(context: TestContext): Promise<Ledger> {
  const directory = await folder(context);
  const ledger = await openLedger({ directory, genesis, validator, verifyWorkers: 1 });
  atEnd(context, () => ledger.close());
  return ledger;
}

interface TestSigner {
  readonly suite: SuiteId;
  readonly publicKey: Bytes;
  signSync(message: Bytes): Bytes;
}
/** Signed by this key as `member`'s administration; `changes` to who the body says signs, and to the signature. */
function by(
  member: string,
  signer: TestSigner,
  operation: Operation,
  changes: { suite?: SuiteId; signature?: (made: Bytes) => Bytes } = {},
): Bytes {
  const id = keyId(signer.suite, signer.publicKey);
  const body = {
    type: "xinglin-transaction/1",
    chain,
    signer: { actor: member as ActorId, key: id, suite: changes.suite ?? signer.suite },
    sponsor: member as MemberId,
    notAfter: { time: (Math.floor(Date.now() / 1000) + 300) as UnixSeconds, height: 90_000 as Height },
    nonce: new Uint8Array(randomBytes(16)),
    operations: [operation],
  } satisfies TransactionBody;
  const bytes = encodeBody(body);
  const made = signer.signSync(bytes);
  return encodeTransaction(bytes, changes.signature?.(made) ?? made);
}
const outcome = async (ledger: Ledger, transaction: Bytes): Promise<string> => {
  const { id } = await ledger.submit(transaction);
  const [result] = (await ledger.receipt(id, "committed")).results;
  return result?.outcome === "accepted" ? "accepted" : (result?.code ?? "");
};
const replaceBy = ({ suite, publicKey }: TestSigner): Operation => ({ op: "replaceKey", publicKey: { suite, key: publicKey } });

test("a member moves to the hybrid suite: it signs, and every way down is refused", async (context) => {
  const ledger = await open(context);
  const old = keyOf("hospital-a");
  assert.equal(await outcome(ledger, signed({ chain, key: "hospital-a", operations: [replaceBy(hybrid)] })), "accepted");
  assert.equal(await outcome(ledger, by("hospital-a", hybrid, anchor("hybrid"))), "accepted");

  const refused: Record<string, readonly [string, Bytes]> = {
    "the old key": ["key_retired", signed({ chain, key: "hospital-a", operations: [anchor("1")] })],
    "the Ed25519 half under the suite Ed25519": [
      "suite_mismatch",
      by("hospital-a", hybrid, anchor("2"), { suite: "ed25519", signature: (made) => made.subarray(3309) }),
    ],
    "the Ed25519 half alone": [
      "signature_wrong",
      by("hospital-a", hybrid, anchor("3"), { signature: (made) => made.subarray(3309) }),
    ],
    "the ML-DSA half alone": [
      "signature_wrong",
      by("hospital-a", hybrid, anchor("4"), { signature: (made) => made.subarray(0, 3309) }),
    ],
    "a key made of the Ed25519 half": [
      "unknown_key",
      by("hospital-a", { ...hybrid, suite: "ed25519", publicKey: hybrid.publicKey.subarray(1952) }, anchor("5")),
    ],
  };
  for (const [name, [code, transaction]] of Object.entries(refused))
    await assert.rejects(ledger.submit(transaction), { code }, name);
  for (const weaker of [keyOf("another"), national])
    assert.equal(await outcome(ledger, by("hospital-a", hybrid, replaceBy(weaker))), "suite_weaker", weaker.suite);
  assert.equal(await outcome(ledger, by("hospital-a", hybrid, anchor("still"))), "accepted");
  assert.notEqual(keyId(hybrid.suite, hybrid.publicKey), keyId("ed25519", old.publicKey));
});

test("a member moves to SM2 and on to the hybrid suite; every header is signed with ML-DSA-65 and survives a restart", async (context) => {
  const directory = await folder(context);
  const first = await openLedger({ directory, genesis, validator, verifyWorkers: 1 });
  assert.equal(await outcome(first, signed({ chain, key: "hospital-b", operations: [replaceBy(national)] })), "accepted");
  assert.equal(await outcome(first, by("hospital-b", national, anchor("national"))), "accepted");
  await assert.rejects(first.submit(by("hospital-b", national, anchor("x"), { signature: () => new Uint8Array(64) })), {
    code: "signature_wrong",
  });
  await first.close();

  const ledger = await openLedger({ directory, genesis, validator, verifyWorkers: 1 });
  atEnd(context, () => ledger.close());
  assert.equal(await outcome(ledger, by("hospital-b", national, replaceBy(hybrid))), "accepted");
  assert.equal(await outcome(ledger, by("hospital-b", hybrid, anchor("stronger"))), "accepted");
  const verify = verifyVoteWith(nodeCurves);
  for (let height = 1; height <= ledger.height(); height++) {
    const { commit, validators } = cometbft.decodeLightBlock(ledger.lightBlock(height) as Uint8Array);
    const [sig] = commit.signatures;
    assert.ok(sig?.flag === "commit" && sig.signature.length === 3309);
    assert.deepEqual(validators, [{ publicKey: validator.publicKey, power: 10 }]);
    assert.ok(
      verify(validator.publicKey, cometbft.commitSignBytes(chain, commit, 0) as Uint8Array, sig.signature),
      `height ${height}`,
    );
  }
});
