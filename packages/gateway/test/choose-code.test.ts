/** What is made of what is known of stores: availability out of epochs, the code and its promise, and where columns go. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { placeObject, type Store, type StoreDescription, siteOf } from "@xinglin/archive";
import type { LentStoreEntry } from "@xinglin/contracts";
import type { MemberId } from "@xinglin/primitives";
import { promiseOver } from "../src/choose-code.ts";
import {
  ASSUMED_EPOCHS,
  ASSUMED_NODE,
  ASSUMED_STORE,
  type ChainFacts,
  type KnownStore,
  knownStores,
  nodesOf,
} from "../src/store-facts.ts";

type Row = Parameters<typeof nodesOf>[0][number]["rows"][number];
const row = (member: string, answeredPerMille: number, probers: number, standing: Row["standing"] = "fit"): Row => ({
  member: member as MemberId,
  due: 0,
  signed: 0,
  points: 0,
  probers,
  credited: { answeredPerMille: 0, kilobytesPerSecond: 0, freeMegabytes: 0 },
  answeredPerMille,
  score: 1,
  strikes: 0,
  standing,
});
const epoch = (...rows: Row[]) => ({ rows });

/** A store that is only asked for its room. */
const store = (description: StoreDescription, freeBytes: number | "away" = 1e12): Store =>
  ({
    id: description.id,
    member: description.member,
    site: siteOf(description),
    description,
    room: async () => {
      if (freeBytes === "away") throw new Error("away");
      return { freeBytes, disk: description.id, diskFreeBytes: 2e12 };
    },
  }) as unknown as Store;
const far = (id: string, member: string, freeBytes?: number | "away"): Store =>
  store({ kind: "node", id, member, url: `https://${member}.example` }, freeBytes);
const near = (id: string, member: string, freeBytes?: number | "away"): Store =>
  store({ kind: "directory", id, member, path: `/stores/${id}` }, freeBytes);
const offer = ({ id, member, site, description }: Store): [string, LentStoreEntry] => [
  id,
  {
    member,
    site,
    kind: "directory",
    quotaMegabytes: 1_000,
    url: description.kind === "node" ? description.url : "",
    state: "offered",
    since: 1,
  } as LentStoreEntry,
];

test("a node's availability is the mean over epochs of what the median peer saw, where enough of them looked", () => {
  const nodes = nodesOf([
    epoch(row("a", 1000, 3), row("b", 1000, 2), row("c", 0, 3), row("d", 0, 1)),
    epoch(row("a", 900, 3), row("b", 500, 3), row("c", 0, 3), row("d", 0, 0)),
  ]);
  assert.deepEqual(nodes.get("a"), { answered: 0.95, epochs: 2 });
  assert.deepEqual(nodes.get("b"), { answered: 0.75, epochs: 2 });
  // Three say that it did not answer: it did not. One alone, or none, says nothing.
  assert.deepEqual(nodes.get("c"), { answered: 0, epochs: 2 });
  assert.equal(nodes.get("d"), undefined);
  // A penalised candidate's probes do not count, so three of the other three are all there are.
  assert.deepEqual(nodesOf([epoch(row("a", 700, 1), row("b", 1000, 1), row("x", 0, 0, "penalised"))]).get("a"), {
    answered: 0.7,
    epochs: 1,
  });
  assert.equal(nodesOf([epoch(row("a", 0, 0))]).size, 0, "a consortium of one observes nobody");
});

test("what nobody observed is assumed; what was observed counts for more with each epoch", async () => {
  const stores = [far("s-far", "a"), near("s-near", "b"), far("s-new", "c"), near("s-own", "a")];
  const facts = (epochs: number): ChainFacts => ({
    nodes: new Map([["a", { answered: 1, epochs }]]),
    offered: new Map(stores.map(offer)),
  });
  const [observed, local, unobserved, own] = await knownStores(stores, facts(8));
  assert.equal(observed?.node, (ASSUMED_NODE * ASSUMED_EPOCHS + 8) / 16);
  assert.deepEqual([local?.availability, local?.node], [ASSUMED_STORE, undefined]);
  assert.deepEqual([unobserved?.node, unobserved?.epochs], [ASSUMED_NODE, 0]);
  assert.equal(own?.node, observed?.node, "others reach the stores of this machine over its node");
  const [later] = await knownStores(stores, facts(24));
  assert.ok((later?.node ?? 0) > (observed?.node ?? 1) && (later?.node ?? 1) < 1);
});

