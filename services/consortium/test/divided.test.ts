/**
 * The folder of `npm start` becomes a node's folder for each member: the chain goes on with CometBFT, what was proved before is still, a record from before is
 * read at another member's node with shares and pieces that moved, and who starts the old folder is told where its members are.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, existsSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { closeWorkers } from "@xinglin/archive";
import { ApiClient, collectEvidence } from "@xinglin/client";
import { ensureEngine } from "@xinglin/cometbft";
import { keys } from "@xinglin/contracts";
import { fetchObject, importBundle, openGateway, redeemPermit, registerDevice, requestRead } from "@xinglin/gateway";
import { closeValidator } from "@xinglin/interop";
import { divideConsortium, isConsortiumFolder, isDivided, type OpenNode, openNode, readNodeConfig } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import { genesisTrust, verifyEvidence } from "@xinglin/verifier";
import { CAST } from "../src/cast.ts";
import { keyReader } from "../src/story/stage.ts";
import { BUNDLE, consent, openTestStage } from "./open-stage.ts";
import { removeDataFolder, startConsortium } from "./running-consortium.ts";

const isMissing = await ensureEngine().then(
  () => false,
  (error: unknown) => error instanceof Fault && error.code === "go_missing" && `CometBFT is not built: ${error.message}`,
);
/** The one with the seat, and as many more as the custody's threshold needs. */
const STARTED = ["commission", "hospital-a", "hospital-b", "hospital-c"];

test("every member goes on with a node's folder of its own", { skip: isMissing }, async (context) => {
  const stage = await openTestStage();
  const { data } = stage;
  const running: OpenNode[] = [];
  context.after(async () => {
    await Promise.all(running.map((node) => node.close()));
    await stage.consortium.close();
    await closeWorkers();
    await closeValidator();
    removeDataFolder(data);
  });
  // As one process.
  const options = { by: stage.key("hospital-a/radiographer"), patient: stage.patient.atA.actor, originals: stage.originals };
  const { records } = await importBundle(stage.gateway, BUNDLE, options);
  const record = records[0]!;
  await consent(stage, stage.patient.atA, [record.class.category]);
  const doctor = stage.key("hospital-b/doctor");
  const commission = stage.key("commission/administration");
  const evidence = await collectEvidence(stage.client, commission, { keys: [keys.record(record.record)], sequences: [0, 3] });
  const trust = { genesis: genesisTrust(readFileSync(join(data, "genesis.cbor"))) };
  await assert.rejects(divideConsortium(data), { code: "ledger_locked" });
  await stage.consortium.close();
  const { chainId } = stage.consortium.ledger;

  // Divided; done again as if it had been killed just before its last step; and then there is nothing left to divide.
  const seat = join(data, "validator.json");
  copyFileSync(seat, `${seat}.before`);
  const firstPort = await portsInARow(3 * CAST.length);
  const divided = await divideConsortium(data, { firstPort });
  assert.equal(existsSync(seat), false);
  copyFileSync(`${seat}.before`, seat);
  assert.ok(isConsortiumFolder(data));
  assert.deepEqual(await divideConsortium(data, { firstPort }), divided);
  assert.ok(!isConsortiumFolder(data) && isDivided(data));
  await assert.rejects(divideConsortium(data), { code: "not_solo" });
  assert.deepEqual(divided.nodes.map(({ member }) => member).toSorted(), CAST.map(({ id }) => id).toSorted());
  assert.deepEqual(readdirSync(join(data, "members")), ["phone"], "the patient's device in the story is no member");
  for (const gone of ["custodians", "stores"]) assert.deepEqual(filesIn(join(data, gone)), [], `${gone} moved`);
  for (const { id } of CAST) {
    const folder = join(data, "nodes", id);
    assert.deepEqual(readdirSync(join(folder, "members")), [id], "no other member's keys");
    assert.ok(filesIn(join(folder, "custodians", id)).length > 0);
  }

  // As nodes.
  for (const { member, config } of divided.nodes)
    if (STARTED.includes(member)) running.push(await openNode(readNodeConfig(config)));
  const [first] = running as [OpenNode];
  assert.equal(first.ledger.chainId, chainId);
  assert.equal((await verifyEvidence(evidence, trust)).ok, true);
  const client = new ApiClient({ url: first.url, chainId });
  const device = join(data, "nodes", "commission", "members", "commission", "staff", "new.json");
  const { actor } = await registerDevice(client, commission, device);
  const both = { keys: [keys.record(record.record), keys.actor(actor)], sequences: [0] };
  assert.equal((await verifyEvidence(await collectEvidence(client, commission, both), trust)).ok, true);
  const atB = join(data, "nodes", "hospital-b");
  assert.deepEqual(keyReader(atB)("hospital-b/doctor").actor, doctor.actor);
  const gateway = openGateway(atB, "en");
  const asked = await requestRead(gateway, doctor, {
    patient: stage.patient.atA.actor,
    purpose: "TREAT",
    class: record.class,
    target: { kind: "record", record: record.record, version: 1 },
    credential: doctor.credential!,
  });
  assert.ok(asked.permitted);
  const { contentKey } = await redeemPermit(gateway, doctor, asked.held);
  const received = join(atB, "received");
  await fetchObject(gateway, asked.held.permit, contentKey, received, doctor);
  const original = join(data, "nodes", "hospital-a", "members", "hospital-a", "originals", `${record.record}.json`);
  assert.deepEqual(readFileSync(join(received, "bundle.json")), readFileSync(original));

  const again = startConsortium(data);
  await assert.rejects(again.said(/The story begins/), /folder_divided/);
});

const filesIn = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true }).flatMap((one) => (one.isFile() ? [one.name] : []))
    : [];

/** The first of so many ports in a row that nobody listens on just now. */
async function portsInARow(count: number): Promise<number> {
  for (let first = 21_000 + (process.pid % 300) * 30; ; first += count) {
    const servers = Array.from({ length: count }, (_, i) => createServer().listen(first + i, "127.0.0.1"));
    const free = await Promise.all(
      servers.map((server) =>
        once(server, "listening").then(
          () => true,
          () => false,
        ),
      ),
    );
    for (const server of servers) server.close();
    if (free.every(Boolean)) return first;
  }
}
