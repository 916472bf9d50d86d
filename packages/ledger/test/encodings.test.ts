import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeBody, type Operation, type TransactionBody } from "@xinglin/contracts";
import { cometbft } from "@xinglin/crypto/pure";
import { cbor } from "@xinglin/primitives";
import fc from "fast-check";
import { decodeResults, encodeResults, ResultIndex, resultsHash, type TransactionResult } from "../src/block-results.ts";
import { claimedSponsor, operationBytes } from "../src/transaction-walk.ts";
import { anchor, signed } from "./support/chain.ts";

const value = fc.letrec((tie) => ({
  node: fc.oneof(
    { depthSize: "small" },
    fc.maxSafeInteger(),
    fc.string({ unit: "grapheme", maxLength: 300 }),
    fc.boolean(),
    fc.constant(null),
    fc.uint8Array({ maxLength: 300 }),
    fc.array(tie("node"), { maxLength: 30 }),
    fc.dictionary(fc.string({ minLength: 1, maxLength: 12 }), tie("node"), { maxKeys: 5, noNullPrototype: true }),
  ),
})).node;

test("the bytes of each operation are those it has when it is encoded alone", () => {
  fc.assert(
    fc.property(fc.array(value, { maxLength: 30 }), value, (operations, other) => {
      // "operationz" sorts behind, "nonce" before: the walk has to step over both kinds.
      const body = { chain: "c", nonce: other, operations: operations as Operation[], operationz: other };
      assert.deepEqual(
        operationBytes(encodeBody(body as unknown as TransactionBody)).map((bytes) => Buffer.from(bytes).toString("hex")),
        operations.map((operation) => Buffer.from(cbor.encode(operation)).toString("hex")),
      );
    }),
  );
});

test("the claimed sponsor is found without decoding, and damaged bytes only ever give nothing or another claim", () => {
  const bytes = signed({
    chain: "test-0123456789ab",
    key: "hospital-a",
    sponsor: "hospital-b",
    operations: [anchor("x"), anchor("y")],
  });
  assert.equal(claimedSponsor(bytes), "hospital-b");
  let nothing = 0;
  let same = 0;
  for (let i = 0; i < bytes.length; i++) {
    for (const damaged of [bytes.slice(0, i), bytes.map((byte, at) => (at === i ? byte ^ 0xff : byte))]) {
      const claimed = claimedSponsor(damaged);
      if (claimed === undefined) nothing++;
      else if (claimed === "hospital-b") same++;
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (any) => {
      claimedSponsor(any);
    }),
  );
  assert.ok(nothing > 100 && same > 100, `${nothing} nothing, ${same} the same`);
});

const DECIDED = { code: 0, data: new Uint8Array(0), gasWanted: 0, gasUsed: 0 };

test("the results hash is CometBFT's, of any mixture and of any number of equal ones", () => {
  for (let size = 0; size <= 70; size++) {
    const results: TransactionResult[] = Array.from({ length: size }, () => ({ operations: 1 }));
    assert.deepEqual(resultsHash(results), cometbft.resultsHash(results.map(() => DECIDED)), `${size}`);
    if (size === 0) continue;
    results[size >> 1] = { code: "expired" };
    assert.deepEqual(
      resultsHash(results),
      cometbft.resultsHash(results.map((result) => ({ ...DECIDED, code: "code" in result ? 1 : 0 }))),
    );
  }
});

test("results come back as they were, and every included transaction finds its entries", () => {
  const result = fc.oneof(
    fc.integer({ min: 1, max: 4096 }).map((operations): TransactionResult => ({ operations })),
    fc.constantFrom("expired", "oversize").map((code): TransactionResult => ({ code })),
  );
  let turnedAway = 0;
  fc.assert(
    fc.property(fc.array(result), fc.nat(1_000_000), (transactions, first) => {
      const results = { time: { seconds: 5, nanos: 7 }, first, transactions };
      assert.deepEqual(decodeResults(encodeResults(results)), results);
      const index = new ResultIndex(results);
      let next = first;
      let n = 0;
      transactions.forEach((one, i) => {
        if ("code" in one) turnedAway++;
        else {
          assert.deepEqual(index.included(n++), { index: i, first: next, operations: one.operations });
          next += one.operations;
        }
      });
      assert.throws(() => index.included(n), { name: "Bug" });
    }),
  );
  assert.ok(turnedAway > 50);
});
