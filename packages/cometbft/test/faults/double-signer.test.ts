/** One validator's key in two nodes, as after a restore from a backup beside the machine that still runs: real evidence, and what follows from it. */
import assert from "node:assert/strict";
import {
  type Action,
  CONSORTIUM_ELECTION,
  getPenalty,
  keys,
  type Operation,
  possessionMessage,
  proposalContent,
} from "@xinglin/contracts";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft, ics23 } from "@xinglin/crypto/pure";
import type { Ledger } from "@xinglin/ledger";
import { idOf, signed } from "@xinglin/ledger/testing/chain";
import { type Bytes, type MemberId, type ProposalId, toHex, type UnixSeconds, utf8 } from "@xinglin/primitives";
import { publicKeyOf } from "../../src/home/keys.ts";
import { consortiumOf } from "../support/consortium.ts";
import { engineTest, network, submit, TEST_TIMES, untilHeight } from "../support/network.ts";
import { checkOneChain } from "../support/one-chain.ts";

const CULPRIT = 3;
const EPOCH_BLOCKS = 5;

engineTest(
  "a validator that signs twice loses its power two heights later, and only a vote brings it back",
  async (context, binary) => {
    const { genesis, seeds } = consortiumOf(4, { election: { ...CONSORTIUM_ELECTION, epochBlocks: EPOCH_BLOCKS } });
    const culprit = publicKeyOf(seeds[CULPRIT]!);
    const net = await network(
      context,
      binary,
      4,
      {},
      {
        genesis,
        seeds: [...seeds, seeds[CULPRIT]!],
        // The second node proposes other blocks than the first, and is where nobody looks who else has the key.
        optionsOf: (index) => ({ times: TEST_TIMES, ...(index === seeds.length ? { machine: "other-", choose: () => [] } : {}) }),
      },
    );
    const honest: Ledger[] = net.nodes.slice(0, CULPRIT).map(({ ledger }) => ledger);
    const [first] = honest as [Ledger, ...Ledger[]];
    const accepted = async (id: Bytes): Promise<number> => {
      const { height, results } = await first.receipt(id, "provable");
      assert.equal(results[0]?.outcome, "accepted", JSON.stringify(results[0]));
      return height;
    };

    while (first.get(keys.penalty(1)) === undefined) await accepted(await submit(first));
    const penalty = getPenalty(first, 1)!;
    assert.equal(penalty.kind, "duplicate_vote");
    assert.equal(penalty.member, "site-3");
    assert.deepEqual(penalty.address, cometbft.addressOf(culprit));
    assert.ok(penalty.height < penalty.at);
    assert.notDeepEqual(headerAt(first, penalty.at).evidenceHash, cometbft.NO_EVIDENCE_HASH);

    // The record is provable to a stranger.
    await untilHeight(first, penalty.at + 3);
    const { lightBlock, proof, value } = first.prove(keys.penalty(1));
    const { appHash } = cometbft.decodeLightBlock(lightBlock).header;
    assert.ok(ics23.verifyMembership(appHash, ics23.decodeProof(proof), utf8(keys.penalty(1)), value as Bytes));
    // In force two heights above: the key is no validator any more, and the rest make blocks without it.
    assert.ok(votersAt(first, penalty.at + 1).has(toHex(culprit)));
    assert.ok(!votersAt(first, penalty.at + 2).has(toHex(culprit)));
    assert.equal(votersAt(first, penalty.at + 2).size, 3);
    // Its nodes may end; ends of epochs change nothing for it.
    await Promise.all(net.nodes.slice(CULPRIT).map((node) => node.stop()));
    const after = first.height();
    while (first.height() < after + 2 * EPOCH_BLOCKS) await accepted(await submit(first));
    assert.ok(!votersAt(first, first.height()).has(toHex(culprit)));
    assert.equal(first.get(keys.penalty(2)), undefined, "one offence, one penalty");

    // The committee without the culprit: two yes of three are not more than two thirds of it, three are.
    const member = "site-3" as MemberId;
    const possession = nodeEd25519Signer(seeds[CULPRIT]!).signSync(possessionMessage(first.chainId, member, culprit));
    const action: Action = { kind: "admitValidator", member, publicKey: culprit, possession };
    const proposal = idOf("back") as ProposalId;
    const act = async (key: string, operation: Operation): Promise<number> =>
      accepted((await first.submit(signed({ chain: first.chainId, key, operations: [operation] }))).id);
    const notAfter = (Math.floor(Date.now() / 1000) + 600) as UnixSeconds;
    await act("commission", { op: "proposeChange", id: proposal, action, notAfter });
    const vote: Operation = { op: "castVote", proposal, content: proposalContent(action), ballot: "yes" };
    const second = await act("site-1", vote);
    await untilHeight(first, second + 3);
    assert.ok(!votersAt(first, second + 2).has(toHex(culprit)), "admitted by a minority");
    const decided = await act("site-2", vote);
    await untilHeight(first, decided + 2);
    assert.ok(votersAt(first, decided + 2).has(toHex(culprit)));
    // One node with the key, this time.
    const back = await net.nodes[CULPRIT]!.start();
    await untilHeight(back, decided + 2);
    assert.equal((await back.receipt(await submit(back), "provable")).results[0]?.outcome, "accepted");
    await Promise.all([...honest, back].map((ledger) => untilHeight(ledger, first.height())));
    checkOneChain([...honest, back]);
  },
);

const headerAt = (ledger: Ledger, height: number): cometbft.Header =>
  cometbft.decodeLightBlock(ledger.lightBlock(height) as Bytes).header;
const votersAt = (ledger: Ledger, height: number): Set<string> =>
  new Set(cometbft.decodeLightBlock(ledger.lightBlock(height) as Bytes).validators.map(({ publicKey }) => toHex(publicKey)));
