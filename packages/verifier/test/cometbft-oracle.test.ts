import assert from "node:assert/strict";
import { test } from "node:test";
import { cometbft } from "@xinglin/crypto/pure";
import { fromHex, toHex, utf8 } from "@xinglin/primitives";
import { LightClient } from "../src/light-client.ts";
import { forge, TestChain, testLatticeValidator, testValidator, validatorSet } from "../src/testing/index.ts";
import { askCometbft, type Check, whatIsMissing } from "./support/go-light.ts";

const missing = whatIsMissing();

const CHAIN = "oracle-0123456789ab";
const four = [testValidator("a", 10), testValidator("b", 10), testValidator("c", 7), testValidator("d", 1)];
/** After block 9 one of four is replaced and powers move; after 15 nobody stays. */
const five = [...four.slice(1), testValidator("e", 9), testValidator("f", 3)];
const others = ["p", "q", "r"].map((name) => testValidator(name, 2));

const chain = new TestChain(CHAIN, four);
const blockBytes: Uint8Array[] = [];
for (let height = 1; height <= 20; height++) {
  const nextValidators = height === 9 ? five : height === 15 ? others : undefined;
  const txs = Array.from({ length: height % 4 }, (_, i) => utf8(`transaction ${i} `.repeat(height === 6 ? 8_000 : 3)));
  const lastCommit = chain.blocks.at(-1)?.commit ?? cometbft.NO_COMMIT;
  // Among five, one is missing and one votes for nil; the power of the others is enough.
  const vote = height === 12 ? (index: number) => (index === 4 ? "absent" : index === 3 ? "nil" : "commit") : () => "commit";
  const block = await chain.next({
    txs,
    ...(nextValidators === undefined ? {} : { nextValidators }),
    vote: vote as (index: number) => cometbft.CommitSig["flag"],
  });
  blockBytes.push(cometbft.encodeBlock({ header: block.header, txs, lastCommit }));
}
const at = (height: number): cometbft.LightBlock => chain.blocks[height - 1] as cometbft.LightBlock;
const hex = (block: cometbft.LightBlock): string => toHex(cometbft.encodeLightBlock(block));
const nowSeconds = at(20).header.time.seconds + 5;
const verify = (trusted: cometbft.LightBlock, block: cometbft.LightBlock): Check => ({
  op: "verify",
  trusted: hex(trusted),
  bytes: hex(block),
  nowSeconds,
});

test("CometBFT reads our light blocks and blocks, and computes the same hashes and bytes", { skip: missing }, () => {
  const answers = askCometbft(CHAIN, [
    ...chain.blocks.map((block): Check => ({ op: "light_block", bytes: hex(block) })),
    ...blockBytes.map((bytes): Check => ({ op: "block", bytes: toHex(bytes) })),
  ]);
  assert.equal(answers.length, 40);
  chain.blocks.forEach((block, i) => {
    assert.deepEqual(answers[i], {
      ok: true,
      hash: toHex(cometbft.headerHash(block.header)),
      validatorsHash: toHex(cometbft.validatorsHash(block.validators)),
      lastCommitHash: toHex(cometbft.commitHash(block.commit)),
      bytes: hex(block),
    });
    const { hash, partSetHeader } = block.commit.blockId;
    assert.deepEqual(answers[20 + i], {
      ok: true,
      hash: toHex(hash),
      partsTotal: partSetHeader.total,
      partsHash: toHex(partSetHeader.hash),
    });
  });
  assert.ok(at(6).commit.blockId.partSetHeader.total > 3, "a block of several parts is among them");
});

/** Jumps that stay within the same validators, cross one change, and cross both. */
const jumps: readonly (readonly [number, number])[] = [
  [1, 9],
  [2, 5],
  [1, 10],
  [8, 14],
  [10, 15],
  [16, 20],
  [9, 12],
  [9, 17],
  [14, 20],
  [1, 20],
];

test("CometBFT's light client and ours accept and refuse the same steps and jumps", { skip: missing }, async () => {
  const steps = Array.from({ length: 19 }, (_, i) => [i + 1, i + 2] as const);
  const pairs = [...steps, ...jumps];
  const answers = askCometbft(
    CHAIN,
    pairs.map(([from, to]) => verify(at(from), at(to))),
  );
  let refused = 0;
  for (const [i, [from, to]] of pairs.entries()) {
    const client = new LightClient({ chainId: CHAIN, height: from, headerHash: cometbft.headerHash(at(from).header) });
    await client.advance(at(from));
    const ours = await client.advance(at(to)).then(
      () => true,
      () => false,
    );
    assert.equal(answers[i]?.ok, ours, `${from} to ${to}: ${answers[i]?.error}`);
    refused += Number(!ours);
  }
  assert.ok(refused >= 3, `${refused} refused`);
});

