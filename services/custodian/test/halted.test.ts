/**
 * Two of four validators are killed: the chain stands. What it knows can still be read; nothing new is promised, no share leaves a custodian on an
 * old header, and who waits hears why. With one of them back everything goes on.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { signTransaction } from "@xinglin/client";
import { type CometbftLedger, ensureEngine } from "@xinglin/cometbft";
import { type LocalNetwork, localNetwork } from "@xinglin/cometbft/testing";
import { CONSORTIUM_ELECTION, type Genesis, keys } from "@xinglin/contracts";
import { nodeCurves, nodeEd25519Signer } from "@xinglin/crypto/node";
import { Custodian, type ProvenState } from "@xinglin/custody";
import { releaseRequest } from "@xinglin/custody/client";
import { type Bytes, Fault, type MemberId } from "@xinglin/primitives";
import { nowSeconds, openSmallChain, type SmallChain } from "./small-chain.ts";

/** A header may be so old; without a block for three times as long the ledger is said to be unavailable. */
const GAP_SECONDS = 5;
const TIMES = { proposeMs: 1_000, voteMs: 300, commitMs: 50, gossipMs: 20 };
const KILLED = [2, 3];

const seeds = Array.from({ length: 4 }, () => new Uint8Array(randomBytes(32)));

/** The same chain with four validators, two of members that have nothing else. */
function withFour(document: Genesis): Genesis {
  const [hospital] = document.members as [Genesis["members"][0], ...Genesis["members"]];
  const sites = KILLED.map((i) => ({
    ...hospital,
    id: `site-${i}` as MemberId,
    key: { suite: "ed25519" as const, key: nodeEd25519Signer(new Uint8Array(randomBytes(32))).publicKey },
  }));
  const members = [...document.members, ...sites];
  return {
    ...document,
    parameters: { ...document.parameters, election: CONSORTIUM_ELECTION },
    members,
    validators: seeds.map((seed, i) => ({ publicKey: nodeEd25519Signer(seed).publicKey, power: 10, member: members[i]!.id })),
  };
}

type Held = Awaited<ReturnType<SmallChain["permit"]>>;
const proofsOf = (chain: SmallChain, { number }: Held): ProvenState =>
  chain.prove(
    keys.access(chain.patient.actor, number),
    keys.consentHead(chain.patient.actor),
    keys.actor(chain.doctor.actor),
    keys.member(chain.doctor.member),
    keys.credential(chain.credential),
    keys.record(chain.record),
    ...chain.custodians.map(({ party }) => keys.custodian(party.actor)),
  );
const release = (chain: SmallChain, custodian: Custodian, { number, pair }: Held, state: ProvenState): Promise<Bytes> => {
  const request = { chain: chain.ledger.chainId, custodian: custodian.id, patient: chain.patient.actor, number };
  return custodian.release(releaseRequest({ ...request, hpke: pair.publicKey, state }));
};

