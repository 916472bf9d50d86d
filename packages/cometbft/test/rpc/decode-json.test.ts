import assert from "node:assert/strict";
import { test } from "node:test";
import { commitOf, headerOf, statusOf, timeOf, validatorsOf } from "../../src/rpc/decode-json.ts";

test("times have as many decimals as Go writes, and nothing else", () => {
  assert.deepEqual(timeOf("2026-11-22T08:15:00Z"), { seconds: 1_795_335_300, nanos: 0 });
  assert.deepEqual(timeOf("2026-11-22T08:15:00.5Z"), { seconds: 1_795_335_300, nanos: 500_000_000 });
  assert.deepEqual(timeOf("2026-11-22T08:15:00.000000001Z"), { seconds: 1_795_335_300, nanos: 1 });
  for (const wrong of ["2026-11-22T08:15:00+08:00", "2026-13-22T08:15:00Z", "now", "2026-11-22T08:15:00.0000000001Z"])
    assert.throws(() => timeOf(wrong), { code: "malformed" }, wrong);
});

const noBlock = { hash: "", parts: { total: 0, hash: "" } };

test("a commit has a vote for the block, one for nil and one that is missing", () => {
  const vote = {
    validator_address: "00".repeat(20),
    timestamp: "2026-11-22T08:15:00Z",
    signature: Buffer.alloc(64).toString("base64"),
  };
  const commit = commitOf({
    height: "7",
    round: 1,
    block_id: { hash: "AB".repeat(32), parts: { total: 2, hash: "CD".repeat(32) } },
    signatures: [
      { block_id_flag: 2, ...vote },
      { block_id_flag: 3, ...vote },
      { block_id_flag: 1, validator_address: "", timestamp: "0001-01-01T00:00:00Z", signature: null },
    ],
  });
  assert.deepEqual(
    commit.signatures.map(({ flag }) => flag),
    ["commit", "nil", "absent"],
  );
  assert.equal(commit.blockId.hash[0], 0xab);
  assert.deepEqual(commitOf({ height: "0", round: 0, block_id: noBlock, signatures: [] }).signatures, []);
});

test("what does not have the shape is refused by the element that is wrong", () => {
  assert.throws(() => headerOf({ version: { block: "11" }, chain_id: 5 }), { code: "malformed", facts: { element: "chain_id" } });
  assert.throws(() => headerOf(null), { code: "malformed" });
  assert.throws(() => commitOf({ height: "-1" }), { code: "malformed", facts: { element: "height" } });
  assert.throws(() => validatorsOf({ validators: [{}], total: "1" }), { code: "malformed", facts: { element: "pub_key" } });
  assert.throws(() => validatorsOf({ validators: [], total: "99999999999999999999" }), { code: "malformed" });
  assert.throws(() => statusOf({}), { code: "malformed", facts: { element: "sync_info" } });
});
