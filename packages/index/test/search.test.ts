/** What searches go by, on both engines: kept, found by each criterion, dropped with its record, and logged. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Description, RecordClass, SearchCriteria } from "@xinglin/contracts";
import type { CredentialId, MemberId } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import { describedRecords, dropDescriptions, keepDescriptions } from "../src/search/descriptions.ts";
import { findMatches } from "../src/search/find-matches.ts";
import { listSearches, listSearchesOf, logSearch } from "../src/search/search-log.ts";
import { recreate } from "../src/store/migrate.ts";
import { openStore, type Store, type StoreLocation } from "../src/store/open.ts";
import type { Tables } from "../src/store/tables.ts";
import { serverPrograms, startPostgres, type TestServer, template } from "./databases.ts";

const A = "hospital-a" as MemberId;
const B = "hospital-b" as MemberId;
const imaging: RecordClass = { level: "sensitive", category: "imaging" };
const laboratory: RecordClass = { level: "internal", category: "laboratory" };
const id = (n: number): string => n.toString(16).padStart(32, "0");
const ct: Description = {
  format: "dicom",
  modalities: ["CT", "SR"],
  bodyParts: ["CHEST"],
  manufacturers: ["GE"],
  month: 202_503,
  seriesClass: 2,
  instanceClass: 8,
  sliceMicrometres: 1_250,
  contrast: true,
};
const glucose = { system: "LOINC", code: "2345-7" } as const;
const results: Description = {
  format: "fhir",
  entries: [
    { type: "Observation", code: glucose, status: "final", firstMonth: 202_401, lastMonth: 202_406 },
    { type: "Observation", code: { system: "LOINC", code: "718-7" }, status: "amended", firstMonth: 202_509, lastMonth: 202_509 },
    { type: "Patient" },
  ],
};
const study = { record: id(1), version: 1, source: A, patient: id(100), class: imaging, description: ct };
const bundle = { record: id(2), version: 3, source: A, patient: id(100), class: laboratory, description: results };
const leaf = { record: id(3), batch: new Uint8Array(32).fill(7), source: A, patient: id(101), class: laboratory };
const small = { ...leaf, description: { format: "fhir", entries: [{ type: "Observation", code: glucose }] } as const };

function suite(name: string, open: () => Promise<StoreLocation>): void {
  describe(name, () => {
    let store: Store;
    let db: Kysely<Tables>;
    before(async () => {
      store = await openStore(await open());
      db = store.db;
      await keepDescriptions(db, [study, bundle, small as never]);
    });
    after(() => store.close());

    const all = [imaging, laboratory];
    const found = async (criteria: SearchCriteria, more: object = {}): Promise<number[]> => {
      const matches = await findMatches(db, { criteria, member: B, open: all, limit: 10, ...more });
      return matches.map(({ record }) => Number(`0x${record}`));
    };

    test("each criterion finds what has it, newest month first", async () => {
      const rows: readonly (readonly [SearchCriteria, readonly number[]])[] = [
        [{}, [2, 1, 3]],
        [{ category: "imaging" }, [1]],
        [{ modality: "SR" }, [1]],
        [{ modality: "MR" }, []],
        [{ bodyPart: "CHEST", manufacturer: "GE", contrast: true, maxSliceMicrometres: 1_250 }, [1]],
        [{ maxSliceMicrometres: 1_249 }, []],
        [{ contrast: false }, []],
        [{ code: glucose }, [2, 3]],
        [{ code: glucose, status: "final" }, [2]],
        [{ code: glucose, status: "amended" }, []],
        [{ code: glucose, fromMonth: 202_406 }, [2]],
        [{ code: glucose, fromMonth: 202_407 }, []],
        [{ code: glucose, toMonth: 202_312 }, []],
        [{ resourceType: "Patient" }, [2]],
        [{ fromMonth: 202_504 }, [2]],
        [{ toMonth: 202_503 }, [2, 1]],
        [{ fromMonth: 202_503, toMonth: 202_503 }, [2, 1]],
      ];
      for (const [criteria, expected] of rows) assert.deepEqual(await found(criteria), expected, JSON.stringify(criteria));
    });

    test("pages follow without a gap, one source is asked alone, and text in a query stays text", async () => {
      assert.deepEqual(await found({}, { limit: 2 }), [2, 1]);
      assert.deepEqual(await found({}, { after: { month: 202_503, record: id(1) } }), [3]);
      assert.deepEqual(await found({}, { source: B }), []);
      const hostile = "x' or true; drop schema xinglin_search cascade; --";
      assert.deepEqual(await found({ resourceType: hostile, modality: hostile } as never), []);
      assert.deepEqual(await found({}), [2, 1, 3]);
    });

    test("without an open class only patients who named the member, or the approval, are looked at", async () => {
      assert.deepEqual(await found({}, { open: [] }), []);
      assert.deepEqual(await found({}, { open: [imaging] }), [1]);
      const approval = id(50) as CredentialId;
      const at = { sequence: 0, height: 1, time: 1 };
      const entry = {
        ...at,
        hash: "\\x00",
        transaction: "\\x00",
        position: 0,
        operation: "grantConsent",
        operation_hash: "\\x00",
      };
      const granted = { ...at, patient: id(100), number: 1, change: "granted", terms: {} };
      const one = { sequence: 0, position: 0, kind: "study", approval };
      for (const [table, row] of [
        ["entries", { ...entry, actor: id(100), key: "0", member: A, outcome: "accepted" }],
        ["directives", granted],
        ["directive_grantees", one],
      ] as const) {
        const into = sql.id("xinglin", table);
        await sql`insert into ${into} select * from jsonb_populate_record(null::${into}, ${JSON.stringify(row)}::jsonb)`.execute(
          db,
        );
      }
      assert.deepEqual(await found({}, { open: [] }), []);
      assert.deepEqual(await found({}, { open: [], approval }), [2, 1]);
      await sql`update xinglin.directive_grantees set member = ${B}, approval = null`.execute(db);
      assert.deepEqual(await found({}, { open: [] }), [2, 1]);
      // Where the log begins later, a directive may stand before it: nobody is left out.
      await sql`update xinglin.entries set sequence = 5`.execute(db);
      assert.deepEqual(await found({}, { open: [] }), [2, 1, 3]);
    });

    test("a description takes the place of its own source's older one, and goes with its entries", async () => {
      await keepDescriptions(db, [{ ...bundle, version: 4, description: { format: "fhir", entries: [{ type: "Condition" }] } }]);
      assert.deepEqual(await found({ resourceType: "Patient" }), []);
      assert.deepEqual(await found({ resourceType: "Condition" }), [2]);
      await assert.rejects(keepDescriptions(db, [{ ...study, source: B }]), { code: "index_query_failed" });
      assert.deepEqual(await found({ modality: "CT" }), [1]);
      assert.deepEqual(await describedRecords(db, id(1), 1), [{ record: id(2), version: 4 }]);
      await recreate(db);
      assert.deepEqual(
        await found({}),
        [1, 2, 3].toSorted((a, b) => (a === 1 ? -1 : b === 1 ? 1 : b - a)),
      );
      await dropDescriptions(db, [id(2), id(3)]);
      assert.deepEqual(await found({}), [1]);
      const { rows } = await sql`select * from xinglin_search.entries`.execute(db);
      assert.deepEqual(rows, []);
    });

    test("the log has each search with what it showed; a patient's part of it has no criteria", async () => {
      const by = { time: 10, height: 3, actor: id(9), key: "00", member: B, purpose: "TREAT", credential: id(8) };
      const shown = [study, bundle].map(({ record, patient }) => ({ record, patient }));
      await logSearch(db, { ...by, criteria: { code: glucose }, records: shown });
      await logSearch(db, { ...by, criteria: {}, approval: id(7), records: [] });
      const { items, next } = await listSearches(db, { limit: 1 });
      assert.deepEqual([items[0]?.approval, items[0]?.shown, typeof next], [id(7), 0, "number"]);
      const older = await listSearches(db, { limit: 5, before: next as number });
      assert.deepEqual(
        older.items.map(({ criteria, shown: count, time }) => [criteria, count, time]),
        [[{ code: glucose }, 2, 10]],
      );
      const own = await listSearchesOf(db, id(100), { limit: 5 });
      assert.deepEqual(
        own.items.map(({ records, ...line }) => [records, Object.keys(line).sort()]),
        [
          [
            [id(1), id(2)],
            ["actor", "member", "number", "purpose", "time"],
          ],
        ],
      );
      assert.deepEqual((await listSearchesOf(db, id(101), { limit: 5 })).items, []);
    });
  });
}

suite("PGlite", async () => ({ kind: "embedded", template: await template() }));
const programs = serverPrograms();
if (programs !== undefined) {
  let server: TestServer | undefined;
  after(async () => server?.stop());
  suite("PostgreSQL", async () => {
    server = await startPostgres(programs);
    return { kind: "postgres", url: server.url };
  });
}
