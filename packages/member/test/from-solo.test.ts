/** One hospital's chain goes on as a network: what was proved before still is, and a light client walks over the seam. Requirement F13. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ApiClient, collectEvidence, TrustedChain } from "@xinglin/client";
import { CONSORTIUM_ELECTION, keys, SOLO_ELECTION } from "@xinglin/contracts";
import type { cometbft } from "@xinglin/crypto/pure";
import { freePorts } from "@xinglin/engines/testing";
import { type KeyOfFile, proposeAction, readKeyFile, registerDevice } from "@xinglin/gateway";
import type { MemberId, UnixSeconds } from "@xinglin/primitives";
import { decodeLightBlock, genesisTrust, verifyEvidence } from "@xinglin/verifier";
import type { NodeConfig } from "../src/config/node-config.ts";
import { continueAsNetwork } from "../src/from-solo.ts";
import { joiningBySnapshot, trustedHeader, withMembers } from "../src/join.ts";
import { admissionOf, cardForChain, cardOf, createMemberKeys, type MemberCard, provenValidator } from "../src/member-card.ts";
import { administrationKey, custodianKey, memberFolder, memberValidatorKey, nodeKey } from "../src/member-folder.ts";
import { newGenesis } from "../src/new-genesis.ts";
import { type OpenNode, openNode } from "../src/open-node.ts";
import { engineMissing } from "./support/engine.ts";

const folder = mkdtempSync(join(tmpdir(), "xs-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const A = "hospital-a" as MemberId;
const B = "hospital-b" as MemberId;
/** A snapshot so often, so that the second node finds one soon. */
const SNAPSHOT_BLOCKS = 5;

interface Side {
  readonly config: NodeConfig;
  readonly card: MemberCard;
  readonly network: { readonly nodeKey: string; readonly listen: string; readonly rpc: string; readonly loopback: true };
}

/** Keys, card and addresses of a member in a folder of its own. */
async function sideOf(member: MemberId, name: string, validatorKeyType: cometbft.KeyType): Promise<Side> {
  const data = join(folder, member);
  mkdirSync(data);
  createMemberKeys(data, member, { node: true, validatorKeyType });
  const [node, rpc, api, custodian] = await freePorts(4);
  const addresses = { node: `127.0.0.1:${node}`, api: `http://localhost:${api}`, custodian: `http://127.0.0.1:${custodian}` };
  const card = await cardOf(data, { member, kind: "hospital", name: { zh: name, en: name } }, addresses);
  const config: NodeConfig = {
    type: "xinglin-node/1",
    member,
    genesis: join(data, "genesis.cbor"),
    data,
    chain: { driver: "solo", validatorKey: memberValidatorKey(data, member) },
    api: { listen: `127.0.0.1:${api}` },
    custody: { key: custodianKey(data, member), listen: `127.0.0.1:${custodian}`, threshold: 1 },
    stores: [{ kind: "directory", id: `${member}-1`, member, path: join(data, "store") }],
  };
  const network = {
    nodeKey: nodeKey(data, member),
    listen: `127.0.0.1:${node}`,
    rpc: `127.0.0.1:${rpc}`,
    loopback: true,
  } as const;
  return { config, card, network };
}

/** Registers a work station: a change of the state that is easily proved. Returns its actor. */
const newDevice = async (client: ApiClient, by: KeyOfFile, name: string): Promise<string> =>
  (await registerDevice(client, by, join(memberFolder(join(folder, A), A), "staff", `${name}.json`))).actor;