test("a store that the chain does not have, or has otherwise, takes nothing; one that is away has no room", async () => {
  const honest = far("honest", "a");
  const invented = far("invented", "a");
  const redirected = far("redirected", "a");
  const moved = far("moved", "a");
  const away = far("away", "a", "away");
  const offered = new Map([honest, redirected, moved, away].map(offer));
  offered.set("redirected", { ...(offered.get("redirected") as LentStoreEntry), url: "https://elsewhere.example" });
  offered.set("moved", { ...(offered.get("moved") as LentStoreEntry), site: { building: "other", city: "a", power: "a" } });
  const known = await knownStores([honest, invented, redirected, moved, away], { nodes: new Map(), offered });
  assert.deepEqual(
    known.map(({ store, freeBytes }) => [store.id, freeBytes]),
    [
      ["away", 0],
      ["honest", 1e12],
    ],
  );
});

const members = (
  count: number,
  node: (i: number) => number | undefined,
  site: (i: number) => object = () => ({}),
): KnownStore[] =>
  Array.from({ length: count }, (_, i) => {
    const [id, member] = [`s${String(i).padStart(3, "0")}`, `m${i}`];
    const share = node(i);
    const opened = store({ kind: "node", id, member, url: "https://a.example", site: site(i) });
    return { store: opened, freeBytes: 1e12, availability: 0.999, ...(share === undefined ? {} : { node: share }), epochs: 24 };
  });

test("a member that is often out gets fewer columns, and its stores need not spoil the promise", () => {
  const known = members(40, (i) => (i < 4 ? 0.7 : 0.999));
  const { code, isKept } = promiseOver(known);
  assert.ok(isKept);
  const facts = Object.fromEntries(
    known.map(({ store, availability, node = 1 }) => [store.id, { availability: availability * node }]),
  );
  const counts = new Map<string, number>();
  const stores = known.map((one) => one.store);
  for (let object = 0; object < 200; object++)
    for (const { member } of placeObject(stores, code, Uint8Array.of(object, 7), facts))
      counts.set(member, (counts.get(member) ?? 0) + 1);
  const of = (i: number): number => counts.get(`m${i}`) ?? 0;
  const poor = [0, 1, 2, 3].reduce((sum, i) => sum + of(i), 0) / 4;
  const good = Array.from({ length: 36 }, (_, i) => of(i + 4)).reduce((sum, count) => sum + count, 0) / 36;
  assert.ok(poor < good / 5, `${poor} columns against ${good}`);
});

test("too few stores: the nearest code, and how many more would do", () => {
  const promises = [1, 2, 3, 6].map((count) => promiseOver(members(count, () => 0.999)));
  assert.deepEqual(
    promises.map(({ code: { k, m }, isKept }) => [k, m, isKept]),
    [
      [1, 0, false],
      [1, 1, false],
      [2, 1, false],
      [4, 2, false],
    ],
  );
  for (const [i, count] of [1, 2, 3, 6].entries()) {
    const { moreStores } = promises[i]?.needs ?? {};
    assert.ok(moreStores !== undefined);
    assert.ok(promiseOver(members(count + moreStores, () => 0.999)).isKept);
  }
});

test("a building, a power supply or a city with more columns than may be lost is named; a member's own site is not said twice", () => {
  const crowded = promiseOver(
    members(
      14,
      () => 0.995,
      (i) => (i < 9 ? { building: "tower", city: "hangzhou" } : {}),
    ),
  );
  assert.deepEqual(
    crowded.exposed.map(({ kind, name }) => [kind, name]),
    [
      ["building", "tower"],
      ["city", "hangzhou"],
    ],
  );
  assert.ok(crowded.exposed.every(({ piecesGone }) => piecesGone > crowded.code.m));
  const alone = promiseOver(
    [0, 1, 2].map((i) => ({ store: near(`f${i}`, "a"), freeBytes: 1e12, availability: ASSUMED_STORE, epochs: 0 })),
  );
  assert.deepEqual(
    alone.exposed.map(({ kind, name }) => [kind, name]),
    [["member", "a"]],
  );
  assert.deepEqual(promiseOver(members(14, () => 0.995)).exposed, []);
});
