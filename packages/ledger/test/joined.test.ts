/** A log that goes on from a snapshot: the head, and proofs of what comes after, as if it had all of it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type Change, keys } from "@xinglin/contracts";
import { merkle } from "@xinglin/crypto/pure";
import { type Bytes, toHex } from "@xinglin/primitives";
import fc from "fast-check";
import { type Appended, AuditLog } from "../src/audit-log.ts";
import { joiningRows, levelsOf } from "../src/joined.ts";
import { decodeClosedLog, decodeLogHead } from "../src/log-head.ts";

const entryAt = (sequence: number): Bytes => createHash("sha256").update(`entry ${sequence}`).digest();
const entriesFrom = (from: number, count: number): Bytes[] => Array.from({ length: count }, (_, i) => entryAt(from + i));

/** What a log stored beside the state. */
class Rows {
  readonly #rows = new Map<string, Bytes>();
  readonly read = (key: Bytes): Bytes | undefined => this.#rows.get(toHex(key));
  add(rows: Appended["stored"]): void {
    for (const row of rows) if (row.type === "put") this.#rows.set(toHex(row.key), row.value);
  }
}

test("a log that joined has the same heads, and proves every later entry by the same path", () => {
  const seen = { atTileEdge: 0, closedLater: 0, atTheBeginning: 0, reopened: 0 };
  const check = (before: number, blocks: readonly number[], epochEntries: number): void => {
    const state = new Map<string, Bytes>();
    const reader = { get: (key: string) => state.get(key) };
    const write = (changes: readonly Change[]): void => {
      for (const { key, value } of changes) state.set(key, value as Bytes);
    };
    const whole = { rows: new Rows(), log: new AuditLog(reader, () => undefined) };
    whole.log = new AuditLog(reader, whole.rows.read);
    const add = (to: { rows: Rows; log: AuditLog }, count: number): readonly Change[] => {
      const appended = to.log.append(entriesFrom(to.log.length, count), epochEntries);
      to.rows.add(appended.stored);
      to.log.adopt(appended);
      return appended.changes;
    };
    write(add(whole, before));
    const rows = new Rows();
    const head = decodeLogHead(state.get(keys.log));
    rows.add(joiningRows(9, head, Buffer.concat(whole.log.openLeaves)));
    const joined = { rows, log: new AuditLog(reader, rows.read) };
    assert.equal(joined.log.length, before);
    assert.equal(joined.log.oldest, before);
    for (const [i, count] of blocks.entries()) {
      const changes = add(whole, count);
      assert.deepEqual(add(joined, count), changes);
      write(changes);
      if (i % 2 === 1) {
        joined.log = new AuditLog(reader, rows.read);
        seen.reopened++;
      }
    }
    const open = decodeLogHead(state.get(keys.log));
    seen.atTileEdge += Number(head.size % 256 === 0 && head.size > 0);
    seen.closedLater += Number(open.epoch > head.epoch && head.size > 0);
    seen.atTheBeginning += Number(before === 0);
    for (let sequence = before; sequence < joined.log.length; sequence += 1 + (sequence % 97)) {
      const place = joined.log.place(sequence);
      assert.deepEqual(place, whole.log.place(sequence));
      const closed = state.get(keys.closedLog(place.epoch));
      const { size, root } = closed === undefined ? open : decodeClosedLog(closed);
      const path = joined.log.path(place, size);
      assert.deepEqual(path.map(toHex), whole.log.path(place, size).map(toHex));
      assert.ok(merkle.verifyInclusion(joined.log.entry(sequence) as Bytes, place.index, size, path, root));
    }
    if (before > 0) assert.equal(joined.log.entry(before - 1), undefined);
  };
  const before = fc.oneof(fc.constantFrom(0, 0, 1, 255, 256, 257, 512, 768, 1_024), fc.nat(1_500));
  const blocks = fc.array(fc.nat(500), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(before, blocks, fc.constantFrom(300, 1_000, 1_000_000), check), { numRuns: 60, endOnFailure: true });
  for (const [outcome, times] of Object.entries(seen)) assert.ok(times > 0, `generator too narrow: ${outcome} ${times} times`);
});

test("the levels of a tree's complete subtrees add up to its size", () => {
  for (const size of [0, 1, 2, 255, 256, 300, 1_048_575, 2 ** 40 + 5])
    assert.equal(
      levelsOf(size).reduce((sum, level) => sum + 2 ** level, 0),
      size,
    );
});
