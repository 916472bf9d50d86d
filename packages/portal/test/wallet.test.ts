import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiClient, type EnrolmentLink } from "@xinglin/client";
import { CATEGORIES, encodeGenesis, type Genesis, LEVELS, SOLO_ELECTION } from "@xinglin/contracts";
import { randomBytes } from "@xinglin/crypto";
import { type ActorId, Fault, type MemberId, toHex } from "@xinglin/primitives";
import { Attention } from "../src/wallet/attention.ts";
import { makeDeviceKey } from "../src/wallet/device-key.ts";
import { enrolAll } from "../src/wallet/enrol.ts";
import type { Holding } from "../src/wallet/holding.ts";
import type { WalletStore } from "../src/wallet/store.ts";
import { Wallet } from "../src/wallet/wallet.ts";

/** Keeps holdings as IndexedDB does, without a browser. */
function memoryStore(): WalletStore {
  const kept = new Map<string, Holding>();
  return {
    all: async () => [...kept.values()],
    put: async (holding) => void kept.set(holding.patient, holding),
    remove: async (patient) => void kept.delete(patient),
    clear: async () => kept.clear(),
  };
}
const genesis = encodeGenesis({
  type: "xinglin-genesis/1",
  name: "wallet-test",
  time: 1_800_000_000,
  parameters: {
    maxValiditySeconds: 600,
    maxValidityBlocks: 10_000,
    maxBlockGapSeconds: 10,
    permitSeconds: 600,
    memberQuota: 10_000,
    maxTransactionBytes: 1_048_576,
    maxBlockBytes: 4_194_304,
    logEpochEntries: 1024,
    election: SOLO_ELECTION,
    webauthn: { origins: ["http://localhost"], rpIdHash: new Uint8Array(32) },
  },
  members: [
    {
      id: "hospital-a",
      member: { kind: "hospital", name: { zh: "甲", en: "A" }, status: "active", hpke: new Uint8Array(1216) },
      key: { suite: "ed25519", key: randomBytes(32) },
    },
  ],
  custodians: [
    { id: "custodian-a", member: "hospital-a", key: { suite: "ed25519", key: randomBytes(32) }, hpke: new Uint8Array(1216) },
  ],
  validators: [{ publicKey: randomBytes(32), power: 1, member: "hospital-a" }],
  matrix: LEVELS.flatMap((level) => CATEGORIES.map((category) => ({ level, category, basis: "consent" }))),
} as unknown as Genesis);

/** A server of which only the answer to transactions matters. */
const server = (onTransaction: () => Response): ApiClient =>
  new ApiClient({
    url: "http://localhost",
    fetch: async (input) => {
      const { pathname } = new URL(String(input));
      if (pathname === "/v1/genesis") return new Response(genesis as Uint8Array<ArrayBuffer>);
      if (pathname === "/v1/status") return Response.json({ height: 1, newestBlockTime: 1 });
      return onTransaction();
    },
  });
const receipt = (result: object): Response => Response.json({ receipt: { id: "00", height: 1, time: 1, results: [result] } });
const problem = (code: string, retry: boolean): Response => Response.json({ code, facts: {}, retry }, { status: 503 });

const linkFor = async (client: ApiClient): Promise<EnrolmentLink> => ({
  chain: (await client.genesis()).chainId,
  pseudonyms: [{ patient: toHex(randomBytes(16)) as ActorId, member: "hospital-a" as MemberId, seed: randomBytes(32) }],
});
const open = (store: WalletStore): Promise<Wallet> => Wallet.open(store, new Attention());

test("an accepted enrolment stays over a restart", async () => {
  const store = memoryStore();
  const client = server(() => receipt({ outcome: "accepted", subject: {} }));
  const link = await linkFor(client);
  await enrolAll(client, await open(store), link, makeDeviceKey);
  const [holding] = (await open(store)).holdings;
  assert.equal(holding?.state, "enrolled");
  assert.equal(holding?.chain, link.chain);
});

test("a refused enrolment leaves no key; one whose answer was lost keeps it pending", async () => {
  for (const [answer, code, states] of [
    [() => receipt({ outcome: "refused", code: "enrolment_over", facts: {}, subject: {} }), "enrolment_over", []],
    [() => problem("unknown_key", false), "unknown_key", []],
    [() => problem("ledger_unavailable", true), "ledger_unavailable", ["pending"]],
    [() => Response.json({ id: "00" }, { status: 202 }), "receipt_missing", ["pending"]],
  ] as const) {
    const store = memoryStore();
    const client = server(answer);
    const wallet = await open(store);
    await assert.rejects(enrolAll(client, wallet, await linkFor(client), makeDeviceKey), { code });
    assert.deepEqual(
      (await store.all()).map(({ state }) => state),
      states,
      code,
    );
  }
});

test("a link of another chain makes no key at all", async () => {
  const client = server(() => receipt({ outcome: "accepted", subject: {} }));
  const wallet = await open(memoryStore());
  const link = { ...(await linkFor(client)), chain: "other-000000000000" };
  await assert.rejects(
    enrolAll(client, wallet, link, () => assert.fail("no key is needed")),
    (error) => error instanceof Fault && error.code === "wrong_chain",
  );
});

test("after a server was set up anew, the pseudonyms of its chain count and the old are kept aside", async () => {
  const wallet = await open(memoryStore());
  const { key } = await makeDeviceKey();
  const holding = (patient: string, chain: string, addedAt: number): Holding => ({
    patient: patient.repeat(32) as ActorId,
    member: "hospital-a" as MemberId,
    chain,
    state: "enrolled",
    key,
    addedAt,
  });
  await wallet.put(holding("a", "old", 1));
  await wallet.put(holding("b", "new", 3));
  await wallet.put(holding("c", "new", 2));
  assert.deepEqual(
    wallet.current.map(({ chain }) => chain),
    ["new", "new"],
  );
  assert.equal(wallet.holdings.length, 3);
  await wallet.forget();
  assert.deepEqual(wallet.current, []);
});
