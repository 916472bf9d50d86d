/** A chain that is followed by visits, not by one page that stays open, costs no more a day. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LightBudget, type Look, type LookStore } from "../src/light-budget.ts";
import { DAILY_BYTES, followChain } from "../src/light-follow.ts";
import type { LightReport } from "../src/light-follower.ts";

const DAY = 86_400;
const kept = (): LookStore & { looks: readonly Look[] } => ({
  looks: [],
  async load() {
    return this.looks;
  },
  async save(looks) {
    this.looks = looks;
  },
});

/** A device on which a page is opened again and again; a look costs `lookBytes`. */
function device(lookBytes: number) {
  const store = kept();
  const looks: Look[] = [];
  let now = 1_800_000_000;
  let bytes = 0;
  return {
    store,
    looks,
    get now() {
      return now;
    },
    /** Opens the page for a minute, then waits so many seconds. Returns what it said. */
    async visit(seconds: number, options: { readonly withBudget: boolean }): Promise<"looked" | "spent"> {
      const stop = new AbortController();
      let said: "looked" | "spent" | undefined;
      await followChain({
        follower: {
          update: async () => {
            bytes += lookBytes;
            looks.push({ at: now, bytes: lookBytes });
            return {} as LightReport;
          },
        },
        bytes: () => bytes,
        rest: async () => stop.abort(),
        signal: stop.signal,
        onReport: () => {
          said = "looked";
        },
        onSpent: () => {
          said = "spent";
        },
        ...(options.withBudget ? { budget: new LightBudget(store, () => now) } : {}),
      });
      now += seconds;
      assert.ok(said !== undefined);
      return said;
    },
  };
}
/** The dearest 24 hours. */
const most = (looks: readonly Look[]): number =>
  Math.max(
    ...looks.map(({ at }) =>
      looks.filter((look) => look.at >= at && look.at < at + DAY).reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  );

for (const lookBytes of [9_000, 31_000, 180_000])
  test(`a page that is opened every ten minutes for three days, at ${lookBytes} bytes a look, costs at most 1 MB in any day`, async () => {
    const phone = device(lookBytes);
    const said = new Set<string>();
    for (let i = 0; i < (3 * DAY) / 600; i++) said.add(await phone.visit(600, { withBudget: true }));
    assert.ok(most(phone.looks) <= DAILY_BYTES, `${most(phone.looks)} bytes`);
    assert.ok(most(phone.looks) > DAILY_BYTES - 2 * lookBytes, "what may be spent is spent");
    const without = device(lookBytes);
    for (let i = 0; i < DAY / 600; i++) await without.visit(600, { withBudget: false });
    // Otherwise this would hold without a budget.
    assert.ok(lookBytes < 10_000 || (most(without.looks) > DAILY_BYTES && said.has("spent")));
  });

test("a look that is broken off counts as what it may cost, one that ended as what it did", async () => {
  const store = kept();
  let now = 1_000;
  const budget = new LightBudget(store, () => now, 100_000);
  assert.equal(await budget.due(), 0);
  await budget.begin();
  assert.deepEqual(store.looks, [{ at: 1_000, bytes: 60_000 }]);
  assert.equal(await new LightBudget(store, () => now, 100_000).due(), DAY, "in a second window, too");
  await budget.end(20_000);
  assert.deepEqual(store.looks, [{ at: 1_000, bytes: 20_000 }]);
  assert.equal(await budget.due(), 0);
  now += 100;
  for (let i = 0; i < 4; i++) {
    await budget.begin();
    await budget.end(20_000);
  }
  assert.equal(await budget.due(), DAY - 100, "until the first is a day old");
  now += DAY - 100;
  assert.equal(await budget.due(), 0);
});

test("a clock that was years ahead does not keep the page from looking for years", async () => {
  const store = kept();
  let now = 2_000_000_000;
  const budget = new LightBudget(store, () => now, 100_000);
  await budget.begin();
  await budget.end(90_000);
  now = 1_800_000_000;
  assert.equal(await budget.due(), DAY);
  now += DAY;
  assert.equal(await budget.due(), 0);
});
