import assert from "node:assert/strict";
import { cpSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { encodeBatchLeaf, keys, type Operation } from "@xinglin/contracts";
import { hpkeKeyPair, randomBytes } from "@xinglin/crypto";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { cometbft, merkle } from "@xinglin/crypto/pure";
import { type ProvenState, remoteCustodian, serveCustodian } from "@xinglin/custody";
import { erasureRequest, prepareDeposits, releaseRequest, restoreContentKey } from "@xinglin/custody/client";
import { type ActorId, type Bytes, cbor, type Height, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import { id, nowSeconds, openSmallChain, type Party, type SmallChain, THRESHOLD } from "./small-chain.ts";

let chain: SmallChain;
let clockOffset = 0;
before(async () => {
  chain = await openSmallChain({ now: () => (nowSeconds() + clockOffset) as UnixSeconds });
});
after(() => chain.close());

const inAnHour = (): UnixSeconds => (nowSeconds() + 3600) as UnixSeconds;

type Held = Awaited<ReturnType<SmallChain["permit"]>>;

const keysOf = (c: SmallChain, held: Held): string[] => [
  keys.access(c.patient.actor, held.number),
  keys.consentHead(c.patient.actor),
  keys.actor(c.doctor.actor),
  keys.member(c.doctor.member),
  keys.credential(c.credential),
  keys.record(c.record),
  ...c.custodians.map(({ party }) => keys.custodian(party.actor)),
];

function ask(c: SmallChain, held: Held, i: number, change: Partial<Parameters<typeof releaseRequest>[0]> = {}): Promise<Bytes> {
  const { party, custodian } = c.custodians[i] as (typeof c.custodians)[number];
  return custodian.release(
    releaseRequest({
      chain: c.ledger.chainId,
      custodian: party.actor,
      patient: c.patient.actor,
      number: held.number,
      hpke: held.pair.publicKey,
      state: c.prove(...keysOf(c, held)),
      ...change,
    }),
  );
}
const refuses = (promise: Promise<unknown>, code: string): Promise<void> => assert.rejects(promise, { code });

test("a permit opens the key with a threshold of shares, and fewer do not", async () => {
  const held = await chain.permit();
  const answers = await Promise.all(
    chain.custodians.map(async ({ party }, i) => ({ custodian: party.actor, answer: await ask(chain, held, i) })),
  );
  const options = {
    chain: chain.ledger.chainId,
    permit: held.permit,
    patient: chain.patient.actor,
    number: held.number,
    hpkePrivateKey: held.pair.privateKey,
  };
  const { contentKey, wrong } = await restoreContentKey({ ...options, answers: answers.slice(1) });
  assert.deepEqual(Buffer.from(contentKey), Buffer.from(chain.contentKey));
  assert.deepEqual(wrong, []);
  await refuses(restoreContentKey({ ...options, answers: answers.slice(0, THRESHOLD - 1) }), "too_few_shares");

  // One custodian hands out another's answer: it is named, and the others suffice.
  const swapped = answers.map((answer, i) =>
    i === 0 ? { custodian: answer.custodian, answer: (answers[1] as (typeof answers)[0]).answer } : answer,
  );
  assert.deepEqual((await restoreContentKey({ ...options, answers: swapped })).wrong, [answers[0]?.custodian]);

  // The custodian's receipt is a transaction that the chain accepts, once.
  const { transaction } = cbor.decodeTrusted((answers[0] as (typeof answers)[0]).answer) as { transaction: Bytes };
  const { id } = await chain.ledger.submit(transaction);
  const receipt = await chain.ledger.receipt(id, "committed");
  assert.equal(receipt.results[0]?.outcome, "accepted");
});

test("a swapped HPKE key, another patient's or an unknown permit is refused", async () => {
  const held = await chain.permit();
  await refuses(ask(chain, held, 0, { hpke: (await hpkeKeyPair()).publicKey }), "hpke_not_pinned");
  await refuses(ask(chain, held, 0, { number: held.number + 1000 }), "proof_missing");
  const absent = keys.access(chain.patient.actor, held.number + 1000);
  await refuses(ask(chain, held, 0, { number: held.number + 1000, state: chain.prove(absent) }), "permit_missing");
  await refuses(ask(chain, held, 0, { custodian: "custodian-9" as ActorId }), "not_a_custodian");
});

test("forged, stale and foreign headers are refused", async () => {
  const held = await chain.permit();
  const state = chain.prove(...keysOf(chain, held));
  const block = cometbft.decodeLightBlock(state.lightBlock);
  const forged = (change: Partial<typeof block.header>): ProvenState => ({
    ...state,
    lightBlock: cometbft.encodeLightBlock({ ...block, header: { ...block.header, ...change } }),
  });
  await refuses(ask(chain, held, 0, { state: forged({ appHash: new Uint8Array(32) }) }), "header_unverified");
  await refuses(
    ask(chain, held, 0, { state: forged({ time: { seconds: block.header.time.seconds + 1, nanos: 0 } }) }),
    "header_unverified",
  );
  await refuses(ask(chain, held, 0, { state: { ...state, height: (state.height + 1) as Height } }), "proof_wrong");
  const [first, ...rest] = state.proofs as [ProvenState["proofs"][number], ...ProvenState["proofs"]];
  const otherValue = { ...first, value: (first.value as Bytes).map((byte, i) => (i === 9 ? byte ^ 1 : byte)) };
  await refuses(ask(chain, held, 0, { state: { ...state, proofs: [otherValue, ...rest] } }), "proof_wrong");
  const { value: _, ...claimedAbsent } = first;
  await refuses(ask(chain, held, 0, { state: { ...state, proofs: [claimedAbsent, ...rest] } }), "proof_wrong");

  clockOffset = 11;
  await refuses(ask(chain, held, 0, { state }), "header_stale");
  clockOffset = -60;
  await refuses(ask(chain, held, 0, { state }), "header_stale");
  clockOffset = 0;

  const other = await openSmallChain({ name: "other" });
  try {
    const foreign = await other.permit();
    await refuses(ask(chain, held, 0, { state: other.prove(...keysOf(other, foreign)) }), "header_unverified");
    await refuses(ask(chain, held, 0, { chain: other.ledger.chainId }), "wrong_chain");
  } finally {
    await other.close();
  }
});

test("a permit from before a revocation is refused after it, with old proofs too", async () => {
  const held = await chain.permit();
  const before = chain.prove(...keysOf(chain, held));
  await chain.submit(chain.patient, {
    op: "grantConsent",
    patient: chain.patient.actor,
    terms: {
      effect: "deny",
      grantees: [{ kind: "institution", member: chain.a.member }],
      purposes: ["HRESCH"],
      categories: ["genome"],
      levels: ["core"],
      notBefore: nowSeconds(),
      notAfter: (nowSeconds() + 3600) as UnixSeconds,
    },
    pointers: [],
  });
  await refuses(ask(chain, held, 0), "consent_restricted");
  await refuses(ask(chain, held, 0, { state: before }), "header_superseded");
  await ask(chain, await chain.permit(), 0); // a new permit under the new head is fine
});

test("a custodian that the committee retired releases what it keeps, and is named in no new custody", async () => {
  const own = await openSmallChain();
  try {
    const retired = own.custodians[0]!.party.actor;
    const proposal: Operation = {
      op: "proposeChange",
      id: id(),
      action: { kind: "retireCustodian", custodian: retired },
      notAfter: inAnHour(),
    };
    // The committee is hospital A alone: its proposal passes at once.
    assert.equal((await own.submit(own.a, proposal)).code, undefined);
    await ask(own, await own.permit(), 0);
    const custody = { epoch: 2, threshold: 3, custodians: own.custodians.map(({ party }) => party.actor) };
    const refresh: Operation = {
      op: "refreshCustody",
      record: own.record,
      version: 1,
      custody: { ...custody, commitments: randomBytes(32) },
    };
    assert.equal((await own.submit(own.a, refresh)).code, "custodian_retired");
  } finally {
    await own.close();
  }
});

test("with its own node a custodian looks at the newest state, whatever the caller brings", async () => {
  const own = await openSmallChain({ ownNode: true });
  try {
    const held = await own.permit();
    const before = own.prove(...keysOf(own, held));
    await ask(own, held, 0, { state: before });
    await own.submit(own.b, { op: "setCredentialStatus", id: own.credential, status: "suspended" });
    await refuses(ask(own, held, 0, { state: before }), "credential_not_in_force");
    await own.submit(own.b, { op: "setCredentialStatus", id: own.credential, status: "active" });
    await ask(own, held, 0, { state: before });
    await own.submit(own.b, { op: "setActorStatus", id: own.doctor.actor, status: "suspended" });
    await refuses(ask(own, held, 0, { state: before }), "grantee_suspended");
  } finally {
    await own.close();
  }
});

test("a custodian whose own node is a block behind waits for it, and says so if it stays behind", async () => {
  const answers: ProvenState[] = [];
  const own = await openSmallChain({ ownNode: true, behind: () => answers.pop() });
  try {
    const first = await own.permit();
    const before = own.prove(...keysOf(own, { ...first, number: first.number + 1 }));
    const held = await own.permit();
    answers.push(before, before);
    await ask(own, held, 0);
    assert.equal(answers.length, 0);
    answers.push(...Array.from({ length: 100 }, () => before));
    await refuses(ask(own, held, 0), "header_superseded");
  } finally {
    await own.close();
  }
});

test("a withdrawn record is closed, an ended one is erased for good", async () => {
  const own = await openSmallChain();
  try {
    const held = await own.permit();
    const first = own.custodians[0] as (typeof own.custodians)[number];
    const erasure = (): Promise<Bytes> =>
      first.custodian.erase(
        erasureRequest({
          chain: own.ledger.chainId,
          custodian: first.party.actor,
          record: own.record,
          version: 1,
          state: own.prove(keys.record(own.record)),
        }),
      );
    await refuses(erasure(), "record_in_force");
    await own.submit(own.a, { op: "endRecord", record: own.record });
    await refuses(ask(own, held, 1), "record_closed");
    const { transaction } = cbor.decodeTrusted(await erasure()) as { transaction: Bytes };
    const { id } = await own.ledger.submit(transaction);
    assert.equal((await own.ledger.receipt(id, "committed")).results[0]?.outcome, "accepted");
    await erasure(); // again is no error
    const left = readdirSync(join(own.directory, "shares", first.party.actor));
    assert.deepEqual(
      left.map((name) => name.split(".").at(-1)),
      ["erased"],
    );
  } finally {
    await own.close();
  }
});

test("the same custodian over HTTP gives the same answers and codes", async () => {
  const held = await chain.permit();
  const { party, custodian } = chain.custodians[0] as (typeof chain.custodians)[number];
  const server = await serveCustodian(custodian, { host: "127.0.0.1", port: 0 });
  try {
    const { port } = server.address() as { port: number };
    const remote = remoteCustodian(`http://127.0.0.1:${port}`);
    const request = (hpke: Bytes): Bytes =>
      releaseRequest({
        chain: chain.ledger.chainId,
        custodian: party.actor,
        patient: chain.patient.actor,
        number: held.number,
        hpke,
        state: chain.prove(...keysOf(chain, held)),
      });
    assert.ok((await remote.release(request(held.pair.publicKey))).length > 0);
    await refuses(remote.release(request((await hpkeKeyPair()).publicKey)), "hpke_not_pinned");
    await refuses(remote.release(Uint8Array.of(0xff)), "malformed");
    await refuses(remote.release(new Uint8Array(1_048_577)), "malformed");
  } finally {
    server.close();
    server.closeAllConnections();
  }
  await refuses(remoteCustodian("http://127.0.0.1:9").release(Uint8Array.of(1)), "custodian_unreachable");
});

test("another member's leaf with this record's id and commitments opens no share of it", async () => {
  const own = await openSmallChain();
  try {
    const accepted = async (by: Party, ...operations: Operation[]): Promise<number> => {
      const { code, number } = await own.submit(by, ...operations);
      assert.equal(code, undefined);
      return number;
    };
    // Hospital B has a patient whose key it holds itself, and copies what the chain shows of A's record into a leaf of its own.
    const puppet: Party = {
      ...own.patient,
      actor: id<ActorId>(),
      member: own.b.member,
      signer: nodeEd25519Signer(randomBytes(32)),
    };
    const enrolment = { publicKey: { suite: "ed25519" as const, key: puppet.signer.publicKey }, notAfter: inAnHour() };
    await accepted(own.b, { op: "registerPatient", id: puppet.actor, enrolment });
    const kept = nodeEd25519Signer(randomBytes(32));
    await accepted(puppet, { op: "enrolKey", publicKey: { suite: "ed25519", key: kept.publicKey } });
    const { permit } = await own.permit();
    const leaf = {
      salt: randomBytes(32),
      record: own.record,
      patient: puppet.actor,
      class: permit.class,
      format: "dicom" as const,
      object: permit.object,
      custody: permit.custody,
    };
    const root = merkle.leafHash(encodeBatchLeaf(leaf));
    await accepted(own.b, { op: "anchorBatch", root, count: 1 });
    await accepted(
      { ...puppet, signer: kept },
      {
        op: "grantConsent",
        patient: puppet.actor,
        terms: {
          effect: "permit",
          grantees: [{ kind: "institution", member: own.b.member }],
          purposes: ["TREAT"],
          categories: ["imaging"],
          levels: ["sensitive"],
          notBefore: (nowSeconds() - 60) as UnixSeconds,
          notAfter: inAnHour(),
        },
        pointers: [],
      },
    );
    const pair = await hpkeKeyPair();
    const target = { kind: "batch" as const, root, leaf, index: 0, path: [] };
    const asked = { patient: puppet.actor, purpose: "TREAT" as const, class: permit.class, target, credential: own.credential };
    const number = await accepted(own.doctor, { op: "requestAccess", ...asked, hpke: pair.publicKey });
    const thief: SmallChain = { ...own, patient: puppet };
    await refuses(ask(thief, { number, permit, pair }, 0), "share_missing");
    await ask(own, await own.permit(), 0); // and A's own record opens as before
  } finally {
    await own.close();
  }
});

test("a folder put back from an old copy is erased again, by what the chain proves", async () => {
  const own = await openSmallChain({ ownNode: true });
  try {
    const [first, second] = own.custodians as [(typeof own.custodians)[number], (typeof own.custodians)[number]];
    const folderOf = ({ party }: typeof first): string => join(own.directory, "shares", party.actor);
    const kinds = (one: typeof first): string[] =>
      readdirSync(folderOf(one))
        .map((name) => name.split(".").at(-1) ?? "")
        .sort();
    assert.equal(await first.custodian.eraseEnded(), 0, "what is in force stays");
    assert.deepEqual(kinds(first), ["key", "share"]);
    for (const one of [first, second]) cpSync(folderOf(one), `${folderOf(one)}.old`, { recursive: true });

    await own.submit(own.a, { op: "endRecord", record: own.record });
    const state = own.prove(keys.record(own.record));
    const { ledger, record } = own;
    const request = { chain: ledger.chainId, custodian: first.party.actor, record, version: 1, state };
    await first.custodian.erase(erasureRequest(request));
    for (const one of [first, second]) {
      rmSync(folderOf(one), { recursive: true });
      cpSync(`${folderOf(one)}.old`, folderOf(one), { recursive: true });
      assert.deepEqual(kinds(one), ["key", "share"]);
    }
    // One erased before, the other was never reached; one asks its node for proofs, the other reads its member's ledger.
    assert.equal(await first.custodian.eraseEnded(), 1);
    assert.equal(await second.custodian.eraseEnded((key) => ledger.get(key)), 1);
    for (const one of [first, second]) assert.deepEqual(kinds(one), ["erased"]);
    assert.equal(await first.custodian.eraseEnded(), 0);
  } finally {
    await own.close();
  }
  const alone = await openSmallChain();
  try {
    await refuses((alone.custodians[0] as (typeof alone.custodians)[number]).custodian.eraseEnded(), "ledger_unavailable");
  } finally {
    await alone.close();
  }
});

test("after a refresh of the custody, permits of the epoch before open nothing, and the end erases both epochs", async () => {
  const own = await openSmallChain();
  try {
    const held = await own.permit();
    const recipients = own.custodians.map(({ party }) => ({ id: party.actor, hpke: party.hpke.publicKey }));
    const deposits = await prepareDeposits({
      chain: own.ledger.chainId,
      record: own.record,
      version: 1,
      epoch: 2,
      contentKey: own.contentKey,
      threshold: THRESHOLD,
      recipients,
      depositor: own.a,
      time: nowSeconds(),
    });
    const depositor = (): ProvenState => own.prove(keys.actor(own.a.actor), keys.member(own.a.member));
    for (const { party, custodian } of own.custodians) await custodian.deposit(deposits.request(party.actor, depositor()));
    const refreshed = await own.submit(own.a, {
      op: "refreshCustody",
      record: own.record,
      version: 1,
      custody: deposits.custody,
    });
    assert.equal(refreshed.code, undefined);
    await refuses(ask(own, held, 0), "record_closed");
    await ask(own, await own.permit(), 0);
    await own.submit(own.a, { op: "endRecord", record: own.record });
    const { party, custodian } = own.custodians[0] as (typeof own.custodians)[number];
    const state = own.prove(keys.record(own.record));
    await custodian.erase(
      erasureRequest({ chain: own.ledger.chainId, custodian: party.actor, record: own.record, version: 1, state }),
    );
    const left = readdirSync(join(own.directory, "shares", party.actor));
    assert.deepEqual(new Set(left.map((name) => name.split(".").at(-1))), new Set(["erased"]));
  } finally {
    await own.close();
  }
});

test("a patient can not deposit", async () => {
  const { party, custodian } = chain.custodians[0] as (typeof chain.custodians)[number];
  const deposits = await prepareDeposits({
    chain: chain.ledger.chainId,
    record: id<RecordId>(),
    version: 1,
    epoch: 1,
    contentKey: randomBytes(32),
    threshold: 2,
    recipients: chain.custodians.slice(0, 2).map((one) => ({ id: one.party.actor, hpke: one.party.hpke.publicKey })),
    depositor: chain.patient,
    time: nowSeconds(),
  });
  const state = chain.prove(keys.actor(chain.patient.actor), keys.member(chain.patient.member));
  await refuses(custodian.deposit(deposits.request(party.actor, state)), "depositor_not_in_force");
});
