import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Change } from "@xinglin/contracts";
import { keys } from "@xinglin/contracts";
import { merkle } from "@xinglin/crypto/pure";
import { type Bytes, toHex } from "@xinglin/primitives";
import { AuditLog } from "../src/audit-log.ts";
import { decodeClosedLog, decodeLogHead } from "../src/log-head.ts";

/** A log over maps instead of a disk. */
class World {
  readonly state = new Map<string, Bytes>();
  readonly stored = new Map<string, Bytes>();
  readonly entries: Bytes[] = [];
  log = this.reopened();

  reopened(): AuditLog {
    return new AuditLog({ get: (key) => this.state.get(key) }, (key) => this.stored.get(toHex(key)));
  }
  add(count: number, epochEntries: number): void {
    const entries = Array.from({ length: count }, (_, i) =>
      createHash("sha256")
        .update(`entry ${this.entries.length + i}`)
        .digest(),
    );
    const appended = this.log.append(entries, epochEntries);
    for (const { key, value } of appended.changes as Change[]) this.state.set(key, value as Bytes);
    for (const row of appended.stored) if (row.type === "put") this.stored.set(toHex(row.key), row.value);
    this.log.adopt(appended);
    this.entries.push(...entries);
  }
}

/** Checks entry `sequence` against what the state says, by the reference tree. */
function checkEntry(world: World, log: AuditLog, sequence: number): void {
  const place = log.place(sequence);
  const open = decodeLogHead(world.state.get(keys.log));
  const closedBytes = world.state.get(keys.closedLog(place.epoch));
  const head = closedBytes === undefined ? open : decodeClosedLog(closedBytes);
  assert.equal(closedBytes === undefined, place.epoch === open.epoch);
  assert.equal(head.first + place.index, sequence);
  const entry = log.entry(sequence);
  assert.deepEqual(entry, world.entries[sequence]);
  const path = log.path(place, head.size);
  assert.ok(merkle.verifyInclusion(entry!, place.index, head.size, path, head.root), `entry ${sequence}`);
}

test("every entry proves itself under the head, in growing logs with full and partial tiles", () => {
  const world = new World();
  for (const count of [1, 2, 252, 1, 1, 300, 700]) {
    world.add(count, 1_000_000);
    const head = decodeLogHead(world.state.get(keys.log));
    assert.deepEqual(head.root, merkle.root(world.entries));
    const last = world.entries.length - 1;
    for (const sequence of [0, 1, 127, 255, 256, 511, 512, last - 1, last].filter((s) => s >= 0 && s <= last))
      checkEntry(world, world.log, sequence);
  }
});

test("an entry also proves itself under every earlier size that has it", () => {
  const world = new World();
  world.add(600, 1_000_000);
  for (const size of [1, 2, 255, 256, 257, 400, 512, 513, 600]) {
    const root = merkle.root(world.entries.slice(0, size));
    for (const index of [0, size >> 1, size - 1])
      assert.ok(merkle.verifyInclusion(world.entries[index]!, index, size, world.log.path(world.log.place(index), size), root));
    assert.throws(() => world.log.path(world.log.place(size), size), { name: "Bug" });
  }
});

test("epochs close at their size, within a block too, and stay provable after a restart", () => {
  const world = new World();
  for (const count of [10, 300, 1, 900, 3]) world.add(count, 270);
  const reopened = world.reopened();
  assert.equal(reopened.length, 1_214);
  assert.equal(decodeLogHead(world.state.get(keys.log)).epoch, 4);
  for (let sequence = 0; sequence < 1_214; sequence += 13) {
    checkEntry(world, world.log, sequence);
    checkEntry(world, reopened, sequence);
  }
  // The reopened log goes on as the other would have.
  const before = world.log.append([new Uint8Array(3)], 270);
  assert.deepEqual(reopened.append([new Uint8Array(3)], 270).changes, before.changes);
});

test("what was appended and not adopted leaves nothing", () => {
  const world = new World();
  world.add(300, 1_000);
  const dropped = world.log.append([new Uint8Array(1)], 1_000);
  assert.equal(world.log.length, 300);
  assert.equal(world.log.entry(300), undefined);
  world.add(300, 1_000);
  assert.notDeepEqual(decodeLogHead(world.state.get(keys.log)).root, dropped.head.root);
  checkEntry(world, world.log, 300);
});

test("without entries the state does not change", () => {
  const world = new World();
  assert.deepEqual(world.log.append([], 100).changes, []);
});
