/** What a hospital believes of a server that lies: nothing that the chain does not prove. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ApiClient, sealPointer, TrustedChain } from "@xinglin/client";
import { decodeGenesis, encodeGenesis } from "@xinglin/contracts";
import { hpkeKeyPair } from "@xinglin/crypto";
import {
  chainFacts,
  chainStores,
  keepRecord,
  knownStores,
  lendStore,
  listCustodians,
  listLentStores,
  openGrants,
  readKeyFile,
} from "@xinglin/gateway";
import { administrationKey } from "@xinglin/member";
import { type ActorId, type Bytes, cbor, type MemberId, type RecordId, toBase64url } from "@xinglin/primitives";
import { consent, openTestStage, type TestStage } from "./open-stage.ts";

let stage: TestStage;
let own: Bytes;
before(async () => {
  stage = await openTestStage();
  own = (await hpkeKeyPair()).publicKey;
});
after(() => stage.close());

const B = "hospital-b" as MemberId;

/** A client whose answers `change` may replace, by their path. */
function lied(change: (path: string, answer: Bytes) => Bytes | Promise<Bytes>, chainId?: string): ApiClient {
  return new ApiClient({
    url: stage.client.url,
    ...(chainId === undefined ? {} : { chainId }),
    fetch: async (input, init) => {
      const answer = await fetch(input, init);
      const body = await change(
        new URL(String(input)).pathname + new URL(String(input)).search,
        new Uint8Array(await answer.arrayBuffer()),
      );
      return new Response(body as Uint8Array<ArrayBuffer>, { status: answer.status, headers: answer.headers });
    },
  });
}
const ownKeyAt =
  (kind: string) =>
  (path: string, answer: Bytes): Bytes => {
    if (!path.startsWith(`/v1/state?key=${kind}%2F`)) return answer;
    const proof = cbor.decodeTrusted(answer) as { value: Bytes };
    const value = { ...(cbor.decodeTrusted(proof.value) as object), hpke: own };
    return cbor.encode({ ...proof, value: cbor.encode(value) });
  };
const json = (value: unknown): Bytes => new TextEncoder().encode(JSON.stringify(value));

test("shares are sealed to the custodians of the genesis, with the keys that the state proves", async () => {
  const by = stage.key("hospital-a/radiographer");
  const honest = await listCustodians(stage.client, by);
  const { custodians } = decodeGenesis(stage.consortium.ledger.genesis);
  assert.deepEqual(new Set(honest.map(({ id }) => id)), new Set(custodians.map(({ id }) => id)));

  // The server's own list, with its key or with one custodian alone, changes nothing.
  const list = [{ id: custodians[0]?.id, hpke: toBase64url(own), status: "active" }];
  const listed = lied((path, answer) => (path === "/v1/custodians" ? json(list) : answer));
  assert.deepEqual(await listCustodians(listed, by), honest);

  const substituted = lied(ownKeyAt("custodian"), stage.consortium.ledger.chainId);
  await assert.rejects(listCustodians(substituted, by), { code: "proof_wrong" });
  const files = [{ content: Uint8Array.of(1), path: "a", mediaType: "application/dicom" }];
  const kept = keepRecord(
    { ...stage.gateway, client: substituted },
    { by, record: "00".repeat(16) as RecordId, version: 1, files },
  );
  await assert.rejects(kept, { code: "proof_wrong" });

  // A server that keeps the shares to itself and says that all is well.
  const swallowing = lied((path, answer) =>
    path.endsWith("/deposits") ? cbor.encode({ receipt: own.subarray(0, 64), signature: own.subarray(64, 128) }) : answer,
  );
  const swallowed = keepRecord(
    { ...stage.gateway, client: swallowing },
    { by, record: "00".repeat(16) as RecordId, version: 1, files },
  );
  await assert.rejects(swallowed, ({ code, facts }) => code === "deposits_refused" && facts.codes === "signature_wrong");
});

