/**
 * Four members' nodes with real CometBFT probe each other, the node of a fifth is not there, and one of the four tells lies: the fifth gets its strikes,
 * loses power and then its seat; whom the liar accuses loses nothing. Requirement A8.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ApiClient, signTransaction } from "@xinglin/client";
import {
  CONSORTIUM_ELECTION,
  type Election,
  type EpochRecord,
  getElection,
  getEpoch,
  type Operation,
  type ValidatorStanding,
  validatorStatus,
} from "@xinglin/contracts";
import { chainFacts, readKeyFile } from "@xinglin/gateway";
import { type ActorId, Fault, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import { withMembers } from "../../src/join.ts";
import { administrationKey } from "../../src/member-folder.ts";
import { newGenesis } from "../../src/new-genesis.ts";
import { type OpenNode, openNode } from "../../src/open-node.ts";
import { engineMissing } from "../support/engine.ts";
import { type Side, sideOf } from "../support/side.ts";

const folder = mkdtempSync(join(tmpdir(), "xp-"));
test.after(() => rmSync(folder, { recursive: true, force: true }));
const MEMBERS = ["site-1", "site-2", "site-3", "liar", "gone"] as MemberId[];
const LIAR = MEMBERS[3] as MemberId;
const GONE = MEMBERS[4] as MemberId;
const ACCUSED = MEMBERS[0] as MemberId;
/** Long enough for a few looks between two blocks on a machine that is busy with other tests. */
const EPOCH_BLOCKS = 24;
const EPOCHS = 2;

const probingSide = (member: MemberId): Promise<Side> =>
  sideOf(folder, member, {
    // The liar has no prober: the test speaks for it.
    probing: { ...(member === LIAR ? {} : { key: administrationKey(join(folder, member), member) }), timeoutMs: 2_000 },
    stores: [{ kind: "directory", id: `${member}-1`, member, path: join(folder, member, "store") }],
  });

/** Blocks with transactions, one a block, until the condition holds; what the liar says is among them. */
async function until(nodes: readonly OpenNode[], isDone: () => boolean): Promise<void> {
  const [{ ledger }] = nodes as [OpenNode];
  const liar = readKeyFile(administrationKey(join(folder, LIAR), LIAR));
  let lied = 0;
  while (!isDone()) {
    const epoch = getElection(ledger)?.epoch ?? 0;
    const operations: Operation[] = [device(ledger.height())];
    if (lied < epoch) {
      const nothing = { answeredPerMille: 0, kilobytesPerSecond: 0, freeMegabytes: 0 };
      const much = { answeredPerMille: 1000, kilobytesPerSecond: 900_000, freeMegabytes: 900_000_000 };
      operations.push(
        { op: "recordProbe", epoch, member: ACCUSED, seen: nothing },
        { op: "recordProbe", epoch, member: GONE, seen: much },
      );
      lied = epoch;
    }
    const time = Math.floor(Date.now() / 1000) as UnixSeconds;
    const { id, bytes } = await signTransaction({ chainId: ledger.chainId, height: ledger.height(), time }, liar, operations);
    try {
      await ledger.submit(bytes);
      await ledger.receipt(id, "committed");
    } catch (error) {
      if (!(error instanceof Fault && error.retry)) throw error;
      await nextBlock({ subscribe: (listener) => ledger.subscribe(listener) }); // an engine that is starting takes nothing yet
    }
  }
}

const nextBlock = ({ subscribe }: Pick<OpenNode["ledger"], "subscribe">): Promise<void> =>
  new Promise((resolve) => {
    const stop = subscribe(() => {
      stop();
      resolve();
    });
  });

let devices = 0;
/** Something to do, refused or not. */
const device = (height: number): Operation => ({
  op: "setActorStatus",
  id: `${(devices++).toString(16).padStart(16, "0")}${height.toString(16).padStart(16, "0")}` as ActorId,
  status: "suspended",
});

test("a node that is not there loses power, then its seat; a liar alone changes nothing", async (context) => {
  const missing = await engineMissing();
  if (missing !== undefined) return context.skip(missing);
  const sides = await Promise.all(MEMBERS.map(probingSide));
  const cards = sides.map(({ card }) => card);
  const genesis = newGenesis(cards, {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: cards.map(({ member, validator }) => ({ member, publicKey: validator as Uint8Array })),
    election: {
      ...CONSORTIUM_ELECTION,
      epochBlocks: EPOCH_BLOCKS,
      // Probes alone judge here: what is signed does not, and this machine may be slow.
      unfit: { signedPerMille: 0, answeredPerMille: 500, kilobytesPerSecond: 1, freeMegabytes: 1, epochs: EPOCHS },
    },
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(join(folder, "genesis.cbor"), genesis);
  const running: OpenNode[] = [];
  try {
    const opening = sides.filter(({ card }) => card.member !== GONE).map(({ config }) => openNode(withMembers(config, cards)));
    for (const opened of await Promise.allSettled(opening)) {
      if (opened.status === "rejected") throw opened.reason;
      running.push(opened.value);
    }
    const { ledger } = running[0] as OpenNode;
    const standings = (): ValidatorStanding[] => {
      const status = validatorStatus(ledger);
      return status === undefined ? [] : [...status.active, ...status.standby, ...status.unfit];
    };
    const of = (member: MemberId) => standings().find((one) => one.member === member) as ValidatorStanding;

    // On a machine that is busy an epoch may end before all have told: then nobody gets a strike in it, and the next one counts.
    let accused = 0;
    const watched = (isDone: () => boolean) => (): boolean => {
      accused = Math.max(accused, of(ACCUSED).strikes);
      return isDone();
    };
    await until(
      running,
      watched(() => of(GONE).strikes === 1),
    );
    const { epoch } = getElection(ledger) as Election;
    const rows = new Map((getEpoch(ledger, epoch - 1) as EpochRecord).rows.map((row) => [row.member, row]));
    assert.deepEqual([rows.get(GONE)?.probers, of(GONE).seen?.answeredPerMille], [4, 0], "three who saw, and the liar");
    assert.ok(of(GONE).power < of(ACCUSED).power, `${of(GONE).power} against ${of(ACCUSED).power}`);
    await until(
      running,
      watched(() => of(GONE).standing === "unfit"),
    );
    assert.equal(of(GONE).strikes, EPOCHS);
    await until(
      running,
      watched(() => of(GONE).power === 0),
    );
    assert.deepEqual(
      MEMBERS.filter((member) => of(member).power > 0),
      MEMBERS.filter((member) => member !== GONE),
    );
    assert.deepEqual([accused, of(ACCUSED).standing], [0, "fit"]);
    // The same, proven to a hospital that decides where its pieces go.
    const client = new ApiClient({ url: (running[0] as OpenNode).url, language: "en", chainId: ledger.chainId });
    const { nodes } = await chainFacts({ client }, readKeyFile(administrationKey(join(folder, ACCUSED), ACCUSED)));
    const [gone, honest] = [GONE, ACCUSED].map((member) => nodes.get(member)?.answered ?? -1) as [number, number];
    assert.ok(gone < 0.5 && honest > 0.5, `${gone} of the node that is not there, ${honest} of the one accused`);
  } finally {
    await Promise.all(running.map((node) => node.close()));
  }
});
