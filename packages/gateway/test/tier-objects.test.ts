/** Tiers over real stores: what is due moves, nothing is lost where it is cut off, and what is read again comes back. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import {
  auditPossession,
  closeWorkers,
  DEFAULT_TIERS,
  DirectoryStore,
  ingest,
  openStores,
  retrieve,
  type Site,
  type Store,
} from "@xinglin/archive";
import { type MemberId, toHex } from "@xinglin/primitives";
import type { AnchoredObject } from "../src/anchored-object.ts";
import type { ArchiveView } from "../src/archive-view.ts";
import { fixedStores } from "../src/stores.ts";
import { moveTiers, planTiers } from "../src/tier-objects.ts";

after(closeWorkers);

const CODE = { k: 4, m: 2 };
const DAY = 86_400;
/** A year and a month after everything here was archived. */
const LATER = { now: 400 * DAY, budgetBytes: Number.POSITIVE_INFINITY };
const OWN = "own" as MemberId;
const by = { member: OWN } as Parameters<ReturnType<typeof fixedStores>>[0];

interface Sealed {
  readonly anchored: AnchoredObject;
  readonly content: Buffer;
  readonly key: Uint8Array;
  readonly objectId: Uint8Array;
  readonly reference: Awaited<ReturnType<typeof ingest>>["reference"];
}

/** Three first stores and some cold ones of one member, three of others, and objects over what imports may use. */
async function archive(
  t: { after(fn: () => Promise<void>): void },
  { cold, objects = 2, site }: { readonly cold: number; readonly objects?: number; readonly site?: Partial<Site> },
) {
  const folder = await mkdtemp(join(tmpdir(), "xt-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const at = (id: string, member: string, more: { tier?: string; site?: Site } = {}) => ({
    ...{ kind: "directory" as const, id, member, path: join(folder, id) },
    ...more,
  });
  const near = { building: "a", city: "a", power: "a", ...site };
  const descriptions = [
    ...[1, 2, 3].map((i) => at(`own-${i}`, OWN)),
    ...["x", "y", "z"].map((member) => at(`${member}-1`, member)),
    ...Array.from({ length: cold }, (_, i) =>
      at(`cold-${i + 1}`, OWN, { tier: "cold", ...(site === undefined ? {} : { site: near }) }),
    ),
  ];
  await openStores(descriptions, { create: true });
  const stores: Store[] = descriptions.map((description) => new DirectoryStore(description));
  const find = fixedStores(stores);
  const { writable } = await find(by);
  const sealed: Sealed[] = [];
  for (let i = 0; i < objects; i++) {
    const content = randomBytes(50_000 + 10_000 * i);
    const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores: writable, code: CODE });
    const { manifest, root, ...rest } = reference;
    const object = { id: toHex(objectId), manifest: toHex(manifest), root: toHex(root), ...rest };
    sealed.push({
      anchored: { sequence: i, record: toHex(objectId), source: OWN, time: 0, object },
      content,
      key,
      objectId,
      reference,
    });
  }
  const view = (change: (one: AnchoredObject) => AnchoredObject = (one) => one): ArchiveView => ({
    async *objects() {
      for (const { anchored } of sealed) yield change(anchored);
    },
    hasEnded: async ({ sequence }) => sequence === 99,
    stores: () => find(by),
  });
  const ownStores = stores.filter(({ member }) => member === OWN);
  /** How many of the member's stores of each tier hold something of an object. */
  const lying = async ({ objectId }: Sealed): Promise<{ first: number; cold: number; all: number }> => {
    const held = await Promise.all(stores.map(async (store) => ((await store.has(objectId)) ? [store] : [])));
    const ids = held.flat().map(({ id }) => id);
    return {
      first: ids.filter((id) => id.startsWith("own-")).length,
      cold: ids.filter((id) => id.startsWith("cold-")).length,
      all: ids.length,
    };
  };
  /** Whole by an audit of every piece, and the bytes that were archived, from k columns that moved stores take part in. */
  const isWhole = async ({ reference, objectId, key, content }: Sealed): Promise<void> => {
    const report = await auditPossession(reference, objectId, stores);
    assert.equal(report.intact, true);
    const out = join(folder, `out-${randomBytes(4).toString("hex")}`);
    await retrieve(
      reference,
      objectId,
      key,
      stores.filter(({ id }) => !["x-1", "y-1"].includes(id)),
      out,
    );
    assert.deepEqual(await readFile(join(out, "x")), content);
  };
  return { stores, ownStores, writable, sealed, view, lying, isWhole };
}

test("imports leave stores of other tiers alone, unless there are no others", async (t) => {
  const { stores, writable, sealed, lying } = await archive(t, { cold: 3, objects: 1 });
  assert.deepEqual(
    writable.map(({ id }) => id),
    ["own-1", "own-2", "own-3", "x-1", "y-1", "z-1"],
  );
  assert.deepEqual(await lying(sealed[0]!), { first: 3, cold: 0, all: 6 });
  const cold = stores.slice(6);
  assert.deepEqual((await fixedStores(cold)(by)).writable, cold);
});

