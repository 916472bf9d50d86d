/** One contract for every engine: what is projected, what pages show to whom, and that each change from outside is found. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Fault, toHex } from "@xinglin/primitives";
import { sql, type Transaction } from "kysely";
import { hasAccess, listAccesses } from "../src/query/accesses.ts";
import { listConsents, listGrants } from "../src/query/consents.ts";
import { entriesAfter, listEntries, maySeeEntry } from "../src/query/entries.ts";
import { findObject } from "../src/query/find-object.ts";
import { endedObjects, objectReferrers } from "../src/query/object-referrers.ts";
import { listObjects } from "../src/query/objects.ts";
import { findRecord, listRecords } from "../src/query/records.ts";
import { ReadModel, type RebuildReason } from "../src/read-model.ts";
import type { Source } from "../src/source.ts";
import type { StoreLocation } from "../src/store/open.ts";
import type { DerivedTable, Tables } from "../src/store/tables.ts";
import { type Finding, verifyRows } from "../src/verify.ts";
import {
  A,
  B,
  doctorB,
  hashOf,
  idOf,
  otherPatient,
  patient,
  playStory,
  record,
  secondRecord,
  TestChain,
} from "./chain-fixture.ts";
import { serverPrograms, startPostgres, type TestServer, template } from "./databases.ts";

const page = { limit: 50 };

function suite(name: string, locate: () => Promise<StoreLocation>): void {
  describe(name, () => {
    const chain = new TestChain();
    const rebuilds: RebuildReason[] = [];
    let model: ReadModel;
    before(async () => {
      playStory(chain);
      model = await ReadModel.open({ location: await locate(), source: chain, onRebuild: (reason) => rebuilds.push(reason) });
      await model.rebuild();
      rebuilds.length = 0;
    });
    after(() => model.close());

    test("every entry is projected, and every row is as the chain says", async () => {
      assert.equal(model.sequence, chain.items.length);
      const { entries, rows, findings } = await model.verify();
      assert.equal(entries, chain.items.length);
      assert.ok(rows > entries, `${rows} rows`);
      assert.deepEqual(findings, []);
    });

    test("a log of which the beginning is gone is projected, verified and opened again from the oldest entry that is there", async () => {
      let first = 6;
      const shortened: Source = {
        chain: chain.chain,
        size: () => chain.size(),
        first: async () => first,
        read: async (from, limit) => (from < first ? [] : chain.read(from, limit)),
      };
      const location = await locate();
      const opened = await ReadModel.open({ location, source: shortened });
      await opened.rebuild();
      try {
        assert.equal(await count(opened, "entries"), chain.items.length - 6);
        assert.deepEqual((await opened.verify()).findings, []);
        assert.equal((await opened.verify()).entries, chain.items.length - 6);
        // More goes, rows of it stay: they are no longer looked at.
        first = 8;
        assert.deepEqual((await opened.verify()).findings, []);
        // The ledger joined anew beyond what is projected here.
        first = chain.items.length;
        await opened.rebuild();
        assert.deepEqual([opened.sequence, await count(opened, "entries")], [first, 0]);
      } finally {
        await opened.close();
      }
    });

    test("every table has a row, so that the comparison below is of every table", async () => {
      for (const table of tables) assert.ok((await count(model, table)) > 0, table);
    });

    test("entries are shown to whom they concern, newest first, page by page", async () => {
      const all = await listEntries(model.db, { kind: "commission" }, {}, { limit: 200 });
      assert.equal(all.items.length, chain.items.length);
      assert.equal(all.next, undefined);
      const paged: number[] = [];
      for (let before: number | undefined; ; ) {
        const { items, next } = await listEntries(
          model.db,
          { kind: "commission" },
          {},
          { limit: 4, ...(before === undefined ? {} : { before }) },
        );
        paged.push(...items.map(({ sequence }) => sequence));
        if (next === undefined) break;
        before = next;
      }
      assert.deepEqual(paged, chain.items.map(({ sequence }) => sequence).reverse());

      const mine = await listEntries(model.db, { kind: "patient", patient }, {}, page);
      assert.ok(mine.items.length > 5 && mine.items.every(({ subject }) => subject.patient === patient));
      const ofB = await listEntries(model.db, { kind: "member", member: B }, {}, page);
      assert.ok(ofB.items.length > 0 && ofB.items.every(({ by }) => by.member === B));
      const ofA = await listEntries(model.db, { kind: "member", member: A }, {}, page);
      assert.ok(
        ofA.items.some(({ by }) => by.member === B),
        "the home of the patient sees who asked elsewhere",
      );
      assert.ok(ofA.items.every(({ by, subject }) => by.member === A || subject.patient !== undefined));
      const filtered = await listEntries(model.db, { kind: "commission" }, { record }, page);
      assert.ok(filtered.items.length > 4 && filtered.items.every(({ subject }) => subject.record === record));

      const later = await entriesAfter(model.db, { kind: "patient", patient }, 10, 100);
      assert.deepEqual(
        later.map(({ sequence }) => sequence),
        mine.items
          .map(({ sequence }) => sequence)
          .filter((sequence) => sequence > 10)
          .reverse(),
      );
      const foreign = chain.items.length - 1;
      assert.equal(await maySeeEntry(model.db, { kind: "member", member: B }, foreign), true);
      assert.equal(await maySeeEntry(model.db, { kind: "patient", patient }, foreign), false);
    });

    test("accesses name outcome, directive, role and releases; another member sees its own requests only, another patient none", async () => {
      const { items } = await listAccesses(model.db, { kind: "patient", patient }, { patient, home: A }, page);
      assert.deepEqual(
        items.map(({ outcome, code, permit, directive }) => ({ outcome, code, permit, directive })),
        [
          { outcome: "refused", code: "denied", permit: undefined, directive: 2 },
          { outcome: "refused", code: "none_in_force", permit: undefined, directive: undefined },
          { outcome: "accepted", code: undefined, permit: 2, directive: 1 },
          { outcome: "accepted", code: undefined, permit: 1, directive: 1 },
          { outcome: "refused", code: "no_directive", permit: undefined, directive: undefined },
        ],
      );
      const first = items.find(({ permit }) => permit === 1);
      assert.equal(first?.by.role, "doctor");
      assert.equal(first?.by.department, "RAD");
      assert.equal(first?.by.actor, doctorB);
      assert.deepEqual(
        first?.releases.map(({ custodian }) => custodian),
        ["custodian-a"],
      );
      assert.ok(first?.reason !== undefined);

      assert.equal((await listAccesses(model.db, { kind: "member", member: B }, { patient, home: A }, page)).items.length, 5);
      assert.equal(
        (await listAccesses(model.db, { kind: "member", member: "hospital-c" }, { patient, home: A }, page)).items.length,
        0,
      );
      assert.equal(
        (await listAccesses(model.db, { kind: "patient", patient: otherPatient }, { patient, home: A }, page)).items.length,
        0,
      );
      assert.equal(await hasAccess(model.db, B, { patient, permit: 1 }), true);
      assert.equal(await hasAccess(model.db, A, { patient, permit: 1 }), false);
      assert.equal(await hasAccess(model.db, B, { record: secondRecord }), false);
    });

    test("consents carry their newest terms, their history and their reads", async () => {
      const { items } = await listConsents(model.db, patient, page);
      const [denial, permit] = items;
      assert.equal(denial?.terms.effect, "deny");
      assert.deepEqual(permit?.terms.categories, ["imaging"]);
      assert.equal(permit?.version, 2);
      assert.equal(permit?.reads, 2);
      assert.ok(permit?.revokedAt !== undefined);
      assert.deepEqual(
        permit?.history.map(({ change }) => change),
        ["granted", "narrowed", "revoked"],
      );
      assert.equal((await listConsents(model.db, patient, { limit: 1 })).items.length, 1);
      assert.equal(
        (await listConsents(model.db, patient, { limit: 1, before: permit.history[0]!.sequence + 1 })).items[0]?.number,
        1,
      );
    });

    test("grants name the member while they are in force, with the pointers that are its own", async () => {
      const { items } = await listGrants(model.db, B, chain.time, page);
      assert.deepEqual(
        items.map(({ terms, pointers }) => [terms.effect, pointers.length]),
        [
          ["permit", 1],
          ["deny", 0],
        ],
        "the revoked one is gone",
      );
      assert.ok(items.every(({ pointers }) => pointers.every(({ member }) => member === B)));
      assert.equal((await listGrants(model.db, A, chain.time, page)).items.length, 0);
      assert.equal((await listGrants(model.db, B, chain.time + 200_000, page)).items.length, 0, "ended");
      assert.equal(
        (await listGrants(model.db, B, chain.time, { limit: 1, before: items[0]!.sequence })).items[0]?.terms.effect,
        "deny",
      );
    });

    test("records show what their changes leave, under the patient they are filed under now", async () => {
      const { items } = await listRecords(model.db, patient, page);
      assert.deepEqual(
        items.map((item) => item.record),
        [record],
      );
      assert.equal(items[0]?.version, 2);
      assert.equal(items[0]?.status, "ending");
      assert.deepEqual(
        items[0]?.history.map(({ change }) => change),
        ["anchored", "amended", "withdrawn", "ending"],
      );
      assert.deepEqual(
        (await listRecords(model.db, otherPatient, page)).items.map((item) => item.record),
        [secondRecord],
      );
      assert.equal((await findRecord(model.db, secondRecord))?.patient, otherPatient);
      assert.equal(await findRecord(model.db, "0".repeat(32)), undefined);
    });

    test("objects are those of records and the packs of batches, each once; a record inside a pack adds none", async () => {
      const { items } = await listObjects(model.db, page);
      assert.deepEqual(
        items.map(({ record: of, batch, status, object }) => [of ?? batch ?? status, object.id]),
        [
          [secondRecord, idOf("refiled id")],
          [toHex(hashOf("batch")), idOf("pack 1 id")],
          [toHex(hashOf("batch")), idOf("pack 2 id")],
          [secondRecord, idOf("second id")],
          ["kept", idOf("pixels 2 id")],
          ["dropped", idOf("pixels 1 id")],
          [record, idOf("first id")],
        ],
      );
      // When each was anchored, and last read with a permit: pixels with the record that brought them, packs are not asked.
      const reads = (await listAccesses(model.db, { kind: "patient", patient }, { patient, home: A }, page)).items;
      const read = reads.find(({ outcome }) => outcome === "accepted")?.time;
      assert.ok(read !== undefined && reads.some(({ outcome, time }) => outcome === "refused" && time > read));
      assert.deepEqual(
        items.map(({ readAt }) => readAt),
        [undefined, undefined, undefined, undefined, read, read, read],
      );
      assert.ok(items[0]!.time > items[3]!.time && items[6]!.time < read);
      // A page does not part the packs of a batch.
      const { items: three, next } = await listObjects(model.db, { limit: 2 });
      assert.equal(three.length, 3);
      assert.deepEqual((await listObjects(model.db, { limit: 3, before: next as number })).items, items.slice(3, 6));
      assert.deepEqual((await listObjects(model.db, page, B)).items, []);
      const pack = await findObject(model.db, idOf("pack 2 id"));
      assert.deepEqual([pack?.record, pack?.batch, pack?.source], [undefined, toHex(hashOf("batch")), A]);
      assert.equal((await findObject(model.db, idOf("second id")))?.record, secondRecord);
      assert.equal(await findObject(model.db, "0".repeat(32)), undefined);
      assert.equal((await findObject(model.db, idOf("second id"), A))?.record, secondRecord);
      assert.equal(await findObject(model.db, idOf("second id"), B), undefined);
      const pixels = await findObject(model.db, idOf("pixels 2 id"));
      assert.deepEqual([pixels?.record, pixels?.batch, pixels?.source], [undefined, undefined, A]);
    });

    test("what was dropped is among what ended, and a member that keeps an object is among what names it", async () => {
      const [first, second] = [idOf("pixels 1 id"), idOf("pixels 2 id")];
      const ended = await endedObjects(model.db);
      assert.deepEqual([ended.includes(first), ended.includes(second)], [true, false]);
      assert.deepEqual(
        await objectReferrers(model.db, [first, second, idOf("pack 1 id")]),
        [
          { object: idOf("pack 1 id"), record: null, kept: null, source: A },
          { object: first, record: null, kept: false, source: A },
          { object: second, record: null, kept: true, source: A },
        ].sort((a, b) => (a.object < b.object ? -1 : 1)),
      );
    });

    for (const table of tables)
      test(`${table}: a row changed, removed or slipped in from outside is named`, () =>
        undone(model, async (tx) => {
          const column = columnOf[table];
          const name = sql.id("xinglin", table);
          const { rows } = await sql<{ sequence: number }>`select sequence from ${name} order by sequence limit 1`.execute(tx);
          const first = rows[0]!.sequence;
          const isPart = table.startsWith("directive_");
          const key = isPart ? `${first}/0` : `${first}`;
          const findings = async (): Promise<readonly Finding[]> => (await verifyRows(tx, chain)).findings;

          await sql`update ${name} set ${sql.id(column.name)} = ${sql.raw(column.to)} where sequence = ${first}`.execute(tx);
          assert.deepEqual(await findings(), [{ table, key, kind: "changed", columns: [column.name] }]);

          const [place, moved] = isPart ? [sql.id("position"), 99] : [sql.id("sequence"), chain.items.length + 7];
          await sql`update ${name} set ${place} = ${moved} where sequence = ${first}`.execute(tx);
          const [missing, extra] = [...(await findings())].sort((a, b) => b.kind.localeCompare(a.kind));
          assert.deepEqual(missing, { table, key, kind: "missing" });
          assert.deepEqual(extra, { table, key: isPart ? `${first}/99` : `${moved}`, kind: "extra" });

          await sql`delete from ${name} where ${place} = ${moved}`.execute(tx);
          assert.deepEqual(await findings(), [{ table, key, kind: "missing" }]);
        }));

    test("a rebuild repairs what was changed", async () => {
      await sql`update xinglin.entries set outcome = 'rejected'`.execute(model.db);
      await sql`delete from xinglin.records`.execute(model.db);
      assert.ok((await model.verify()).findings.length > 10);
      await model.rebuild();
      assert.deepEqual((await model.verify()).findings, []);
      assert.deepEqual(rebuilds.splice(0), ["asked"]);
    });

    test("a changed digest of the cursor is named", async () => {
      await sql`update xinglin.projection set digest = '\\x00'`.execute(model.db);
      assert.deepEqual((await model.verify()).findings, [
        { table: "projection", key: "cursor", kind: "changed", columns: ["digest"] },
      ]);
      await model.rebuild();
    });

    test("a row in the way of the projection makes it begin again by itself", async () => {
      rebuilds.length = 0;
      await sql`insert into xinglin.batches values (${chain.items.length + 1}, 1, 1, '\\x00', 1, 'a', null, 'a')`.execute(
        model.db,
      );
      chain.submit(A, { op: "withdrawRecord", record: secondRecord });
      chain.submit(A, { op: "anchorBatch", root: new Uint8Array(32), count: 3 });
      await model.catchUp();
      assert.equal(model.sequence, chain.items.length);
      assert.deepEqual(rebuilds, ["conflict"]);
      assert.deepEqual((await model.verify()).findings, []);
    });

    test("what the engine says of a failed query stays inside: only its SQLSTATE comes out", async () => {
      const failing = sql`insert into xinglin.batches values (1, 1, 1, '\\x00', 1, 'planted-value', null, null)`.execute(
        model.db,
      );
      await assert.rejects(
        failing,
        (error) =>
          error instanceof Fault &&
          error.code === "index_query_failed" &&
          error.facts.sqlstate === "23502" &&
          !JSON.stringify([error.message, error.facts, String(error.cause)]).includes("planted"),
      );
    });
  });
}

const columnOf: { readonly [Table in DerivedTable]: { readonly name: string; readonly to: string } } = {
  entries: { name: "outcome", to: "'rejected'" },
  accesses: { name: "purpose", to: "'HMARKT'" },
  directives: { name: "time", to: "time + 1" },
  directive_grantees: { name: "member", to: "'hospital-x'" },
  directive_pointers: { name: "sealed", to: "'\\x00'" },
  records: { name: "object", to: `jsonb_set(object, '{sizeClass}', '9')` },
  batches: { name: "count", to: "1" },
  kept_objects: { name: "change", to: "'dropped'" },
  actors: { name: "member", to: "null" },
  credentials: { name: "role", to: "'nurse'" },
  approvals: { name: "not_after", to: "0" },
  releases: { name: "custodian", to: "'custodian-x'" },
  erasures: { name: "version", to: "9" },
};
const tables = Object.keys(columnOf) as DerivedTable[];

/** Runs `work` in a transaction that is rolled back. */
async function undone(model: ReadModel, work: (tx: Transaction<Tables>) => Promise<void>): Promise<void> {
  const rollback = new Error("rollback");
  const done = model.db.transaction().execute(async (tx) => {
    await work(tx);
    throw rollback;
  });
  await assert.rejects(done, (error) => {
    if (error !== rollback) throw error;
    return true;
  });
}
const count = async (model: ReadModel, table: DerivedTable): Promise<number> =>
  (await sql<{ n: number }>`select count(*) as n from ${sql.id("xinglin", table)}`.execute(model.db)).rows[0]!.n;

suite("PGlite", async () => ({ kind: "embedded", template: await template() }));

const programs = serverPrograms();
if (programs === undefined) test("PostgreSQL", { skip: "no PostgreSQL server programs here: apt install postgresql" }, () => {});
else {
  const servers: TestServer[] = [];
  suite("PostgreSQL", async () => {
    const server = await startPostgres(programs);
    servers.push(server);
    return { kind: "postgres", url: server.url };
  });
  after(() => Promise.all(servers.map((server) => server.stop())));
}
