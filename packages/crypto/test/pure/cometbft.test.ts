import assert from "node:assert/strict";
import { test } from "node:test";
import { concat, fromHex, toHex, utf8 } from "@xinglin/primitives";
import * as cometbft from "../../src/pure/cometbft/index.ts";
import { verifyInclusion } from "../../src/pure/merkle.ts";
import { sha256 } from "../../src/pure/sha256.ts";

const hashOf = (text: string): Uint8Array => sha256(utf8(text));
const zeros = new Uint8Array(32);

const header: cometbft.Header = {
  version: { block: 1, app: 2 },
  chainId: "chainId",
  height: 3,
  time: { seconds: Date.UTC(2019, 9, 13, 16, 14, 44) / 1000, nanos: 0 },
  lastBlockId: { hash: zeros, partSetHeader: { total: 6, hash: zeros } },
  lastCommitHash: hashOf("last_commit_hash"),
  dataHash: hashOf("data_hash"),
  validatorsHash: hashOf("validators_hash"),
  nextValidatorsHash: hashOf("next_validators_hash"),
  consensusHash: hashOf("consensus_hash"),
  appHash: hashOf("app_hash"),
  lastResultsHash: hashOf("last_results_hash"),
  evidenceHash: hashOf("evidence_hash"),
  proposerAddress: hashOf("proposer_address").slice(0, 20),
};

test("the header hash of CometBFT's own test", () => {
  assert.equal(toHex(cometbft.headerHash(header)), "f740121f553b5418c3efbd343c2dbfe9e007bb67b0d020a0741374bab65242a4");
});

const goZeroTime = { seconds: -62_135_596_800, nanos: 0 };
const heightAndRoundOne = "110100000000000000190100000000000000";
const zeroTimeField = "2a0b088092b8c398feffffff01";

test("the vote sign bytes of CometBFT's own tests", () => {
  const vote = (type: "precommit" | "prevote") => ({ type, chainId: "", height: 1, round: 1, timestamp: goZeroTime });
  assert.equal(toHex(cometbft.voteSignBytes(vote("precommit"))), `210802${heightAndRoundOne}${zeroTimeField}`);
  assert.equal(toHex(cometbft.voteSignBytes(vote("prevote"))), `210801${heightAndRoundOne}${zeroTimeField}`);
  const named = cometbft.voteSignBytes({ ...vote("precommit"), chainId: "test_chain_id" });
  assert.equal(toHex(named.subarray(-15)), `320d${toHex(utf8("test_chain_id"))}`);
});

const keys = [1, 2, 3].map((n) => hashOf(`key ${n}`));
const validators = cometbft.sortValidators(keys.map((publicKey, i) => ({ publicKey, power: i === 0 ? 5 : 10 })));
const commit: cometbft.Commit = {
  height: 3,
  round: 1,
  blockId: { hash: cometbft.headerHash(header), partSetHeader: { total: 1, hash: zeros } },
  signatures: [
    {
      flag: "commit",
      validatorAddress: cometbft.addressOf(validators[0]?.publicKey as Uint8Array),
      timestamp: { seconds: 1_700_000_000, nanos: 5 },
      signature: new Uint8Array(64).fill(7),
    },
    { flag: "absent" },
    {
      flag: "nil",
      validatorAddress: cometbft.addressOf(validators[2]?.publicKey as Uint8Array),
      timestamp: { seconds: 1_700_000_000, nanos: 999_999_999 },
      signature: new Uint8Array(64).fill(9),
    },
  ],
};

test("sets are sorted by power, then address, and a set that is not one is refused", () => {
  assert.deepEqual(
    validators.map((v) => v.power),
    [10, 10, 5],
  );
  const [a, b, c] = validators as [cometbft.Validator, cometbft.Validator, cometbft.Validator];
  const refused: Record<string, cometbft.Validator[]> = {
    "empty set": [],
    "wrong order of powers": [c, a, b],
    "wrong order of addresses": [b, a, c],
    repetition: [a, a],
    "power of zero": [{ ...a, power: 0 }],
    "power that is no integer": [{ ...a, power: 1.5 }],
    "power beyond a third of the safe integers": [{ ...a, power: 2 ** 52 }],
    "short key": [{ publicKey: a.publicKey.subarray(1), power: 1 }],
    "a key of no type": [{ publicKey: new Uint8Array(1951), power: 1 }],
  };
  for (const [name, set] of Object.entries(refused))
    assert.throws(() => cometbft.checkValidators(set), { code: "malformed" }, `a set with ${name} was accepted`);
});

