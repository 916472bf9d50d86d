/** Shares of many records in one request: released and erased one by one, and only what was committed to gets in. */
import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync } from "node:fs";
import type { Server } from "node:http";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type BatchLeaf, encodeBatchLeaf, keys, type Permit, permit as permitSchema } from "@xinglin/contracts";
import { hpkeKeyPair, hpkeSeal, randomBytes, type ShareOpening, sealWithNonce, splitKey } from "@xinglin/crypto";
import { nodeCurves, nodeEd25519Signer } from "@xinglin/crypto/node";
import { merkle } from "@xinglin/crypto/pure";
import { bulkDepositInfo, Custodian, encodeRows, type ProvenState, remoteCustodian, serveCustodian } from "@xinglin/custody";
import {
  erasureRequest,
  MAX_BULK_SHARES,
  type PreparedBulkDeposits,
  prepareBulkDeposits,
  releaseRequest,
  restoreContentKey,
} from "@xinglin/custody/client";
import { type ActorId, type Bytes, cbor, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import { id, nowSeconds, openSmallChain, type SmallChain, THRESHOLD } from "./small-chain.ts";

const COUNT = 100;
const imaging = { level: "sensitive", category: "imaging" } as const;
let chain: SmallChain;
before(async () => {
  chain = await openSmallChain();
});
after(() => chain.close());

interface Sealed {
  readonly record: RecordId;
  readonly contentKey: Bytes;
}
const someRecords = (count: number): Sealed[] =>
  Array.from({ length: count }, () => ({ record: id<RecordId>(), contentKey: randomBytes(32) }));
const depositor = (): ProvenState => chain.prove(keys.actor(chain.a.actor), keys.member(chain.a.member));
const recipients = () => chain.custodians.map(({ party }) => ({ id: party.actor, hpke: party.hpke.publicKey }));
const prepare = (records: readonly Sealed[], change: object = {}): Promise<PreparedBulkDeposits> =>
  prepareBulkDeposits({
    chain: chain.ledger.chainId,
    records,
    threshold: THRESHOLD,
    recipients: recipients(),
    depositor: chain.a,
    time: nowSeconds(),
    ...change,
  });
const first = () => chain.custodians[0] as SmallChain["custodians"][number];
const partsOf = (actor: string): string[] => {
  try {
    return readdirSync(join(chain.directory, "shares", actor, "parts"));
  } catch {
    return [];
  }
};

/** Deposits `records` everywhere and anchors them as a batch. */
async function anchored(records: readonly Sealed[]): Promise<{ root: Bytes; leaves: BatchLeaf[]; encoded: Bytes[] }> {
  const deposits = await prepare(records);
  for (const { party, custodian } of chain.custodians) {
    const answer = await custodian.depositMany(deposits.request(party.actor, depositor()));
    const signing = [{ suite: "ed25519" as const, key: party.signer.publicKey }];
    assert.ok(await deposits.isReceipt(party.actor, answer, signing));
    assert.ok(!(await deposits.isReceipt(party.actor, answer, [{ suite: "ed25519", key: chain.a.signer.publicKey }])));
  }
  const pack = { id: randomBytes(16), manifest: randomBytes(32), root: randomBytes(32), sizeClass: 20, code: { k: 2, m: 1 } };
  const leaves = records.map(({ record }, i) => ({
    salt: randomBytes(32),
    record,
    patient: chain.patient.actor,
    class: imaging,
    format: "fhir" as const,
    object: { ...pack, slice: { at: 64 * i, length: 64 } },
    custody: deposits.custodies[i] as BatchLeaf["custody"],
  }));
  const encoded = leaves.map(encodeBatchLeaf);
  const root = merkle.root(encoded);
  assert.equal((await chain.submit(chain.a, { op: "anchorBatch", root, count: leaves.length, packs: [pack] })).code, undefined);
  return { root, leaves, encoded };
}

async function permitFor({ root, leaves, encoded }: Awaited<ReturnType<typeof anchored>>, index: number) {
  const pair = await hpkeKeyPair();
  const target = {
    kind: "batch" as const,
    root,
    leaf: leaves[index] as BatchLeaf,
    index,
    path: merkle.inclusionProof(encoded, index),
  };
  const asked = { patient: chain.patient.actor, purpose: "TREAT" as const, class: imaging, target, credential: chain.credential };
  const { code, number } = await chain.submit(chain.doctor, { op: "requestAccess", ...asked, hpke: pair.publicKey });
  assert.equal(code, undefined);
  const { value } = chain.ledger.prove(keys.access(chain.patient.actor, number));
  return { number, pair, permit: permitSchema.parse(cbor.decodeTrusted(value as Bytes)) };
}

function release(held: { number: number; pair: { publicKey: Bytes }; permit: Permit }, custodian: Custodian): Promise<Bytes> {
  const { number, pair, permit } = held;
  const patient = chain.patient.actor;
  const state = chain.prove(
    keys.access(patient, number),
    keys.consentHead(patient),
    keys.actor(chain.doctor.actor),
    keys.member(chain.doctor.member),
    keys.credential(chain.credential),
    keys.record(permit.target.record),
    keys.custodian(custodian.id),
  );
  return custodian.release(
    releaseRequest({ chain: chain.ledger.chainId, custodian: custodian.id, patient, number, hpke: pair.publicKey, state }),
  );
}

test("each record of a batch opens under its own permit, and its end takes its shares and no other's", async () => {
  const records = someRecords(COUNT);
  const batch = await anchored(records);
  for (const { party } of chain.custodians) assert.equal(partsOf(party.actor).length, 2);
  const keyOf = async (index: number): Promise<Bytes> => {
    const held = await permitFor(batch, index);
    const answers = await Promise.all(
      chain.custodians.map(async ({ party, custodian }) => ({ custodian: party.actor, answer: await release(held, custodian) })),
    );
    const { contentKey } = await restoreContentKey({
      chain: chain.ledger.chainId,
      permit: held.permit,
      patient: chain.patient.actor,
      number: held.number,
      hpkePrivateKey: held.pair.privateKey,
      answers,
    });
    return contentKey;
  };
  for (const index of [0, 41, COUNT - 1]) assert.deepEqual(await keyOf(index), (records[index] as Sealed).contentKey);

  // A record of its own takes the leaf's place, and ends.
  const held = await permitFor(batch, 41);
  const { record, patient, format, object, custody } = batch.leaves[41] as BatchLeaf;
  const over = await chain.submit(
    chain.a,
    { op: "anchorRecord", record, patient, class: imaging, format, object, custody },
    { op: "endRecord", record },
  );
  assert.equal(over.code, undefined);
  await assert.rejects(release(held, first().custodian), { code: "record_closed" });
  for (const { party, custodian } of chain.custodians) {
    const state = chain.prove(keys.record(record));
    const asked = { chain: chain.ledger.chainId, custodian: party.actor, record, version: 1, state };
    await custodian.erase(erasureRequest(asked));
    await custodian.erase(erasureRequest(asked)); // as after a lost answer
    assert.equal(partsOf(party.actor).length, 2);
  }
  assert.deepEqual(await keyOf(40), (records[40] as Sealed).contentKey);
  assert.deepEqual(await keyOf(42), (records[42] as Sealed).contentKey);
});

test("a folder put back from an old copy is erased again, those of the batch that ended and no other", async () => {
  const own = await openSmallChain({ ownNode: true });
  const before = chain;
  chain = own; // what the helpers here work with
  try {
    const records = someRecords(COUNT);
    const { leaves } = await anchored(records);
    const [one, other] = own.custodians as [SmallChain["custodians"][number], SmallChain["custodians"][number]];
    const folderOf = ({ party }: typeof one): string => join(own.directory, "shares", party.actor);
    for (const custodian of [one, other]) cpSync(folderOf(custodian), `${folderOf(custodian)}.old`, { recursive: true });
    const { record, patient, format, object, custody } = leaves[7] as BatchLeaf;
    const ended = await own.submit(
      own.a,
      { op: "anchorRecord", record, patient, class: imaging, format, object, custody },
      { op: "endRecord", record },
    );
    assert.equal(ended.code, undefined);
    const state = own.prove(keys.record(record));
    await one.custodian.erase(
      erasureRequest({ chain: own.ledger.chainId, custodian: one.party.actor, record, version: 1, state }),
    );
    for (const custodian of [one, other]) {
      rmSync(folderOf(custodian), { recursive: true });
      cpSync(`${folderOf(custodian)}.old`, folderOf(custodian), { recursive: true });
    }
    // One by proofs of its node, the other by its member's ledger; the second look finds nothing left to erase.
    assert.equal(await one.custodian.eraseEnded(), 1);
    assert.equal(await other.custodian.eraseEnded((key) => own.ledger.get(key)), 1);
    assert.equal(await one.custodian.eraseEnded(), 0);
    const kept = { chain: own.ledger.chainId, custodian: one.party.actor, record: leaves[8]?.record as RecordId, version: 1 };
    await assert.rejects(one.custodian.erase(erasureRequest({ ...kept, state: own.prove(keys.record(kept.record)) })), {
      code: "record_unknown",
    });
  } finally {
    chain = before;
    await own.close();
  }
});

test("what is not the committed share, not for this custodian or not signed by the depositor is refused whole", async () => {
  const { custodian, party } = first();
  const before = partsOf(party.actor);
  const refuses = (request: Bytes, code: string) => assert.rejects(custodian.depositMany(request), { code });
  const deposits = await prepare(someRecords(3));
  const right = cbor.decodeTrusted(deposits.request(party.actor, depositor())) as { body: Bytes; signature: Bytes };
  const body = cbor.decodeTrusted(right.body) as Record<string, unknown>;
  const signed = async (change: object): Promise<Bytes> => {
    const changed = cbor.encode({ ...body, ...change });
    return cbor.encode({ body: changed, signature: await chain.a.signer.sign(changed), state: depositor() });
  };
  await refuses(
    deposits.request((chain.custodians[1] as SmallChain["custodians"][number]).party.actor, depositor()),
    "not_a_custodian",
  );
  await refuses(await signed({ index: 1 }), "share_sealed_wrong");
  await refuses(await signed({ shares: 2 }), "share_sealed_wrong");
  await refuses(await signed({ sealed: randomBytes(700) }), "share_sealed_wrong");
  await refuses(await signed({ time: nowSeconds() - 1_000 }), "deposit_stale");
  await refuses(await signed({ shares: MAX_BULK_SHARES + 1 }), "malformed");
  await refuses(cbor.encode({ ...right, signature: randomBytes(64), state: depositor() }), "signature_wrong");
  const stranger = { actor: id<ActorId>(), signer: nodeEd25519Signer(randomBytes(32)) };
  const foreign = await prepare(someRecords(1), { depositor: stranger });
  const nobody = chain.prove(keys.actor(stranger.actor), keys.member(chain.a.member));
  await refuses(foreign.request(party.actor, nobody), "depositor_not_in_force");
  // The last share is another's than the index says: none is kept.
  const bound = { chain: chain.ledger.chainId, custodian: party.actor, index: 0, count: 4, shares: 2 };
  const rows = await Promise.all(
    [0, 1].map(async (n) => {
      const { root, openings } = await splitKey(randomBytes(32), THRESHOLD, 4);
      return { record: id<RecordId>(), commitments: root, opening: openings[n] as ShareOpening };
    }),
  );
  const key = randomBytes(32);
  const sealed = await sealWithNonce(key, new Uint8Array(12), encodeRows(rows), bulkDepositInfo(bound));
  const sealedKey = await hpkeSeal(party.hpke.publicKey, bulkDepositInfo(bound), new Uint8Array(), key);
  await refuses(await signed({ ...bound, sealed, sealedKey }), "share_wrong");
  assert.deepEqual(partsOf(party.actor), before);
  await custodian.depositMany(deposits.request(party.actor, depositor()));
  await custodian.depositMany(deposits.request(party.actor, depositor())); // the same again is no error
  assert.equal(partsOf(party.actor).length, before.length + 2);
});

test("a full deposit passes over HTTP to a custodian in another process, and a restart finds every share", async () => {
  const { custodian, party } = first();
  const records = someRecords(MAX_BULK_SHARES);
  const deposits = await prepare(records);
  let server: Server | undefined;
  try {
    server = await serveCustodian(custodian, { host: "127.0.0.1", port: 0 });
    const { port } = server.address() as { port: number };
    const answer = await remoteCustodian(`http://127.0.0.1:${port}`).depositMany(deposits.request(party.actor, depositor()));
    assert.ok(await deposits.isReceipt(party.actor, answer, [{ suite: "ed25519", key: party.signer.publicKey }]));
  } finally {
    server?.closeAllConnections();
    server?.close();
  }
  const again = new Custodian({
    id: party.actor,
    member: party.member,
    directory: join(chain.directory, "shares", party.actor),
    signer: party.signer,
    hpkePrivateKey: party.hpke.privateKey,
    trust: { genesis: chain.genesis, curves: nodeCurves, now: () => nowSeconds() as UnixSeconds },
  });
  // What it has it takes from no other deposit.
  const other = await prepare([records[7] as Sealed]);
  await assert.rejects(again.depositMany(other.request(party.actor, depositor())), { code: "share_exists" });
});
