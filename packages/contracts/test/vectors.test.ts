import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { type ActorId, type Bytes, cbor, fromHex, type Height, type MemberId, type UnixSeconds } from "@xinglin/primitives";
import {
  applyOperation,
  getActor,
  OPERATION_NAMES,
  operation as operationSchema,
  refusalCodesOf,
  type StateReader,
} from "../src/index.ts";
import { outcomeJson, readable, type VectorFile, type VectorJson } from "./support/vectors.ts";

const spec = new URL("../../../spec/", import.meta.url);
const load = (name: string): VectorFile => JSON.parse(readFileSync(new URL(`${name}/vectors.json`, spec), "utf8")) as VectorFile;

/** Runs one vector on the state that it lists and on nothing else. */
function run({ context, operationCbor, before }: VectorJson, values: readonly string[]) {
  const entries = new Map<string, Bytes | undefined>();
  for (const [key, position] of Object.entries(before))
    entries.set(key, position === null ? undefined : fromHex(values[position]!));
  const state: StateReader = {
    get(key) {
      assert.ok(entries.has(key), `reads ${key}, which the vector does not list`);
      return entries.get(key);
    },
  };
  const { caller, chain, height, time, transaction } = context;
  const actor = getActor(state, caller.actor as ActorId);
  assert.ok(actor !== undefined);
  const operation = operationSchema.parse(cbor.decode(fromHex(operationCbor), 1 << 20));
  const outcome = applyOperation(state, operation, {
    block: { chain, height: height as Height, time: time as UnixSeconds },
    caller: {
      actorId: caller.actor as ActorId,
      actor,
      key: caller.key,
      byEnrolment: caller.byEnrolment,
      sponsor: caller.sponsor as MemberId,
    },
    transaction: fromHex(transaction),
    index: 0,
  });
  return { operation, outcome: outcomeJson(outcome) };
}

for (const name of OPERATION_NAMES)
  test(`${name}: the vectors come to what they say, and have a row for every refusal and an accepted one`, () => {
    const { operation, values, vectors } = load(name);
    assert.equal(operation, name);
    for (const vector of vectors) {
      const done = run(vector, values);
      assert.deepEqual(done.outcome, vector.outcome, vector.name);
      assert.deepEqual(readable(done.operation), vector.operation, vector.name);
    }
    const codes = vectors.flatMap(({ outcome }) => outcome.refused?.code ?? []);
    assert.deepEqual([...new Set(codes)].sort(), [...refusalCodesOf(name)].sort());
    assert.ok(vectors.some(({ outcome }) => outcome.accepted !== undefined));
  });

test("no vectors stand for an operation that does not exist", () => {
  const folders = readdirSync(spec, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const named = folders.filter(({ name }) => (OPERATION_NAMES as readonly string[]).includes(name));
  assert.deepEqual(named.map(({ name }) => name).sort(), [...OPERATION_NAMES].sort());
});
