import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@xinglin/crypto/pure";
import { type Bytes, cbor, concat, type Height } from "@xinglin/primitives";
import fc from "fast-check";
import {
  decodeTransaction,
  encodeBody,
  encodeTransaction,
  MAX_OPERATIONS,
  OPERATION_NAMES,
  type TransactionBody,
} from "../src/index.ts";
import { anyOperation } from "./support/any-operation.ts";
import { at, bytes, grant, hospitalA, keyIdOf, patient, publicKey } from "./support/world.ts";

const body: TransactionBody = {
  type: "xinglin-transaction/1",
  chain: "test-0123456789ab",
  signer: { actor: patient, key: keyIdOf(publicKey(400)), suite: "ed25519" },
  sponsor: hospitalA,
  notAfter: { time: at(60), height: 100 as Height },
  nonce: bytes(16, 1),
  operations: [grant()],
};
const signature = bytes(64, 2);
const encoded = (changed: object = {}): Bytes => encodeTransaction(cbor.encode({ ...body, ...changed }), signature);

test("a transaction comes back from its bytes, and its id covers the body and not the signature", () => {
  const decoded = decodeTransaction(encodeTransaction(encodeBody(body), signature, bytes(64, 3)));
  assert.deepEqual(decoded.body, body);
  assert.deepEqual(decoded.deviceSignature, bytes(64, 3));
  assert.deepEqual(decoded.id, sha256(encodeBody(body)));
  assert.deepEqual(decodeTransaction(encodeTransaction(encodeBody(body), bytes(64, 9))).id, decoded.id);
});

test("operations of every kind come back from their bytes", () => {
  const kinds = new Set<string>();
  fc.assert(
    fc.property(fc.array(anyOperation, { minLength: 1, maxLength: 4 }), (operations) => {
      for (const { op } of operations) kinds.add(op);
      assert.deepEqual(decodeTransaction(encoded({ operations })).body.operations, operations);
    }),
    { numRuns: 600 },
  );
  assert.equal(kinds.size, OPERATION_NAMES.length);
});

test("nothing but the canonical bytes of a well-formed transaction is decoded", () => {
  const wrong: { [What in string]: Bytes } = {
    "an unknown element": encoded({ note: "" }),
    "an unknown operation": encoded({ operations: [{ op: "openEverything" }] }),
    "an unknown element of an operation": encoded({ operations: [{ ...grant(), note: "" }] }),
    "an inherited name as operation": encoded({ operations: [{ op: "toString" }] }),
    "no operation": encoded({ operations: [] }),
    "too many operations": encoded({
      operations: new Array(MAX_OPERATIONS + 1).fill({ op: "replaceKey", publicKey: publicKey(1) }),
    }),
    "a float": encoded({ notAfter: { time: 1.5, height: 1 } }),
    "a key of the other suite's length": encoded({
      operations: [{ op: "replaceKey", publicKey: { suite: "p256", key: bytes(32, 2) } }],
    }),
    "a missing element": encodeTransaction(cbor.encode({ type: body.type }), signature),
    "a short signature": encodeTransaction(encodeBody(body), bytes(63, 2)),
    "trailing bytes": concat(encoded(), Uint8Array.of(0)),
    truncation: encoded().subarray(0, -1),
    "a body that is not canonical": encodeTransaction(longerLength(encodeBody(body)), signature),
    nothing: new Uint8Array(0),
  };
  for (const [what, input] of Object.entries(wrong)) assert.throws(() => decodeTransaction(input), { code: "malformed" }, what);
  assert.throws(() => decodeTransaction(encoded(), encoded().length - 1), { code: "malformed" });
});

/** The same map with its length in two bytes instead of one: readable CBOR, not canonical. */
const longerLength = (map: Bytes): Bytes => concat(Uint8Array.of(0xb8, map[0]! & 0x1f), map.subarray(1));

test("every flipped byte is malformed or another transaction", () => {
  const original = encoded();
  let malformed = 0;
  let other = 0;
  for (let i = 0; i < original.length; i++) {
    const flipped = Uint8Array.from(original);
    flipped[i] = original[i]! ^ 1;
    try {
      const { body: read, signature: signed } = decodeTransaction(flipped);
      assert.notDeepEqual({ read, signed }, { read: body, signed: signature });
      other++;
    } catch (error) {
      assert.equal((error as { code?: string }).code, "malformed");
      malformed++;
    }
  }
  assert.ok(malformed > 50 && other > 50, `${malformed} malformed, ${other} other`);
});
