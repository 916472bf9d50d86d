import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AccessList, arrived, EMPTY_LIST, mergeNewestFirst, withPage } from "../src/feed/merge.ts";
import type { AccessRow } from "../src/feed/rows.ts";
import { accessRow } from "./rows.ts";

const row = (sequence: number): AccessRow => accessRow({ sequence });
const numbers = ({ rows }: { rows: readonly AccessRow[] }): number[] => rows.map(({ sequence }) => sequence);

/** What a server with these sequences answers to a page request. */
function pageOf(sequences: readonly number[], limit: number, before = Number.POSITIVE_INFINITY) {
  const older = sequences.filter((sequence) => sequence < before).sort((a, b) => b - a);
  const items = older.slice(0, limit).map(row);
  const last = items.at(-1);
  return older.length > limit && last !== undefined ? { items, next: last.sequence } : { items };
}

test("a live row joins the list once, and a newer form of a row replaces the older", () => {
  const before = withPage(EMPTY_LIST, { items: [row(5), row(3)] }, undefined);
  const released = accessRow({ sequence: 5, releases: [{ custodian: "c", sequence: 9, time: 1 }] });
  const after = withPage(before, { items: [row(8), released, row(3)] }, undefined);
  assert.deepEqual(numbers(after), [8, 5, 3]);
  assert.equal(after.rows[1]?.releases.length, 1);
  assert.deepEqual(arrived(before, after), [8]);
  assert.deepEqual(arrived(after, withPage(after, { items: [row(8)] }, undefined)), []);
});

test("when more came than a page holds, the gap is fetched and not hidden", () => {
  const known = withPage(EMPTY_LIST, pageOf([1, 2], 2), undefined);
  const now = [1, 2, 3, 4, 5, 6];
  const gapped = withPage(known, pageOf(now, 2), undefined);
  assert.deepEqual(mergeNewestFirst([gapped]), { rows: [row(6), row(5)], more: true });
  const whole = withPage(gapped, pageOf(now, 4, gapped.next), gapped.next);
  assert.deepEqual(numbers(mergeNewestFirst([whole])), [6, 5, 4, 3, 2, 1]);
});

test("rows below another list's horizon wait until that list is known as far", () => {
  const short: AccessList = { rows: [row(9), row(8)], next: 8 };
  const long: AccessList = { rows: [row(10), row(7), row(2)] };
  assert.deepEqual(numbers(mergeNewestFirst([short, long])), [10, 9, 8]);
  assert.deepEqual(numbers(mergeNewestFirst([{ rows: short.rows }, long])), [10, 9, 8, 7, 2]);
});

test("whatever the pages and arrivals, the merged list is a gapless newest part of everything", () => {
  let withMore = 0;
  let complete = 0;
  const sequences = fc.uniqueArray(fc.nat(200), { maxLength: 25 });
  fc.assert(
    fc.property(
      sequences,
      sequences,
      fc.array(fc.nat(2), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (a, b, steps, limit) => {
        const servers = [a, b.filter((sequence) => !a.includes(sequence))].map((all) => [...all].sort((x, y) => x - y));
        // Half of the rows are there at the start; each newest page sees one more.
        const seen = servers.map((all) => Math.ceil(all.length / 2));
        const lists = servers.map((all, i) => withPage(EMPTY_LIST, pageOf(all.slice(0, seen[i]), limit), undefined));
        for (const step of steps)
          servers.forEach((all, i) => {
            const known = lists[i] as AccessList;
            if (step === 0) {
              seen[i] = Math.min(all.length, (seen[i] as number) + 1);
              lists[i] = withPage(known, pageOf(all.slice(0, seen[i]), limit), undefined);
            } else if (known.next !== undefined)
              lists[i] = withPage(known, pageOf(all.slice(0, seen[i]), limit, known.next), known.next);
          });
        const { rows, more } = mergeNewestFirst(lists);
        const everything = servers.flatMap((all, i) => all.slice(0, seen[i])).sort((x, y) => y - x);
        const shown = rows.map(({ sequence }) => sequence);
        assert.deepEqual(shown, everything.slice(0, shown.length));
        if (more) withMore += 1;
        else {
          complete += 1;
          assert.equal(shown.length, everything.length);
        }
      },
    ),
    { numRuns: 1_000 },
  );
  assert.ok(withMore > 100 && complete > 100, `generator too narrow: ${withMore} with more, ${complete} complete`);
});
