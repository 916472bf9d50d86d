import assert from "node:assert/strict";
import { test } from "node:test";
import { cometbft, merkle } from "@xinglin/crypto/pure";
import { type Bytes, cbor, concat, equal, toHex, utf8 } from "@xinglin/primitives";
import { type EvidenceTrust, type EvidenceVerdict, verifyEvidence } from "../src/evidence.ts";
import { decodeEvidence, type Evidence, encodeEvidence, type Statement } from "../src/evidence-file.ts";
import { genesisTrust } from "../src/genesis.ts";
import { TestChain, TestState, testLatticeValidator, testValidator, validatorSet } from "../src/testing/index.ts";

const first = [testValidator("commission")];
const later = ["commission", "hospital-a", "hospital-b", "hospital-c"].map((name) => testValidator(name));
const genesis = cbor.encode({
  type: "xinglin-genesis/1",
  name: "evidence",
  validators: validatorSet(first).map((validator) => ({ ...validator, member: "commission" })),
});
const trust: EvidenceTrust = { genesis: genesisTrust(genesis) };
const chainId = genesisTrust(genesis).chainId;

const entries = ["entry 0", "entry 1", "entry 2", "entry 3", "entry 4"].map(utf8);
const logHead = { epoch: 3, first: 100, size: entries.length, root: merkle.root(entries), frontier: [] };
const state = new TestState({
  "access/p/1": utf8("a permit"),
  "access/p/2": utf8("a refusal"),
  log: cbor.encode(logHead),
  "log/2": cbor.encode({ first: 95, size: entries.length, root: merkle.root(entries) }),
  other: utf8("something else"),
});

/** The state above after block 7, so header 8 proves it; the validators change from block 5 on. */
const chain = new TestChain(chainId, first);
for (let height = 1; height <= 9; height++)
  await chain.next({ ...(height === 8 ? { appHash: state.root } : {}), ...(height === 4 ? { nextValidators: later } : {}) });
const at = (height: number): cometbft.LightBlock => chain.blocks[height - 1] as cometbft.LightBlock;

const present: Statement = { kind: "state", height: 7, ...state.prove("access/p/1") };
const absent: Statement = { kind: "state", height: 7, ...state.prove("consent/p/9") };
const logged = (index: number, key: string, epoch: number): Statement => {
  const { value, proof } = state.prove(key);
  assert.ok(value !== undefined);
  return {
    kind: "log",
    height: 7,
    epoch,
    index,
    entry: entries[index] as Bytes,
    path: merkle.inclusionProof(entries, index),
    key,
    value,
    proof,
  };
};
const evidence: Evidence = {
  chainId,
  headers: [at(4), at(8)],
  statements: [present, absent, logged(2, "log", 3), logged(4, "log/2", 2)],
};

const failure = (verdict: EvidenceVerdict): string => (verdict.ok ? "" : verdict.code);
const verdictOn = (changes: Partial<Evidence>, by: EvidenceTrust = trust): Promise<EvidenceVerdict> =>
  verifyEvidence(encodeEvidence({ ...evidence, ...changes }), by);

test("a file says what it proves and what that rests on", async () => {
  const verdict = await verifyEvidence(encodeEvidence(evidence), trust);
  assert.ok(verdict.ok, failure(verdict));
  assert.equal(verdict.chainId, chainId);
  const time = at(8).header.time.seconds;
  const byCode = (code: string) => verdict.proves.filter((claim) => claim.code === code);
  assert.deepEqual(byCode("state_held"), [{ code: "state_held", height: 7, time, key: "access/p/1", value: utf8("a permit") }]);
  assert.deepEqual(byCode("state_absent"), [{ code: "state_absent", height: 7, time, key: "consent/p/9" }]);
  assert.deepEqual(
    byCode("log_entry").sort((a, b) => a.height - b.height || ("sequence" in a && "sequence" in b ? a.sequence - b.sequence : 0)),
    [
      { code: "log_entry", height: 7, time, epoch: 2, index: 4, sequence: 99, entry: entries[4] },
      { code: "log_entry", height: 7, time, epoch: 3, index: 2, sequence: 102, entry: entries[2] },
    ],
  );
  assert.deepEqual(verdict.assumes, [
    { code: "genesis_genuine", facts: { chain: chainId } },
    { code: "validators_honest", facts: { validators: 4, sets: 2 } },
    { code: "retired_keys_not_misused", facts: { height: 8 } },
    { code: "single_key_could_rewrite", facts: { height: 4 } },
    { code: "cryptography_holds", facts: { signature: "Ed25519", hash: "SHA-256" } },
  ]);
});

