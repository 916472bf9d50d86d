/** Where pieces go, and what losing a member means. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { DEFAULT_CODE } from "../src/layout.ts";
import { describeLoss, placeObject } from "../src/placement.ts";
import { siteOf } from "../src/store/description.ts";
import { FOURTEEN, fault } from "./support/consortium.ts";

const stores = (members: readonly string[]) =>
  members.map((member, i) => ({
    id: `${member}-${i}`,
    member,
    site: siteOf({ member }),
  }));

test("fourteen stores of six members: each member alone can be lost, no two surely", () => {
  const report = describeLoss(stores(FOURTEEN), DEFAULT_CODE);
  assert.deepEqual(
    report.members.map(({ member, stores: count, piecesGone, readable, spare }) => [member, count, piecesGone, readable, spare]),
    [
      ["a", 3, 3, true, 1],
      ["b", 3, 3, true, 1],
      ["c", 3, 3, true, 1],
      ["d", 2, 2, true, 2],
      ["e", 2, 2, true, 2],
      ["f", 1, 1, true, 3],
    ],
  );
  assert.deepEqual([report.anyMembers, report.indispensable], [1, []]);
});

test("a member with more stores than parity is indispensable, and one a store bears four losses", () => {
  const heavy = describeLoss(stores([...Array<string>(5).fill("a"), ..."bcdefghij"]), DEFAULT_CODE);
  assert.deepEqual([heavy.anyMembers, heavy.indispensable, heavy.members[0]!.spare], [0, ["a"], -1]);
  assert.equal(describeLoss(stores([..."abcdefghijklmn"]), DEFAULT_CODE).anyMembers, 4);
});

test("an object takes as many stores as columns, spread as evenly over members as can be", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(..."abcdefgh"), { minLength: 14, maxLength: 40 }), (members) => {
      const all = stores(members);
      const placed = placeObject(all, DEFAULT_CODE, randomBytes(16));
      assert.equal(new Set(placed.map(({ id }) => id)).size, 14);
      const used = (member: string): number => placed.filter((store) => store.member === member).length;
      const left = (member: string): number => all.filter((store) => store.member === member).length - used(member);
      // Nobody has two more than another who could have taken one of them.
      for (const a of members)
        for (const b of members) assert.ok(used(a) - used(b) <= 1 || left(b) === 0, `${a} ${used(a)}, ${b} ${used(b)}`);
    }),
  );
  assert.throws(() => placeObject(stores(FOURTEEN.slice(1)), DEFAULT_CODE, randomBytes(16)), fault("stores_too_few"));
});

test("failure domains of one member are used in turn, and objects spread over equal stores", () => {
  const rooms = Array.from({ length: 20 }, (_, i) => ({
    id: `s-${i}`,
    member: "a",
    site: siteOf({ member: "a", site: { building: i < 3 ? "attic" : "cellar" } }),
  }));
  const placed = placeObject(rooms, { k: 4, m: 2 }, randomBytes(16));
  assert.equal(placed.filter(({ site }) => site.building === "attic").length, 3);
  const used = new Set<string>();
  for (let i = 0; i < 50; i++) for (const { id } of placeObject(rooms, { k: 4, m: 2 }, randomBytes(16))) used.add(id);
  assert.equal(used.size, 20);
});
