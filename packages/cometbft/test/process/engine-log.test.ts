import assert from "node:assert/strict";
import { test } from "node:test";
import { consensusEnd } from "../../src/process/engine-log.ts";

const failure = (error: string): string =>
  `E[2026-11-22|09:24:11.000] CONSENSUS FAILURE!!!                         module=consensus err="${error}" stack="goroutine 1"`;

test("the end of consensus is told from CometBFT's own words, and why", () => {
  assert.equal(consensusEnd(failure("precommit step; +2/3 prevoted for an invalid block: wrong AppHash")), "diverged");
  assert.equal(consensusEnd(failure("+2/3 committed an invalid block: wrong AppHash")), "diverged");
  assert.equal(consensusEnd("panic: block.AppHash does not match AppHash after replay. Got 01, expected 02."), "diverged");
  assert.equal(consensusEnd(failure("failed to apply block; error no space left on device")), "stuck");
});

test("what a peer wrote into a line says nothing", () => {
  const lines = [
    'E[2026-11-22|09:24:11.000] Error dialing peer                           module=p2p err="Got CONSENSUS FAILURE!!!, expected c"',
    'E[2026-11-22|09:24:11.000] Stopping peer for error                      module=p2p err="+2/3 committed an invalid block"',
    "E[2026-11-22|09:24:11.000] dialing] CONSENSUS FAILURE!!! +2/3 committed an invalid block",
    "panicking: AppHash does not match AppHash after replay",
  ];
  for (const line of lines) assert.equal(consensusEnd(line), undefined, line);
});
