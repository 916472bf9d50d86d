/** The file of a batch's leaves: every leaf comes back as it was anchored, with a path to the root, until its salt is erased. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { encodeBatchLeaf } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { merkle } from "@xinglin/crypto/pure";
import { type ActorId, type RecordId, toHex } from "@xinglin/primitives";
import { BatchLeaves, NewLeaves, type PackedLeaf } from "../src/batch-leaves.ts";
import { decodeTicket, encodeTicket } from "../src/batch-ticket.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-leaves-"));
after(() => rmSync(folder, { recursive: true }));

const id = <T extends string>(): T => toHex(randomBytes(16)) as T;
const packs = [1, 2].map((fill) => ({
  id: new Uint8Array(16).fill(fill),
  manifest: new Uint8Array(32).fill(fill),
  root: new Uint8Array(32).fill(fill),
  sizeClass: 25,
  code: { k: 10, m: 4 },
}));
const someLeaves = (count: number): PackedLeaf[] =>
  Array.from({ length: count }, (_, n) => ({
    salt: randomBytes(32),
    record: id<RecordId>(),
    patient: n % 3 === 0 ? ("someone-by-name" as ActorId) : id<ActorId>(),
    class: { level: n % 2 === 0 ? "sensitive" : "internal", category: "laboratory" },
    format: n % 2 === 0 ? "fhir" : "dicom",
    object: { ...(packs[n % 2] as (typeof packs)[number]), slice: { at: 2 ** 33 + 64 * n, length: 64 } },
    custody: {
      epoch: 1,
      threshold: 2 + (n % 2),
      custodians: ["custodian-a", "custodian-b", "custodian-c"] as ActorId[],
      commitments: randomBytes(32),
    },
  }));

test("every leaf comes back as it was, in a ticket that leads to the root, from one owner-only file a batch", () => {
  const leaves = new BatchLeaves(join(folder, "whole"));
  const batches = [1, 2, 3, 50].map((count) => someLeaves(count));
  const made = batches.map((batch) => new NewLeaves(batch));
  for (const batch of made) leaves.keep(batch);
  const files = readdirSync(join(folder, "whole"));
  assert.equal(files.length, batches.length);
  for (const file of files) assert.equal(statSync(join(folder, "whole", file)).mode & 0o077, 0);
  batches.forEach((batch, i) => {
    const { root, count } = made[i] as NewLeaves;
    const indexes = new Set<number>();
    for (const leaf of batch) {
      const ticket = decodeTicket(encodeTicket(leaves.ticketOf(leaf.record)), "ticket");
      assert.deepEqual(ticket.leaf, leaf);
      assert.deepEqual(ticket.root, root);
      assert.ok(merkle.verifyInclusion(encodeBatchLeaf(leaf), ticket.index, count, ticket.path, root));
      indexes.add(ticket.index);
    }
    assert.equal(indexes.size, count);
  });
  assert.throws(() => leaves.ticketOf(id()), { code: "leaf_unknown" });
  assert.throws(() => new BatchLeaves(join(folder, "never")).ticketOf(id()), { code: "leaf_unknown" });
});

test("an erased salt takes the leaf and nobody else's path", () => {
  const leaves = new BatchLeaves(join(folder, "erased"));
  const [gone, ...kept] = someLeaves(9) as [PackedLeaf, ...PackedLeaf[]];
  const made = new NewLeaves([gone, ...kept]);
  leaves.keep(made);
  leaves.erase(gone.record);
  leaves.erase(gone.record);
  assert.throws(() => leaves.ticketOf(gone.record), { code: "leaf_erased" });
  for (const { record } of kept) assert.deepEqual(leaves.ticketOf(record).root, made.root);
  leaves.discard(made.root);
  assert.throws(() => leaves.ticketOf(gone.record), { code: "leaf_unknown" });
});

test("a cut file and a file that is no ticket are named", () => {
  const leaves = new BatchLeaves(join(folder, "cut"));
  const made = new NewLeaves(someLeaves(3));
  leaves.keep(made);
  const path = leaves.pathOf(made.root);
  truncateSync(path, statSync(path).size - 1);
  assert.throws(() => leaves.ticketOf(id()), { code: "leaves_damaged", facts: { path } });
  for (const bytes of [new Uint8Array(0), randomBytes(40), new Uint8Array(20_000)])
    assert.throws(() => decodeTicket(bytes, "x"), { code: "ticket_unreadable" });
});
