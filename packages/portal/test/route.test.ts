import assert from "node:assert/strict";
import { test } from "node:test";
import { hrefOf, parseRoute } from "../src/shell/route.ts";

test("a route is read back as it was written, and anything else leads home", () => {
  const item = `${"a".repeat(32)}/12`;
  assert.deepEqual(parseRoute(hrefOf("consents", item)), { tab: "consents", item });
  assert.deepEqual(parseRoute(hrefOf("settings")), { tab: "settings", item: undefined });
  for (const fragment of ["", "#/", "#/nowhere", "#/consents/x", "#enrol=abc", "#/consents/<script>"])
    assert.deepEqual(parseRoute(fragment), { tab: "accesses", item: undefined }, fragment);
});
