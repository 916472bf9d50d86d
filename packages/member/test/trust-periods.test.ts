/** For how long what is believed once, and for how long who lies about it is held to account. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { EVIDENCE_AGE } from "@xinglin/cometbft";
import { MAX_CLOCK_DRIFT_SECONDS, TRUSTING_PERIOD_SECONDS } from "@xinglin/verifier";
import { SNAPSHOT_TRUST_SECONDS } from "../src/open-chain.ts";

/** From the last moment at which a fork can still be believed: time to notice it, to hand the evidence in, and for a block to take it. */
const MARGIN_SECONDS = 86_400;

test("evidence counts longer than anybody builds on an old header", () => {
  for (const trusted of [TRUSTING_PERIOD_SECONDS, SNAPSHOT_TRUST_SECONDS])
    assert.ok(EVIDENCE_AGE.maxAgeSeconds >= trusted + MAX_CLOCK_DRIFT_SECONDS + MARGIN_SECONDS);
});