test("CometBFT and we refuse the same tampered blocks", { skip: missing }, async () => {
  const block = at(3);
  const { commit, header } = block;
  const flip = (bytes: Uint8Array): Uint8Array => bytes.map((byte, i) => (i === 7 ? byte ^ 1 : byte));
  const first = commit.signatures[0];
  assert.ok(first !== undefined && first.flag !== "absent");
  const strangers = ["w", "x", "y", "z"].map((name) => testValidator(name));
  const resigned = (sig: cometbft.CommitSig): cometbft.LightBlock => ({
    ...block,
    commit: { ...commit, signatures: [sig, ...commit.signatures.slice(1)] },
  });
  const tampered: Record<string, cometbft.LightBlock> = {
    "application hash": { ...block, header: { ...header, appHash: flip(header.appHash) } },
    time: { ...block, header: { ...header, time: { seconds: header.time.seconds, nanos: 1 } } },
    "next validators": { ...block, header: { ...header, nextValidatorsHash: flip(header.nextValidatorsHash) } },
    "chain id": { ...block, header: { ...header, chainId: "oracle-0123456789ac" } },
    "commit of another height": { ...block, commit: { ...commit, height: 4 } },
    "commit of another round": { ...block, commit: { ...commit, round: 1 } },
    signature: resigned({ ...first, signature: flip(first.signature) }),
    "time of a vote": resigned({ ...first, timestamp: { seconds: 5, nanos: 5 } }),
    "address of a vote": resigned({ ...first, validatorAddress: flip(first.validatorAddress) }),
    "two votes missing": {
      ...block,
      commit: { ...commit, signatures: [{ flag: "absent" }, { flag: "absent" }, ...commit.signatures.slice(2)] },
    },
    "validators of another block": { ...block, validators: at(12).validators },
    "made by strangers": await forge(block, {}, strangers),
    "older than what is trusted": await forge(block, { time: at(1).header.time }, four),
  };
  const answers = askCometbft(CHAIN, [verify(at(2), block), ...Object.values(tampered).map((bad) => verify(at(2), bad))]);
  assert.equal(answers[0]?.ok, true, answers[0]?.error);
  for (const [i, [name, bad]] of Object.entries(tampered).entries()) {
    assert.equal(answers[i + 1]?.ok, false, `CometBFT accepted: ${name}`);
    const client = new LightClient({ chainId: CHAIN, validators: validatorSet(four) });
    await client.advance(at(2));
    await assert.rejects(client.advance(bad), { name: "Fault" }, `we accepted: ${name}`);
  }
});

test("results and consensus parameters hash as in CometBFT", { skip: missing }, () => {
  const results = [
    { code: 0, data: "", gasWanted: 0, gasUsed: 0 },
    { code: 7, data: "00ff", gasWanted: 300, gasUsed: 200 },
    { code: 4_000_000_000, data: "aa".repeat(200), gasWanted: -1, gasUsed: Number.MAX_SAFE_INTEGER },
  ];
  const params = [
    { maxBytes: 1_048_576, maxGas: -1 },
    { maxBytes: 67_108_864, maxGas: 0 },
  ];
  const answers = askCometbft(CHAIN, [
    { op: "results", results },
    { op: "results", results: [] },
    ...params.map((one): Check => ({ op: "params", ...one })),
  ]);
  const ours = [
    cometbft.resultsHash(results.map((result) => ({ ...result, data: fromHex(result.data) }))),
    cometbft.resultsHash([]),
    ...params.map(cometbft.consensusHash),
  ];
  assert.deepEqual(
    answers,
    ours.map((hash) => ({ ok: true, hash: toHex(hash) })),
  );
});

test("validators with ML-DSA-65 keys, alone and among others: CometBFT and we read, hash, accept and refuse the same", {
  skip: missing,
}, async () => {
  const lattice = [testLatticeValidator("l", 10), testLatticeValidator("m", 9)];
  const mixed = [testValidator("a", 10), ...lattice, testValidator("d", 1)];
  const grown = new TestChain(CHAIN, [testLatticeValidator("l", 10)]);
  await grown.next({ nextValidators: mixed });
  await grown.next();
  // The Ed25519 validators leave; those that stay had more than a third.
  await grown.next({ nextValidators: lattice });
  await grown.next({ nextValidators: [testValidator("p")] });
  await grown.next();
  const blocks = grown.blocks;
  const [, second, , fourth] = blocks as [cometbft.LightBlock, cometbft.LightBlock, cometbft.LightBlock, cometbft.LightBlock];
  const now = nowSeconds;
  const flipped = (block: cometbft.LightBlock): cometbft.LightBlock => ({
    ...block,
    commit: {
      ...block.commit,
      signatures: block.commit.signatures.map((sig) =>
        sig.flag === "commit" && sig.signature.length > 64
          ? { ...sig, signature: sig.signature.map((byte, i) => (i === 60 ? byte ^ 1 : byte)) }
          : sig,
      ),
    },
  });
  const pairs: (readonly [cometbft.LightBlock, cometbft.LightBlock])[] = [
    ...blocks.slice(1).map((block, i) => [blocks[i] as cometbft.LightBlock, block] as const),
    [second, fourth],
    [second, flipped(fourth)],
    [second, await forge(fourth, { appHash: new Uint8Array(32) }, [testLatticeValidator("stranger", 10)])],
    [second, blocks[4] as cometbft.LightBlock],
  ];
  const answers = askCometbft(CHAIN, [
    ...blocks.map((block): Check => ({ op: "light_block", bytes: hex(block) })),
    ...pairs.map(([trusted, block]): Check => ({ op: "verify", trusted: hex(trusted), bytes: hex(block), nowSeconds: now })),
  ]);
  blocks.forEach((block, i) => {
    assert.deepEqual(answers[i], {
      ok: true,
      hash: toHex(cometbft.headerHash(block.header)),
      validatorsHash: toHex(cometbft.validatorsHash(block.validators)),
      lastCommitHash: toHex(cometbft.commitHash(block.commit)),
      bytes: hex(block),
    });
  });
  const theirs = answers.slice(blocks.length).map(({ ok }) => ok);
  assert.deepEqual(theirs, [true, true, true, true, true, false, false, false]);
  const ours = await Promise.all(
    pairs.map(async ([trusted, block]) => {
      const { height } = trusted.header;
      const client = new LightClient({ chainId: CHAIN, height, headerHash: cometbft.headerHash(trusted.header) });
      await client.advance(trusted);
      return client.advance(cometbft.encodeLightBlock(block)).then(
        () => true,
        () => false,
      );
    }),
  );
  assert.deepEqual(ours, theirs);
});