test("pieces go where the chain says that stores are: none invented, none kept back, no node made better or worse", async () => {
  const lender = readKeyFile(administrationKey(stage.data, B));
  const terms = { kind: "directory", site: { building: "b", city: "b", power: "b" }, quotaMegabytes: 1_000 } as const;
  await lendStore(stage.client, lender, { ...terms, id: "b-lent", url: "https://b.example" });
  const by = stage.key("hospital-a/radiographer");
  const { offered } = await chainFacts(stage.gateway, by);
  assert.deepEqual([...offered.keys()], ["b-lent"]);

  const hidden = lied((path, answer) => (path === "/v1/stores" ? json([]) : answer));
  await assert.rejects(chainFacts({ client: hidden }, by), { code: "proof_wrong" });
  for (const key of ["election", "store", "store%2Fb-lent"]) {
    const changed = lied((path, answer) => {
      if (path.replace(/&height=\d+$/, "") !== `/v1/state?key=${key}`) return answer;
      const proof = cbor.decodeTrusted(answer) as { value: Bytes };
      return cbor.encode({ ...proof, value: Uint8Array.of(...proof.value, 0) });
    });
    await assert.rejects(chainFacts({ client: changed }, by), { code: "proof_wrong" }, key);
  }
  // One that the server names and the chain does not have is never asked to take anything.
  const listed = await listLentStores(stage.client);
  const invented = lied((path, answer) =>
    path === "/v1/stores" ? json([...listed, { ...listed[0], id: "invented", url: "https://own.example" }]) : answer,
  );
  const stores = chainStores(invented, stage.consortium.ledger.chainId, []);
  const { writable } = await stores(by);
  assert.deepEqual(writable.map(({ id }) => id).sort(), ["b-lent", "invented"]);
  const known = await knownStores(writable, await chainFacts({ client: invented }, by));
  assert.deepEqual(
    known.map(({ store }) => store.id),
    ["b-lent"],
  );
});

test("a pseudonym is sealed to the grantee's proven key", async () => {
  const honest = await TrustedChain.of(stage.client);
  const { hpke } = await honest.member(stage.patient.atA, B);
  assert.notDeepEqual(hpke, own);
  const chain = await TrustedChain.of(lied(ownKeyAt("member")), honest.chainId);
  await assert.rejects(chain.member(stage.patient.atA, B), { code: "proof_wrong" });
  await assert.rejects(honest.member(stage.patient.atA, "hospital-9" as MemberId), { code: "unknown_member" });
});

test("another genesis is found out by the chain that was expected", async () => {
  const { ledger } = stage.consortium;
  const other = encodeGenesis({ ...decodeGenesis(ledger.genesis), name: "other" });
  const swapped = (path: string, answer: Bytes): Bytes => (path === "/v1/genesis" ? other : answer);
  await assert.rejects(lied(swapped, ledger.chainId).genesis(), { code: "wrong_chain" });
  await assert.rejects(TrustedChain.of(lied(swapped), ledger.chainId), { code: "wrong_chain" });
});

test("a pointer counts only as part of a directive that the chain proves", async () => {
  const by = stage.key("hospital-b/doctor");
  const { hpkeSeed } = readKeyFile(administrationKey(stage.data, B));
  assert.ok(hpkeSeed !== undefined);
  const number = await consent(stage, stage.patient.atA, ["imaging"]);
  const honest = await openGrants(stage.client, by, hpkeSeed);
  assert.deepEqual(
    honest.map((grant) => [grant.patient, grant.number]),
    [[stage.patient.atA.actor, number]],
  );

  // The server seals a pointer of its own, which says that the patient is another one of B's.
  const { chainId } = stage.consortium.ledger;
  const { hpke } = await (await TrustedChain.of(stage.client)).member(by, B);
  const { sealed } = await sealPointer(
    chainId,
    { id: B, hpke },
    { source: "hospital-a" as MemberId, patient: stage.patient.atA.actor, local: "00".repeat(16) as ActorId },
  );
  const forged = (count: number) =>
    lied((path, answer) => {
      if (!path.startsWith("/v1/grants")) return answer;
      const { items } = JSON.parse(new TextDecoder().decode(answer));
      items[0].pointers = [{ member: B, sealed: toBase64url(sealed) }];
      items[0].number = count;
      return json({ items });
    });
  assert.deepEqual(await openGrants(forged(number), by, hpkeSeed), honest);
  const invented = await openGrants(forged(number + 1), by, hpkeSeed).catch(({ code }) => code);
  assert.ok(invented === "not_visible" || (Array.isArray(invented) && invented.length === 0), "a directive that is not there");
});
