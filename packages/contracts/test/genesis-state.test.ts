import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "@xinglin/crypto/pure";
import { cbor, toHex } from "@xinglin/primitives";
import {
  chainIdOf,
  decodeGenesis,
  encodeGenesis,
  type Genesis,
  genesisChanges,
  getActor,
  getClassRule,
  getCustodian,
  getMember,
  getParameters,
  getValidators,
} from "../src/index.ts";
import { administration, custodians, genesis, hospitalA, hospitalB, keyIdOf, World } from "./support/world.ts";

test("a genesis document comes back from its bytes, and names its chain by its hash", () => {
  const encoded = encodeGenesis(genesis);
  assert.deepEqual(decodeGenesis(encoded), genesis);
  assert.equal(chainIdOf(encoded), `test-${toHex(sha256(encoded)).slice(0, 24)}`);
  const other = encodeGenesis({ ...genesis, parameters: { ...genesis.parameters, permitSeconds: 599 } });
  assert.notEqual(chainIdOf(other), chainIdOf(encoded));
});

test("the first state holds parameters, validators, the election, matrix, members and custodians, and nothing else", () => {
  const first = new World();
  const changes = genesisChanges(genesis);
  first.apply({ changes, subject: {} });
  assert.equal(changes.length, first.entries.size);
  assert.equal(first.entries.size, 3 + 44 + 2 * genesis.members.length + 2 * genesis.custodians.length);
  assert.deepEqual(getParameters(first), genesis.parameters);
  assert.deepEqual(getValidators(first), genesis.validators);
  assert.deepEqual(getClassRule(first, { level: "core", category: "genome" }), { basis: "ethics" });
  const [member] = genesis.members.filter(({ id }) => id === hospitalA);
  assert.deepEqual(getMember(first, hospitalA), member!.member);
  assert.deepEqual(getActor(first, administration(hospitalA)), {
    kind: "member",
    member: hospitalA,
    status: "active",
    keys: [{ id: keyIdOf(member!.key), publicKey: member!.key, since: 0 }],
  });
  const second = genesis.custodians[1]!;
  assert.deepEqual(getCustodian(first, custodians[1]!), { member: hospitalB, hpke: second.hpke, status: "active" });
  assert.equal(getActor(first, custodians[1]!)?.kind, "custodian");
});

test("a validator's key is of one of the types that consensus knows, told apart by length", () => {
  const withKey = (length: number): Uint8Array =>
    encodeGenesis({ ...genesis, validators: [{ ...genesis.validators[0]!, publicKey: new Uint8Array(length).fill(1) }] });
  for (const length of [32, 1952]) assert.equal(decodeGenesis(withKey(length)).validators[0]?.publicKey.length, length);
  for (const length of [0, 31, 33, 48, 1951, 1953])
    assert.throws(() => decodeGenesis(withKey(length)), { code: "malformed" }, `${length} bytes`);
});

test("equal documents give equal changes, whatever the order of their elements in memory", () => {
  const shuffled = Object.fromEntries(Object.entries(genesis).reverse()) as Genesis;
  assert.deepEqual(encodeGenesis(shuffled), encodeGenesis(genesis));
});

const [firstMember, secondMember] = genesis.members as [Genesis["members"][number], Genesis["members"][number]];
const [firstCustodian] = genesis.custodians as [Genesis["custodians"][number]];
const [validator] = genesis.validators as [Genesis["validators"][number]];
const contradictions: { [Reason in string]: Partial<Genesis> } = {
  member_repeated: { members: [...genesis.members, { ...secondMember, id: firstMember.id }] },
  custodian_repeated: { custodians: [...genesis.custodians, { ...firstCustodian, id: administration(hospitalA) }] },
  member_id_like_a_random_one: {
    members: [...genesis.members, { ...firstMember, id: "abcdef01".repeat(4) as typeof hospitalA }],
  },
  unknown_member: { validators: [{ ...validator, member: "nobody" as typeof hospitalA }] },
  validator_repeated: { validators: [validator, validator] },
  key_repeated: { custodians: [{ ...firstCustodian, key: firstMember.key }] },
  validator_member_repeated: { validators: [validator, { ...validator, publicKey: new Uint8Array(32).fill(8) }] },
  more_validators_than_seats: {
    validators: [validator, { publicKey: new Uint8Array(32).fill(8), power: 1, member: hospitalA }],
  },
  election_bounds_contradict: {
    parameters: { ...genesis.parameters, election: { ...genesis.parameters.election, minSeats: 4 } },
  },
  // One byte less than the longest transaction and the one validator's vote take.
  blocks_too_small: { parameters: { ...genesis.parameters, maxBlockBytes: 100_000 + 1_024 + 3_358 - 1 } },
  matrix_cell_repeated: { matrix: [...genesis.matrix.slice(1), genesis.matrix[1]!] },
};
for (const [reason, changed] of Object.entries(contradictions))
  test(`a genesis that contradicts itself is refused: ${reason}`, () => {
    const wrong = { ...genesis, ...changed };
    const expected = { code: "genesis_invalid", facts: { reason } };
    assert.throws(() => genesisChanges(wrong), expected);
    assert.throws(() => decodeGenesis(encodeGenesis(wrong)), expected);
  });

test("blocks that just hold the longest transaction and the votes are large enough", () => {
  const parameters = { ...genesis.parameters, maxBlockBytes: 100_000 + 1_024 + 3_358 };
  assert.doesNotThrow(() => decodeGenesis(encodeGenesis({ ...genesis, parameters })));
});

test("a matrix with a cell too few, an unknown element and trailing bytes are malformed", () => {
  const malformed = [
    encodeGenesis({ ...genesis, matrix: genesis.matrix.slice(1) }),
    cbor.encode({ ...genesis, note: "" }),
    Uint8Array.of(...encodeGenesis(genesis), 0),
  ];
  for (const bytes of malformed) assert.throws(() => decodeGenesis(bytes), { code: "malformed" });
});