test("what is encoded decodes to the same, and every flipped, cut or added byte is refused or means something else", () => {
  const block: cometbft.LightBlock = { header, commit, validators };
  const cases: [Uint8Array, (bytes: Uint8Array) => unknown, unknown][] = [
    [cometbft.encodeHeader(header), cometbft.decodeHeader, header],
    [cometbft.encodeCommit(commit), cometbft.decodeCommit, commit],
    [cometbft.encodeValidatorSet(validators), cometbft.decodeValidatorSet, validators],
    [cometbft.encodeLightBlock(block), cometbft.decodeLightBlock, block],
  ];
  let refused = 0;
  let different = 0;
  for (const [bytes, decode, value] of cases) {
    assert.deepEqual(decode(bytes), value);
    const check = (changed: Uint8Array): void => {
      try {
        assert.notDeepEqual(decode(changed), value);
        different++;
      } catch (error) {
        assert.equal((error as { code?: string }).code, "malformed", String(error));
        refused++;
      }
    };
    for (let i = 0; i < bytes.length; i++) {
      check(bytes.map((byte, at) => (at === i ? byte ^ 1 : byte)));
      check(bytes.map((byte, at) => (at === i ? byte ^ 0x80 : byte)));
      check(bytes.slice(0, i));
    }
    check(concat(bytes, Uint8Array.of(0)));
    check(concat(bytes, fromHex("7800")));
  }
  assert.ok(refused > 500 && different > 500, `${refused} refused, ${different} different`);
});

test("what is decoded from a Buffer is plain bytes of its own", () => {
  const source = Buffer.from(cometbft.encodeHeader(header));
  const decoded = cometbft.decodeHeader(source);
  source.fill(0);
  assert.deepEqual(decoded, header);
});

test("a zero that is written out, an overlong varint and a later field first are not canonical", () => {
  const bytes = cometbft.encodeCommit({ ...commit, round: 0 });
  const height = fromHex("0803");
  assert.deepEqual(bytes.subarray(0, 2), height);
  const rest = bytes.subarray(2);
  for (const changed of [concat(height, fromHex("1000"), rest), concat(fromHex("088300"), rest), concat(rest, height)])
    assert.throws(() => cometbft.decodeCommit(changed), { code: "malformed" });
});

test("parts of a block prove themselves under the part set header", () => {
  const bytes = cometbft.encodeBlock({ header, txs: [new Uint8Array(150_000).fill(1), utf8("tx")], lastCommit: commit });
  const { header: parts, parts: cut, tree } = cometbft.makePartSet(bytes);
  assert.equal(parts.total, 3);
  assert.deepEqual(concat(...cut), bytes);
  cut.forEach((part, i) => {
    assert.ok(verifyInclusion(part, i, parts.total, tree.path(i), parts.hash));
  });
  assert.deepEqual(cometbft.blockId(header, bytes), { hash: cometbft.headerHash(header), partSetHeader: parts });
});

test("the hashes of nothing are those of an empty tree", () => {
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  for (const hash of [
    cometbft.NO_EVIDENCE_HASH,
    cometbft.commitHash(undefined),
    cometbft.commitHash(cometbft.NO_COMMIT),
    cometbft.dataHash([]),
  ])
    assert.equal(toHex(hash), empty);
});

const lattice = new Uint8Array(1952).fill(3);
const mixed = cometbft.sortValidators([...validators, { publicKey: lattice, power: 7 }]);

test("a validator's key may be of ML-DSA-65: its own number in the oneof, the same rule of addresses, a longer signature", () => {
  assert.equal(cometbft.keyTypeOf(lattice), "ml-dsa-65");
  assert.equal(toHex(cometbft.encodePublicKey(lattice).subarray(0, 3)), "22a00f");
  assert.equal(toHex(cometbft.encodePublicKey(keys[0] as Uint8Array).subarray(0, 2)), "0a20");
  assert.deepEqual(cometbft.addressOf(lattice), sha256(lattice).subarray(0, 20));
  const signed = {
    ...commit,
    signatures: [
      ...commit.signatures,
      { ...commit.signatures[0], signature: new Uint8Array(3309).fill(1) } as cometbft.CommitSig,
    ],
  };
  const block = { header, commit: signed, validators: mixed };
  assert.deepEqual(cometbft.decodeLightBlock(cometbft.encodeLightBlock(block)), block);
  assert.notDeepEqual(cometbft.validatorsHash(mixed), cometbft.validatorsHash(validators));
});

test("a key under the number of another type, of no type, or under two numbers is refused", () => {
  const bytes = cometbft.encodeValidatorSet([{ publicKey: keys[0] as Uint8Array, power: 1 }]);
  const swap = (from: string, to: string): Uint8Array => fromHex(toHex(bytes).replaceAll(from, to));
  const key = toHex(keys[0] as Uint8Array);
  assert.deepEqual(cometbft.decodeValidatorSet(bytes).length, 1);
  for (const number of ["12", "1a", "22", "2a"])
    assert.throws(() => cometbft.decodeValidatorSet(swap(`0a20${key}`, `${number}20${key}`)), { code: "malformed" }, number);
  for (const length of [0, 31, 33, 48, 1951, 1953])
    assert.throws(() => cometbft.keyTypeOf(new Uint8Array(length)), { code: "malformed" }, `${length} bytes`);
  const signature = new Uint8Array(65);
  const wrong = { ...commit, signatures: [{ ...commit.signatures[0], signature } as cometbft.CommitSig] };
  assert.throws(() => cometbft.decodeCommit(cometbft.encodeCommit(wrong)), { code: "malformed" });
});