test("what is cold moves, reads and audits as before; nothing is due again; what was read comes back", async (t) => {
  const { ownStores, sealed, view, lying, isWhole } = await archive(t, { cold: 3 });
  const young = await planTiers(view(), ownStores, DEFAULT_TIERS, { ...LATER, now: 364 * DAY });
  assert.deepEqual([young.objects, young.work.length], [2, 0]);
  const plan = await planTiers(view(), ownStores, DEFAULT_TIERS, LATER);
  assert.deepEqual([plan.work.length, plan.noPlace, plan.away], [2, 0, []]);
  assert.ok(plan.work.every(({ packs, bytes, yuanPerMonth }) => packs.length === 3 && bytes > 30_000 && yuanPerMonth > 0));
  const [larger] = plan.work.toSorted((a, b) => b.bytes - a.bytes);
  const within = await planTiers(view(), ownStores, DEFAULT_TIERS, { ...LATER, budgetBytes: larger!.bytes });
  assert.equal(within.work.length, 1, "no more than the budget");
  for (const one of sealed) assert.deepEqual(await lying(one), { first: 3, cold: 0, all: 6 }, "a plan moves nothing");

  const { objects, packs, left } = await moveTiers(view(), plan);
  assert.deepEqual([objects, packs, left.size], [2, 6, 0]);
  for (const one of sealed) {
    assert.deepEqual(await lying(one), { first: 0, cold: 3, all: 6 });
    await isWhole(one);
  }
  assert.deepEqual((await planTiers(view(), ownStores, DEFAULT_TIERS, LATER)).work, []);

  const isRead = view((one) => (one.sequence === 0 ? { ...one, readAt: 390 * DAY } : one));
  const back = await planTiers(isRead, ownStores, DEFAULT_TIERS, LATER);
  assert.deepEqual(
    back.work.map(({ anchored, to, yuanPerMonth }) => [anchored.sequence, to.name, yuanPerMonth < 0]),
    [[0, "first", true]],
  );
  await moveTiers(isRead, back);
  assert.deepEqual(await Promise.all(sealed.map(lying)), [
    { first: 3, cold: 0, all: 6 },
    { first: 0, cold: 3, all: 6 },
  ]);
  await isWhole(sealed[0]!);
});

test("cut off between two objects, and between a copy and its removal, the next call finishes", async (t) => {
  const { ownStores, sealed, view, lying, isWhole } = await archive(t, { cold: 3 });
  const plan = () => planTiers(view(), ownStores, DEFAULT_TIERS, LATER);
  const cutOff = () => {
    throw new Error("cut off");
  };
  await assert.rejects(moveTiers(view(), await plan(), cutOff), /cut off/);
  const rest = await plan();
  assert.deepEqual([rest.work.length, rest.work[0]?.packs.length], [1, 3]);

  class Stuck extends DirectoryStore {
    override remove = cutOff;
  }
  const [only] = rest.work;
  const stuck = { ...rest, work: [{ ...only!, packs: only!.packs.map((store) => new Stuck(store.description as never)) }] };
  await assert.rejects(moveTiers(view(), stuck), /cut off/);
  const waiting = sealed.find(({ anchored }) => anchored.object.id === only!.object.id) as Sealed;
  assert.deepEqual(await lying(waiting), { first: 3, cold: 1, all: 7 }, "one is on both");
  await isWhole(waiting);

  assert.equal((await moveTiers(view(), await plan())).left.size, 0);
  for (const one of sealed) {
    assert.deepEqual(await lying(one), { first: 0, cold: 3, all: 6 });
    await isWhole(one);
  }
});

test("a store takes one column of an object; what has no place stays, and what has ended is left to its end", async (t) => {
  const { ownStores, sealed, view, lying, isWhole } = await archive(t, { cold: 1, objects: 1 });
  const plan = await planTiers(view(), ownStores, DEFAULT_TIERS, LATER);
  assert.equal(plan.work[0]?.packs.length, 1);
  const ended = { ...plan, work: plan.work.map((one) => ({ ...one, anchored: { ...one.anchored, sequence: 99 } })) };
  assert.deepEqual(await moveTiers(view(), ended), { objects: 0, packs: 0, left: new Map() });
  assert.equal((await moveTiers(view(), plan)).packs, 1);
  assert.deepEqual(await lying(sealed[0]!), { first: 2, cold: 1, all: 6 });
  await isWhole(sealed[0]!);
  const again = await planTiers(view(), ownStores, DEFAULT_TIERS, LATER);
  assert.deepEqual([again.work.length, again.noPlace], [0, 1]);
});

test("no more columns come together in a building than may be lost", async (t) => {
  // Own stores stand in their member's building; the cold ones together with one of another member's name.
  const { ownStores, sealed, view, lying, isWhole } = await archive(t, { cold: 3, objects: 1, site: { building: "x" } });
  const { packs, left } = await moveTiers(view(), await planTiers(view(), ownStores, DEFAULT_TIERS, LATER));
  // x-1 stands in that building, too: of 4+2 it takes one more column.
  assert.deepEqual([packs, [...left]], [1, [["stores_too_few", 2]]]);
  assert.deepEqual(await lying(sealed[0]!), { first: 2, cold: 1, all: 6 });
  await isWhole(sealed[0]!);
});

test("without a store of another tier, and with a tier that the policy does not have, it says so", async (t) => {
  const { ownStores, view } = await archive(t, { cold: 1, objects: 0 });
  const first = ownStores.slice(0, 3);
  await assert.rejects(planTiers(view(), first, DEFAULT_TIERS, LATER), { code: "tier_without_stores", facts: { tiers: "cold" } });
  const frozen = DEFAULT_TIERS.map((one) => (one.name === "cold" ? { ...one, name: "frozen" } : one)) as never;
  await assert.rejects(planTiers(view(), ownStores, frozen, LATER), {
    code: "tier_unknown",
    facts: { store: "cold-1", tier: "cold", tiers: "first|frozen" },
  });
});
