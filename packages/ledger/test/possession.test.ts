/** A validator is admitted only with the proof that its member has the key: asked on the way in, of every proposed block, and in the block. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { CONSORTIUM_ELECTION, encodeGenesis, getElection, type Operation, possessionMessage } from "@xinglin/contracts";
import { nodeMlDsa65Key } from "@xinglin/crypto/node";
import { type Bytes, Fault, type MemberId, type ProposalId, type UnixSeconds, utf8 } from "@xinglin/primitives";
import { chainIdOf, genesisWith, HOSPITAL_A, HOSPITAL_B, idOf, keyOf, signed } from "./support/chain.ts";
import { folder } from "./support/folder.ts";
import { GENESIS_TIME, HandDrivenNode } from "./support/node.ts";

const genesis = encodeGenesis(genesisWith({ election: { ...CONSORTIUM_ELECTION, minSeats: 1 } }));
const chain = chainIdOf(genesis);
const edwards = keyOf("newcomer's validator");
const lattice = nodeMlDsa65Key(new Uint8Array(32).fill(9));
const keysOf: Record<string, { publicKey: Bytes; sign(message: Bytes): Bytes }> = {
  Ed25519: { publicKey: edwards.publicKey, sign: (message) => edwards.signSync(message) },
  "ML-DSA-65": lattice,
};

const notAfter = { time: GENESIS_TIME + 300, height: 9_000 };
const send = (operations: readonly Operation[]): Bytes => signed({ chain, key: "commission", operations, notAfter });
const admit = (publicKey: Bytes, possession: Bytes, id = "one"): Bytes =>
  send([
    {
      op: "proposeChange",
      id: idOf(id) as ProposalId,
      action: { kind: "admitValidator", member: HOSPITAL_A, publicKey, possession },
      notAfter: (GENESIS_TIME + 900) as UnixSeconds,
    },
  ]);

async function opened(context: { after(end: () => unknown): void }): Promise<HandDrivenNode> {
  const node = await HandDrivenNode.open(await folder(context as never), genesis);
  context.after(() => node.close());
  return node;
}
const codeOf = (error: unknown): string => (error instanceof Fault ? error.code : String(error));
/** What a transaction meets on its way in, in another's proposal, and in a decided block. */
async function met(node: HandDrivenNode, transaction: Bytes): Promise<string[]> {
  const height = node.application.height + 1;
  const time = { seconds: GENESIS_TIME + height, nanos: 0 };
  const inside = await node.application.checkTx(transaction).then(() => "taken", codeOf);
  const proposed = await node.application.processProposal({ height, time, transactions: [transaction.slice()] });
  const { results } = await node.block([transaction]);
  return [inside, proposed?.code ?? "taken", "code" in results[0]! ? results[0].code : "taken"];
}

for (const [type, { publicKey, sign }] of Object.entries(keysOf)) {
  test(`a validator's ${type} key is proposed with its own signature over chain, member and key, and with no other`, async (context) => {
    const node = await opened(context);
    const right = possessionMessage(chain, HOSPITAL_A, publicKey);
    const wrong: Record<string, Bytes> = {
      "of another member": sign(possessionMessage(chain, HOSPITAL_B, publicKey)),
      "of another chain": sign(possessionMessage(`${chain.slice(0, -1)}x`, HOSPITAL_A, publicKey)),
      "made for a genesis": sign(possessionMessage("", HOSPITAL_A, publicKey)),
      "of another key": sign(possessionMessage(chain, HOSPITAL_A, keyOf("another").publicKey)),
      "without its purpose": sign(right.subarray("xinglin/validator-possession/1".length + 1)),
      "by another key of the same type": type === "Ed25519" ? keyOf("x").signSync(right) : sign(utf8("something else")),
      "of the other type's length": type === "Ed25519" ? lattice.sign(right) : keyOf("x").signSync(right),
      "of zeros": new Uint8Array(64),
    };
    for (const [what, possession] of Object.entries(wrong)) {
      const turned = await met(node, admit(publicKey, possession));
      assert.deepEqual(turned, ["signature_wrong", "signature_wrong", "signature_wrong"], what);
    }
    assert.equal(getElection(node.application.committed)!.candidates.length, 1, "only the genesis' own");
    assert.deepEqual(await met(node, admit(publicKey, sign(right))), ["taken", "taken", "taken"]);
    assert.equal(getElection(node.application.committed)!.candidates.length, 2);
  });
}

test("a proposal without a proof is malformed", async (context) => {
  const node = await opened(context);
  const action = { kind: "admitValidator", member: HOSPITAL_A as MemberId, publicKey: edwards.publicKey };
  const bare = { op: "proposeChange", id: idOf("bare"), action, notAfter: GENESIS_TIME + 900 };
  assert.deepEqual(await met(node, send([bare as unknown as Operation])), ["malformed", "malformed", "malformed"]);
});

test("what a key signs to prove itself is nothing that a validator votes with", () => {
  const message = possessionMessage(chain, HOSPITAL_A, edwards.publicKey);
  // A vote begins with its length and the tag of a protobuf field.
  assert.notEqual(message[1], 0x08);
  assert.notEqual(message[2], 0x08);
  assert.deepEqual(message.subarray(0, 30), utf8("xinglin/validator-possession/1"));
});
