/**
 * Two members' nodes with real CometBFT lend each other three stores and look after one archive: what is deleted on both sides comes back over the network, though both mend it at once, and
 * what they did can be checked at the other's node. Requirements D2, D3.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { ArchiveReport, NodeFacts } from "@xinglin/api";
import { auditPossession, closeWorkers, ingest, openStore, type StoreDescription } from "@xinglin/archive";
import { ApiClient, TrustedChain } from "@xinglin/client";
import { CONSORTIUM_ELECTION, getAudit, getAuditHead, type Operation } from "@xinglin/contracts";
import { freePorts } from "@xinglin/engines/testing";
import {
  auditFile,
  auditFolder,
  checkStatements,
  decodeAuditFile,
  proveStatement,
  readKeyFile,
  requireAccepted,
} from "@xinglin/gateway";
import { cbor, Fault, type MemberId, toHex, type UnixSeconds } from "@xinglin/primitives";
import { withMembers } from "../../src/join.ts";
import { administrationKey } from "../../src/member-folder.ts";
import { newGenesis } from "../../src/new-genesis.ts";
import { type MemberNotice, type OpenNode, openNode } from "../../src/open-node.ts";
import { engineMissing } from "../support/engine.ts";
import { type Side, sideOf } from "../support/side.ts";

const folder = mkdtempSync(join(tmpdir(), "xr-"));
test.after(async () => {
  await closeWorkers();
  rmSync(folder, { recursive: true, force: true });
});
const [OWNER, OTHER] = ["site-1", "site-2"] as [MemberId, MemberId];
const CODE = { k: 4, m: 2 };

const storesOf = (member: MemberId): StoreDescription[] =>
  [1, 2, 3].map((n) => ({ kind: "directory", id: `${member}-${n}`, member, path: join(folder, member, `store-${n}`) }));

async function lendingSide(member: MemberId): Promise<Side> {
  const [lent] = await freePorts(1);
  const stores = storesOf(member);
  const side = await sideOf(folder, member, {
    stores,
    archive: { listen: `127.0.0.1:${lent}`, url: `http://127.0.0.1:${lent}` },
    // The other takes the owner for away at once, so that both mend.
    keeping: { percent: 100, sample: 1, ...(member === OTHER ? { stepInHours: 0 } : {}) },
  });
  for (const store of stores) await openStore(store).create();
  return side;
}

test("pieces deleted on both sides come back; the rounds stand on the chain, and another member can check them", async (context) => {
  const missing = await engineMissing();
  if (missing !== undefined) return context.skip(missing);
  const sides = [await lendingSide(OWNER), await lendingSide(OTHER)];
  const cards = sides.map(({ card }) => card);
  const genesis = newGenesis(cards, {
    name: "xinglin",
    time: Math.floor(Date.now() / 1000) as UnixSeconds,
    validators: cards.map(({ member, validator }) => ({ member, publicKey: validator as Uint8Array })),
    election: { ...CONSORTIUM_ELECTION, epochBlocks: 10_000 },
    page: { domain: "localhost", origins: ["http://localhost:1"] },
  });
  writeFileSync(join(folder, "genesis.cbor"), genesis);
  const running: OpenNode[] = [];
  const notices: MemberNotice[] = [];
  try {
    const opening = sides.map(({ config, card }) =>
      openNode(withMembers(config, cards), {
        onNotice: (notice) => {
          if (card.member === OWNER || notice.event === "archive_round_failed") notices.push(notice);
        },
      }),
    );
    const opened = await Promise.allSettled(opening);
    for (const one of opened) if (one.status === "fulfilled") running.push(one.value);
    for (const one of opened) if (one.status === "rejected") throw one.reason;
    const [owner, other] = running as [OpenNode, OpenNode];
    const { chainId } = owner.ledger;
    const clientOf = ({ url }: OpenNode) => new ApiClient({ url, language: "en", chainId, receiptQuestions: 8 });
    const administrationOf = (member: MemberId) => readKeyFile(administrationKey(join(folder, member), member));
    const [ownerKey, otherKey] = [administrationOf(OWNER), administrationOf(OTHER)];
    const ownerClient = clientOf(owner);
    const otherClient = clientOf(other);
    const site = { building: "b", city: "c", power: "p" };
    for (const [client, by, { config }] of [
      [ownerClient, ownerKey, sides[0] as Side],
      [otherClient, otherKey, sides[1] as Side],
    ] as const) {
      const lent = config.stores.map(
        ({ id }): Operation => ({ op: "lendStore", id, kind: "directory", site, quotaMegabytes: 100, url: config.archive!.url }),
      );
      requireAccepted(await client.submit(by, lent));
    }
    const all = [...storesOf(OWNER), ...storesOf(OTHER)].map(openStore);
    const { reference, objectId } = await ingest([{ path: "x", content: randomBytes(2_000_000) }], { stores: all, code: CODE });
    const pack = { id: objectId, ...reference };
    requireAccepted(
      await ownerClient.submit(ownerKey, [{ op: "anchorBatch", root: randomBytes(32), count: 1, packs: [pack] } as Operation]),
    );
    const isWhole = async (): Promise<boolean> => (await auditPossession(reference, objectId, all)).intact;
    for (const i of [0, 4]) await all[i]!.remove(objectId);
    assert.ok(!(await isWhole()));

    await Promise.all([owner.lookAtArchive(), other.lookAtArchive()]);
    assert.ok(await isWhole());
    assert.deepEqual(
      notices.filter(({ event }) => event.startsWith("archive")),
      [{ event: "archive_endangered", objects: 1, unreadable: 0, stores: 2 }],
    );
    const round = getAudit(owner.ledger, OWNER, 1);
    assert.ok(round !== undefined && round.objects === 1 && round.drawn === 6 && round.lost === 2 && round.next !== undefined);
    assert.equal(getAuditHead(other.ledger, OTHER).count, 1, "the other stepped in");

    const report = (await ownerClient.getJson("/v1/archive/health", ownerKey)) as ArchiveReport;
    assert.deepEqual([report.objects, report.byMissing, report.round, report.scope], [1, { 0: 1 }, 1, "own"]);
    await assert.rejects(ownerClient.getJson("/v1/archive/health", otherKey), isFault("not_visible"));
    const node = (await otherClient.getJson("/v1/node")) as NodeFacts;
    assert.deepEqual([node.archive?.objects, node.archive?.endangered], [1, 0]);

    // The second round draws by the secret that the first committed to, and the block after it.
    // What the other has proved is behind what it has decided, by a block.
    const another = async () =>
      requireAccepted(await otherClient.submit(otherKey, [{ op: "anchorBatch", root: randomBytes(32), count: 1 }]));
    await another();
    await owner.lookAtArchive();
    await another();
    const path = auditFile(auditFolder(join(folder, OWNER)), OWNER, 2);
    const kept = decodeAuditFile(Uint8Array.from(readFileSync(path)));
    assert.ok("statements" in kept);
    const chain = await TrustedChain.of(otherClient, chainId);
    const check = (file: typeof kept | ReturnType<typeof decodeAuditFile>) =>
      checkStatements({ client: otherClient, chain }, otherKey, file);
    const whole = await check(kept);
    assert.deepEqual([whole.number, whole.isDrawBound, whole.statements[0]?.draw.committed], [2, true, 1]);
    const one = decodeAuditFile(proveStatement(kept, toHex(objectId)));
    assert.equal((await check(one)).statements.length, 1);

    const said = cbor.decode(kept.statements[0] as Uint8Array, 1 << 20) as { stores: { held: number }[] };
    said.stores[0]!.held -= 1;
    const changed = [cbor.encode(said)];
    await assert.rejects(check({ ...kept, statements: changed }), isFault("audit_statement_wrong"));
    assert.ok("statement" in one);
    await assert.rejects(check({ ...one, statement: changed[0] as Uint8Array }), isFault("audit_statement_wrong"));
    await assert.rejects(check({ ...kept, number: 1 }), isFault("audit_statement_wrong"));
  } finally {
    for (const node of running) await node.close();
  }
});

const isFault =
  (code: string) =>
  (error: unknown): boolean =>
    error instanceof Fault && error.code === code;