test("a solo folder goes on with CometBFT; old proofs verify, and a second hospital joins", async (context) => {
  const missing = await engineMissing();
  if (missing !== undefined) return context.skip(missing);
  const first = await sideOf(A, "First", "ed25519");
  const { validator } = first.card;
  const genesis = newGenesis([first.card], {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: [{ member: A, publicKey: validator as Uint8Array }],
    election: SOLO_ELECTION,
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(first.config.genesis, genesis);
  const trust = { genesis: genesisTrust(genesis) };
  const administration = readKeyFile(administrationKey(join(folder, A), A));
  const running: OpenNode[] = [];
  const open = async (config: NodeConfig): Promise<OpenNode> => {
    const node = await openNode(config);
    running.push(node);
    return node;
  };
  try {
    // As one hospital.
    const solo = await open(first.config);
    const soloClient = new ApiClient({ url: solo.url });
    const early = await newDevice(soloClient, administration, "early");
    const oldEvidence = await collectEvidence(soloClient, administration, { keys: [keys.actor(early as never)], sequences: [0] });
    const oldBlocks = Array.from({ length: solo.ledger.height() }, (_, i) => solo.ledger.lightBlock(i + 1));
    const { chainId } = solo.ledger;
    await assert.rejects(continueAsNetwork(first.config, first.network), { code: "ledger_locked" });
    await running.pop()?.close();

    // It goes on as a network of one.
    const { config, continuation } = await continueAsNetwork(first.config, { ...first.network, snapshotBlocks: SNAPSHOT_BLOCKS });
    await assert.rejects(continueAsNetwork(config, first.network), { code: "not_solo" });
    assert.deepEqual(await continueAsNetwork(first.config, { ...first.network, snapshotBlocks: SNAPSHOT_BLOCKS }), {
      config,
      continuation,
    });
    const node = await open(config);
    const client = new ApiClient({ url: node.url, chainId });
    assert.equal(node.ledger.chainId, chainId);
    for (const [i, block] of oldBlocks.entries()) assert.deepEqual(node.ledger.lightBlock(i + 1), block);
    assert.equal((await verifyEvidence(oldEvidence, trust)).ok, true);
    const late = await newDevice(client, administration, "late");

    // Over the seam: the header above it is adjacent to the one below, and one file proves what was before and after.
    const chain = await TrustedChain.of(client, chainId);
    const header = (height: number) => chain.header(node.ledger.lightBlock(height) as Uint8Array);
    const seam = continuation.initialHeight;
    const below = decodeLightBlock(node.ledger.lightBlock(seam - 1) as Uint8Array).header;
    const above = await header(seam);
    assert.deepEqual(above.validatorsHash, below.nextValidatorsHash);
    assert.deepEqual(above.appHash, continuation.appHash);
    const evidence = await collectEvidence(client, administration, {
      keys: [keys.actor(early as never), keys.actor(late as never)],
      sequences: [0, 1],
    });
    const verdict = await verifyEvidence(evidence, trust);
    assert.equal(verdict.ok && verdict.proves.length, 4);

    // A second hospital is voted in, joins by a snapshot, and gets a seat for a post-quantum key: now blocks need both.
    const election = { ...CONSORTIUM_ELECTION, minSeats: 1 };
    assert.equal((await proposeAction(client, administration, { kind: "setElection", election })).outcome, "passed");
    const second = await sideOf(B, "Second", "ml-dsa-65");
    assert.equal((await proposeAction(client, administration, admissionOf(second.card))).outcome, "passed");
    writeFileSync(second.config.genesis, readFileSync(config.genesis));
    writeFileSync(`${second.config.genesis}.continuation`, readFileSync(`${config.genesis}.continuation`));
    const joining = withMembers(
      {
        ...second.config,
        chain: { driver: "cometbft", validatorKey: memberValidatorKey(join(folder, B), B), peers: [], ...second.network },
      },
      [first.card, second.card],
    );
    await untilSnapshot(client);
    const rpc = `http://${first.network.rpc}`;
    const other = await open(joiningBySnapshot(joining, [rpc, rpc], await trustedHeader(client, chainId)));
    const otherClient = new ApiClient({ url: other.url, chainId });
    const proven = provenValidator(cardForChain(join(folder, B), second.card, chainId), chainId);
    const seated = await proposeAction(client, administration, { kind: "admitValidator", ...proven });
    assert.equal(seated.outcome, "passed");
    const last = await newDevice(otherClient, administration, "last");
    const seen = await (await TrustedChain.of(otherClient, chainId)).prove(administration, keys.actor(last as never));
    assert.notEqual(seen.value, undefined);
    const { validators } = decodeLightBlock(await otherClient.getBytes("/v1/light-blocks/newest"));
    assert.equal(validators.length, 2);
  } finally {
    for (const node of running) await node.close();
  }
});

/** Resolves when the node has a snapshot for who joins. */
async function untilSnapshot(client: ApiClient): Promise<void> {
  for (;;) {
    const { snapshot } = (await client.getJson("/v1/node")) as { snapshot?: number };
    if (snapshot !== undefined) return;
    const { height } = (await client.getJson("/v1/status")) as { height: number };
    // Blocks come by themselves: asks again once there is a newer one.
    while (((await client.getJson("/v1/status")) as { height: number }).height === height)
      await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