test("from a checkpoint the file begins with that header, and needs no genesis", async () => {
  const checkpoint = (height: number, hash = cometbft.headerHash(at(height).header)): EvidenceTrust => ({
    checkpoint: { height, hash },
  });
  const verdict = await verdictOn({ headers: [at(6), at(8)] }, checkpoint(6));
  assert.ok(verdict.ok, failure(verdict));
  assert.deepEqual(verdict.assumes[0], {
    code: "checkpoint_genuine",
    facts: { height: 6, hash: toHex(cometbft.headerHash(at(6).header)) },
  });
  assert.ok(!verdict.assumes.some(({ code }) => code === "single_key_could_rewrite"));
  assert.ok((await verdictOn({ headers: [at(8)] }, checkpoint(8))).ok);
  assert.equal(failure(await verdictOn({ headers: [at(6), at(8)] }, checkpoint(8))), "checkpoint_differs");
  assert.equal(failure(await verdictOn({ headers: [at(6), at(8)] }, checkpoint(6, new Uint8Array(32)))), "checkpoint_differs");
});

test("headers must be all that is needed and nothing more", async () => {
  assert.equal(failure(await verdictOn({ headers: [at(8)] })), "validators_unproven");
  assert.equal(failure(await verdictOn({ headers: [at(4)] })), "evidence_header_unneeded");
  assert.equal(failure(await verdictOn({ headers: [at(3), at(4), at(8)] })), "evidence_header_unneeded");
  assert.equal(failure(await verdictOn({ headers: [at(4), at(7), at(8)] })), "evidence_header_unneeded");
  assert.equal(failure(await verdictOn({ headers: [at(4), at(8), at(9)] })), "evidence_header_unneeded");
  assert.equal(failure(await verdictOn({ statements: [present, { ...absent, height: 8 }] })), "evidence_header_missing");
});

test("another chain, another genesis and statements that do not hold are refused with their codes", async () => {
  const elsewhere = genesisTrust(cbor.encode({ ...(cbor.decode(genesis, 4_096) as object), name: "elsewhere" }));
  assert.equal(failure(await verdictOn({}, { genesis: elsewhere })), "evidence_chain");
  assert.equal(failure(await verdictOn({ chainId: "evidence-000000000000" })), "evidence_chain");
  const wrong: Statement[] = [
    { ...present, key: "access/p/2" } as Statement,
    { kind: "state", height: 7, key: "access/p/1", proof: present.proof },
    { ...absent, value: utf8("made up") } as Statement,
    { ...logged(2, "log", 3), index: 1 } as Statement,
    { ...logged(2, "log", 3), entry: utf8("made up") } as Statement,
    { ...logged(2, "log", 3), path: [] } as Statement,
  ];
  for (const statement of wrong) assert.equal(failure(await verdictOn({ statements: [statement] })), "evidence_statement");
  const notItsHead = [
    logged(2, "log", 4),
    logged(2, "log/2", 3),
    { ...logged(2, "log", 3), ...state.prove("other") } as Statement,
  ];
  for (const statement of notItsHead) assert.equal(failure(await verdictOn({ statements: [statement] })), "malformed");
});

test("repetitions, disorder, additions and other encodings of the same content are refused", async () => {
  const bytes = encodeEvidence(evidence);
  assert.ok(
    equal(
      encodeEvidence({ ...evidence, headers: [...evidence.headers].reverse(), statements: [...evidence.statements].reverse() }),
      bytes,
    ),
  );
  assert.ok(equal(encodeEvidence(decodeEvidence(bytes)), bytes));
  for (const repeated of [{ headers: [at(4), at(4), at(8)] }, { statements: [present, present] }])
    assert.throws(() => encodeEvidence({ ...evidence, ...repeated }), { code: "malformed" });

  const raw = cbor.decode(bytes, bytes.length) as { headers: Bytes[]; statements: Record<string, unknown>[] };
  const changed: Record<string, unknown> = {
    "headers in another order": { ...raw, headers: [...raw.headers].reverse() },
    "statements in another order": { ...raw, statements: [...raw.statements].reverse() },
    "a repeated statement": { ...raw, statements: raw.statements.flatMap((one) => [one, one]) },
    "a note": { ...raw, note: "trust me" },
    "a note in a statement": { ...raw, statements: raw.statements.map((one) => ({ ...one, note: "trust me" })) },
    "another type": { ...raw, type: "xinglin-evidence/2" },
    "no statement": { ...raw, statements: [] },
    "a header with more bytes": { ...raw, headers: raw.headers.map((header) => concat(header, Uint8Array.of(0))) },
    "a proof with more bytes": {
      ...raw,
      statements: raw.statements.map((one) => ({ ...one, proof: concat(one.proof as Bytes, utf8(" ")) })),
    },
  };
  for (const [name, value] of Object.entries(changed))
    assert.ok(!(await verifyEvidence(cbor.encode(value), trust)).ok, `a file with ${name} was accepted`);
  assert.equal(failure(await verifyEvidence(concat(bytes, Uint8Array.of(0)), trust)), "malformed");
});

