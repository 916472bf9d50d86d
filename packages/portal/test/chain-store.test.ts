/** What the page keeps of a chain from one visit to the next, where the browser has no database: for as long as the page. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LightBudget } from "@xinglin/verifier";
import { forgetChains, openChainStore } from "../src/chain/store.ts";

test("what looks cost is kept from one opening to the next, for each chain by itself, until everything is forgotten", async () => {
  const now = (): number => 1_800_000_000;
  const budgetOf = (chain: string): LightBudget => new LightBudget(openChainStore(chain).looks, now);
  const first = budgetOf("a");
  await first.begin();
  await first.end(990_000);
  assert.equal(await budgetOf("a").due(), 86_400);
  assert.equal(await budgetOf("b").due(), 0);
  await forgetChains();
  assert.equal(await budgetOf("a").due(), 0);
});