/** Asks again with a new header while the newest is too old: on a busy machine a block may be late. */
async function released(chain: SmallChain, custodian: Custodian, held: Held): Promise<Bytes> {
  for (;;) {
    try {
      return await release(chain, custodian, held, proofsOf(chain, held));
    } catch (error) {
      if (!(error instanceof Fault && error.code === "header_stale")) throw error;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }
}

/** A custodian with the same shares that asks no node of its own: it has what the caller brings, and its clock. */
const withoutNode = (chain: SmallChain, { party }: SmallChain["custodians"][number]): Custodian =>
  new Custodian({
    id: party.actor,
    member: party.member,
    directory: join(chain.directory, "shares", party.actor),
    signer: party.signer,
    hpkePrivateKey: party.hpke.privateKey,
    trust: { genesis: chain.genesis, curves: nodeCurves, now: nowSeconds },
  });

const codeOf = (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => "-",
    (error: unknown) => (error instanceof Fault ? error.code : String(error)),
  );

test("two of four validators killed: nothing is released or promised, what is known can be read; then all goes on", async (context) => {
  const binary = await ensureEngine().catch((error: unknown) => {
    if (error instanceof Fault && error.code === "go_missing") return error;
    throw error;
  });
  if (typeof binary !== "string") return context.skip(`CometBFT is not built: ${binary.message}`);
  await run(context, binary);
});

async function run(context: TestContext, binary: string): Promise<void> {
  let net: LocalNetwork | undefined;
  const chain = await openSmallChain({
    maxBlockGapSeconds: GAP_SECONDS,
    ownNode: true,
    over: {
      genesis: withFour,
      open: async (genesis, directory) => {
        net = await localNetwork({ binary, directory, genesis, seeds, optionsOf: () => ({ times: TIMES, verifyWorkers: 1 }) });
        return { ledger: net.nodes[0]!.ledger, close: () => net!.stop() };
      },
    },
  });
  context.after(() => chain.close());
  const { ledger, doctor, patient } = chain;
  const nodes = net!.nodes;
  const custodian = chain.custodians[0]!.custodian;
  const alone = withoutNode(chain, chain.custodians[1]!);
  const request = (): ReturnType<typeof signTransaction> =>
    signTransaction({ chainId: ledger.chainId, height: ledger.height(), time: nowSeconds() }, doctor, [
      {
        op: "requestAccess",
        patient: patient.actor,
        purpose: "TREAT",
        class: { level: "sensitive", category: "imaging" },
        target: { kind: "record", record: chain.record, version: 1 },
        hpke: new Uint8Array(1216).fill(3),
        credential: chain.credential,
      },
    ]);

  const before = await chain.permit();
  assert.ok((await released(chain, custodian, before)).length > 0);
  assert.ok((await released(chain, alone, before)).length > 0);
  const held = await chain.permit();
  const known = await request();
  await ledger.submit(known.bytes);
  const receipt = await ledger.receipt(known.id, "provable");

  for (const i of KILLED) nodes[i]!.killEngine();
  await Promise.all(KILLED.map((i) => nodes[i]!.stop()));
  const early = proofsOf(chain, held);

  // Taken while nobody knew; who waits for it is told when the time is over in which a block should have come.
  const waiting = await request();
  await ledger.submit(waiting.bytes);
  assert.equal(await codeOf(ledger.receipt(waiting.id, "committed")), "ledger_unavailable");
  const height = ledger.height();
  assert.equal(await codeOf(ledger.submit((await request()).bytes)), "ledger_unavailable");
  assert.equal(await codeOf(ledger.receipt(waiting.id, "provable")), "ledger_unavailable");
  assert.equal(await codeOf(chain.permit()), "ledger_unavailable");
  assert.equal(await codeOf(nodes[1]!.ledger.submit((await request()).bytes)), "ledger_unavailable");

  // What was decided can be read and proved.
  assert.deepEqual(await ledger.receipt(known.id, "provable"), receipt);
  const access = (number: number): Bytes | undefined => ledger.get(keys.access(patient.actor, number));
  assert.ok(access(held.number) !== undefined && ledger.prove(keys.record(chain.record)).value !== undefined);
  const permits = Number(receipt.results[0]?.subject.number);
  assert.equal(access(permits + 1), undefined, "a permit without a block");
  assert.equal(ledger.proveEntry(ledger.entryCount() - 1).entry.length > 0, true);

  // A permit in force, and no share: an older header could hide that it was taken back.
  for (const [one, state] of [
    [alone, early],
    [alone, proofsOf(chain, held)],
    [custodian, proofsOf(chain, held)],
  ] as const)
    assert.equal(await codeOf(release(chain, one, held, state)), "header_stale");
  assert.equal(ledger.height(), height, "two of four made a block");

  const back = await nodes[KILLED[0]!]!.start();
  const told = await untilTold(ledger, waiting.id);
  assert.equal(told.results[0]?.outcome, "accepted");
  assert.equal(told.results[0]?.subject.number, permits + 1);
  assert.ok((await released(chain, custodian, held)).length > 0);
  assert.ok((await released(chain, alone, held)).length > 0);
  assert.ok((await released(chain, alone, await chain.permit())).length > 0);
  await untilSame(back, ledger);
  await untilSame(await nodes[KILLED[1]!]!.start(), ledger);
}

/** A receipt from a chain that is about to go on. */
async function untilTold(
  ledger: CometbftLedger | SmallChain["ledger"],
  wanted: Bytes,
): ReturnType<SmallChain["ledger"]["receipt"]> {
  for (;;) {
    try {
      return await ledger.receipt(wanted, "provable");
    } catch (error) {
      if (!(error instanceof Fault && error.code === "ledger_unavailable")) throw error;
    }
  }
}

/** Resolves when a node has the block that the other has now, and it is the same. */
async function untilSame(ledger: SmallChain["ledger"], other: SmallChain["ledger"]): Promise<void> {
  const height = other.height();
  while (ledger.height() < height) await new Promise<void>((resolve) => void setTimeout(resolve, 50));
  assert.deepEqual(ledger.block(height), other.block(height));
}