/** Signatures that were made count as right over the bytes they were made for: the portable curve would take minutes for every flip. */
const made = new Map<string, string>();
for (const { commit } of chain.blocks)
  commit.signatures.forEach((sig, i) => {
    if (sig.flag !== "absent") made.set(toHex(sig.signature), toHex(cometbft.commitSignBytes(chainId, commit, i) as Bytes));
  });
const quick = (_: Bytes, message: Bytes, signature: Bytes): boolean => made.get(toHex(signature)) === toHex(message);

test("every flipped byte and every truncation fails with a code, from the genesis and from a checkpoint", async () => {
  const small: Evidence = { ...evidence, statements: [present, logged(2, "log", 3)] };
  const codes = new Map<string, number>();
  const cases: [Bytes, EvidenceTrust][] = [
    [encodeEvidence(small), trust],
    [encodeEvidence({ ...small, headers: [at(8)] }), { checkpoint: { height: 8, hash: cometbft.headerHash(at(8).header) } }],
  ];
  for (const [bytes, by] of cases) {
    assert.ok((await verifyEvidence(bytes, by, quick)).ok);
    assert.ok((await verifyEvidence(bytes, by)).ok, "the portable curve agrees with the shortcut");
    const check = async (changed: Bytes, what: string): Promise<void> => {
      const verdict = await verifyEvidence(changed, by, quick);
      assert.ok(!verdict.ok, `${what} was accepted`);
      assert.match(verdict.code, /^[a-z_]+$/);
      codes.set(verdict.code, (codes.get(verdict.code) ?? 0) + 1);
    };
    for (let i = 0; i < bytes.length; i++) {
      await check(
        bytes.map((byte, place) => (place === i ? byte ^ (1 << (i % 8)) : byte)),
        `a flip in byte ${i}`,
      );
      await check(bytes.subarray(0, i), `a cut at ${i}`);
    }
  }
  // The flips reach every layer: form, headers, signatures, statements.
  for (const expected of ["malformed", "commit_block", "commit_signature", "evidence_statement"])
    assert.ok((codes.get(expected) ?? 0) > 20, `${expected}: ${codes.get(expected)} of ${JSON.stringify([...codes])}`);
});

test("a genesis that is none is malformed", () => {
  const value = cbor.decode(genesis, 4_096) as Record<string, unknown>;
  for (const wrong of [{ name: "Not A Name" }, { validators: [] }, { validators: "all" }])
    assert.throws(() => genesisTrust(cbor.encode({ ...value, ...wrong })), { code: "malformed" });
  assert.throws(() => genesisTrust(cbor.encode(null)), { code: "malformed" });
  assert.throws(() => genesisTrust(concat(genesis, Uint8Array.of(0))), { code: "malformed" });
});

test("evidence of a chain whose validators moved to ML-DSA-65 holds, and says what signatures it rests on", async () => {
  const moved = new TestChain(chainId, first);
  for (let height = 1; height <= 6; height++)
    await moved.next({
      ...(height === 2 ? { nextValidators: [testLatticeValidator("commission")] } : {}),
      ...(height === 5 ? { appHash: state.root } : {}),
    });
  const header = (height: number): cometbft.LightBlock => moved.blocks[height - 1] as cometbft.LightBlock;
  const file = { chainId, headers: [header(2), header(5)], statements: [{ ...present, height: 4 }] };
  const verdict = await verifyEvidence(encodeEvidence(file), trust);
  assert.ok(verdict.ok, failure(verdict));
  assert.deepEqual(
    verdict.assumes.find(({ code }) => code === "cryptography_holds"),
    { code: "cryptography_holds", facts: { signature: "Ed25519, ML-DSA-65", hash: "SHA-256" } },
  );
});
