/** What guests may do with a store that is lent to them, and what a store service refuses. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { appendFile, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { test } from "node:test";
import { signatureBase, signatureHeaders } from "@xinglin/crypto/http";
import { nodeEd25519Signer } from "@xinglin/crypto/node";
import { toHex } from "@xinglin/primitives";
import { repair } from "../../src/audit.ts";
import { ingest } from "../../src/ingest.ts";
import { Loans } from "../../src/lending/loans.ts";
import { readPass } from "../../src/lending/pass.ts";
import { retrieve } from "../../src/retrieve.ts";
import { NodeStore } from "../../src/store/node-store.ts";
import { stageOwner } from "../../src/store/owner.ts";
import type { Store } from "../../src/store/store.ts";
import { closeWorkers } from "../../src/work/pool.ts";
import { contentBelow, fault, flipBit, temporaryFolder } from "../support/consortium.ts";
import { Lender } from "../support/lender.ts";

test.after(closeWorkers);

async function lend(t: { after(work: () => Promise<void>): void }, options: Parameters<typeof Lender.open>[1] = {}) {
  const folder = await temporaryFolder(t);
  const lender = await Lender.open(folder, options);
  t.after(() => lender.service.close());
  return { folder, lender };
}

async function keep(store: Store, objectId: Uint8Array = randomBytes(16), bytes = 1000): Promise<Uint8Array> {
  const pack = await store.stage(objectId, 2, "import", stageOwner);
  await pack.write(0, randomBytes(bytes));
  await pack.writeDocument("table", randomBytes(20));
  await pack.settle();
  await pack.publish();
  return objectId;
}

test("any member reads, the importer and the lender remove, nobody else", async (t) => {
  const { lender } = await lend(t);
  const [importer, other, owner] = await Promise.all(["importer", "other", "lender"].map((guest) => lender.store(guest)));
  const [first, second] = [await keep(importer!), await keep(importer!)];
  const pack = await other!.open(first);
  assert.equal(await pack!.read(0, new Uint8Array(1000)), true);
  await assert.rejects(other!.remove(first), fault("store_forbidden", { store: "lender-0" }));
  await assert.rejects(pack!.rewrite(0, randomBytes(10)), fault("store_proof_wrong"));
  await assert.rejects(pack!.rewriteDocument("table", randomBytes(10)), fault("store_proof_wrong"));
  await assert.rejects(pack!.settle(0), fault("store_proof_wrong"));
  await importer!.remove(first);
  await owner!.remove(second);
  assert.deepEqual(await other!.list(), []);
  await other!.remove(first); // nothing there any more
});

test("only the chain's owner removes what no loan is written down of", async (t) => {
  const { lender } = await lend(t);
  const objectId = await keep(lender.inner[0]!);
  await assert.rejects((await lender.store("importer")).remove(objectId), fault("store_forbidden"));
  lender.anchors.set(toHex(objectId), { member: "importer", root: randomBytes(32), manifest: randomBytes(32) });
  await (await lender.store("importer")).remove(objectId);
  assert.deepEqual(await lender.inner[0]!.list(), []);
});

test("a member fills its share of a store, and no more", async (t) => {
  const { lender } = await lend(t, { quotaBytes: 10_000 });
  const [store, other] = [await lender.store("importer"), await lender.store("other")];
  assert.equal((await store.room()).freeBytes, 5_000);
  const objectId = await keep(store, undefined, 3_000);
  assert.equal((await store.room()).freeBytes, 1_980);
  const second = await store.stage(randomBytes(16), 0, "import", stageOwner);
  await second.write(0, randomBytes(1_981));
  await assert.rejects(second.settle(), fault("member_quota_reached"));
  await second.discard();
  await keep(other, undefined, 4_000);
  const third = await other.stage(randomBytes(16), 0, "import", stageOwner);
  await third.write(0, randomBytes(900));
  await third.settle();
  await third.discard();
  await store.remove(objectId);
  assert.equal((await store.room()).freeBytes, 5_000);
});

test("what is removed at one store of a lender leaves what its others are being given of the same object", async (t) => {
  const { lender } = await lend(t, { count: 2, quotaBytes: 10_000 });
  const [first, second] = [await lender.store("importer", 0), await lender.store("importer", 1)];
  const objectId = randomBytes(16);
  const [lost, kept] = [
    await first.stage(objectId, 0, "import", stageOwner),
    await second.stage(objectId, 1, "import", stageOwner),
  ];
  await kept.write(0, randomBytes(4_000));
  await first.remove(objectId);
  await kept.settle();
  assert.equal((await first.room()).freeBytes, 5_000, "what is staged at one store takes no room of the others");
  await kept.publish();
  assert.equal(await second.has(objectId), true);
  await lost.write(0, randomBytes(10));
  await assert.rejects(lost.settle(), fault("store_stage_lost"));
});

test("a pack that somebody deleted by hand is gone at once, and can be repaired", async (t) => {
  const { lender } = await lend(t);
  const store = await lender.store("importer");
  const objectId = await keep(store);
  const pack = await store.open(objectId);
  assert.equal(await pack!.read(0, new Uint8Array(10)), true);
  await rm(join(lender.inner[0]!.description.path, "objects", toHex(objectId)), { recursive: true });
  await assert.rejects(pack!.read(0, new Uint8Array(10)), fault("object_unknown"));
  assert.equal(await store.open(objectId), undefined);
  await (await store.stage(objectId, 2, "repair", stageOwner)).discard();
});

test("a full medium says so", async (t) => {
  const { lender } = await lend(t, { quotaBytes: 1_000, memberQuotaBytes: 1_000_000 });
  const store = await lender.store("importer");
  const pack = await store.stage(randomBytes(16), 0, "import", stageOwner);
  await pack.write(0, randomBytes(1_001));
  await assert.rejects(pack.settle(), fault("disk_full", { store: "lender-0" }));
  await pack.discard();
});

test("loans are read again, a line that was cut off is none, and what the store lost is forgotten", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "loans", "one.log");
  const ids = ["a", "b", "c"].map((name) => name.repeat(32));
  const loans = await Loans.open(path, new Set(ids));
  await loans.begin(ids[0]!, "x");
  for (const id of ids) await loans.keep(id, { member: id === ids[2] ? "y" : "x", bytes: 10 });
  await loans.begin(ids[1]!, "z"); // somebody tries the same object again
  await loans.forget(ids[2]!);
  await loans.close();
  await appendFile(path, '{"is":"gone","obj');
  const again = await Loans.open(path, new Set(ids.slice(1)));
  assert.deepEqual([again.of(ids[0]!), again.of(ids[1]!), again.of(ids[2]!)], [undefined, { member: "x", bytes: 10 }, undefined]);
  assert.deepEqual([again.usedBy("x"), again.usedBy("y"), again.begunBy(ids[1]!)], [10, 0, "z"]);
  await again.close();
});

test("a pass that the chain no longer stands behind opens nothing", async (t) => {
  const { lender } = await lend(t);
  lender.suspended.add("importer");
  await assert.rejects((await lender.store("importer")).list(), fault("store_pass_refused"));
});

test("an unsigned request, another host's, one signed for another path, and one sent twice are turned away", async (t) => {
  const { lender } = await lend(t);
  const ask = (headers: Record<string, string>): Promise<{ status: number; code: string }> =>
    new Promise((resolve, reject) => {
      const asking = request(`${lender.url}/v1/stores/lender-0/room`, { headers, agent: false }, (answer) => {
        let text = "";
        answer.on("data", (part) => (text += part));
        answer.on("end", () =>
          resolve({ status: answer.statusCode!, code: text === "" || !text.startsWith("{") ? "" : JSON.parse(text).code }),
        );
      });
      asking.on("error", reject);
      asking.end();
    });
  assert.deepEqual(await ask({}), { status: 401, code: "session_missing" });
  assert.deepEqual(await ask({ host: "other.example" }), { status: 421, code: "host_unknown" });

  const { access } = (await lender.store("importer")).description;
  const known = new NodeStore({ ...(await lender.store("importer")).description, access: access! });
  await known.room(); // the service knows the pass now
  const parameters = {
    created: Math.floor(Date.now() / 1000),
    nonce: new Uint8Array(randomBytes(16)),
    session: readPass(access!.pass).id,
    suite: "ed25519",
    hasBody: false,
  } as const;
  const parts = { method: "GET", authority: new URL(lender.url).host, path: "/v1/stores/lender-0/room", query: "" };
  const sign = (path: string) =>
    signatureHeaders(parameters, nodeEd25519Signer(access!.seed).signSync(signatureBase({ ...parts, path }, parameters)));
  assert.deepEqual(await ask(sign("/v1/stores/lender-0/objects")), { status: 401, code: "request_signature_wrong" });
  assert.equal((await ask(sign(parts.path))).status, 200);
  assert.equal((await ask(sign(parts.path))).code, "request_replayed");
});

test("who names another's object under a root of its own puts nothing of its own into it", async (t) => {
  const [{ lender }, { lender: elsewhere }] = [await lend(t, { count: 2 }), await lend(t, { count: 2 })];
  const [mine, theirs] = await Promise.all(
    ["importer", "other"].map(async (guest) => [await lender.store(guest), await lender.store(guest, 1)]),
  );
  const code = { k: 1, m: 1 };
  const objectId = randomBytes(16);
  const { reference } = await ingest([{ path: "x", content: randomBytes(2_000) }], { stores: mine!, code, objectId });
  const forged = await ingest([{ path: "x", content: randomBytes(2_000) }], { stores: elsewhere.inner, code, objectId });
  const name = toHex(objectId);
  // The other was first on the chain, in the moment between the pieces' arrival and the anchor.
  lender.anchors.set(name, { member: "other", ...forged.reference });
  lender.anchors.set(`importer/${name}`, { member: "importer", ...reference });
  const packs = await Promise.all([mine![0], elsewhere.inner[0], theirs![0]].map((store) => store!.open(objectId)));
  const [own, foreign, attacked] = packs.map((pack) => pack!);
  const table = (await foreign!.readDocument("table", 1 << 20))!;
  const piece = new Uint8Array(1_000);
  assert.ok(await foreign!.read(0, piece));
  await assert.rejects(attacked!.rewriteDocument("table", table), fault("store_proof_wrong"));
  await assert.rejects(attacked!.rewrite(0, piece), fault("store_proof_wrong"));
  // What the owner's root names may be put there.
  await attacked!.rewriteDocument("table", (await own!.readDocument("table", 1 << 20))!);
});

test("another member repairs what the root names, in place and whole packs, and the object is still its owner's", async (t) => {
  const { folder, lender } = await lend(t, { count: 14 });
  const all = async (guest: string): Promise<Store[]> => {
    const first = await lender.store(guest);
    return await Promise.all(lender.inner.map(async (_, i) => (i === 0 ? first : await lender.store(guest, i))));
  };
  const content = randomBytes(3_000_000);
  const { objectId, key, reference } = await ingest([{ path: "x", content }], { stores: await all("importer") });
  lender.anchors.set(toHex(objectId), { member: "importer", root: reference.root, manifest: reference.manifest });
  const folderOf = (i: number): string => join(lender.inner[i]!.description.path, "objects", toHex(objectId));
  const packOf = async (i: number): Promise<string> =>
    join(folderOf(i), [...(await contentBelow(folderOf(i))).keys()].find((name) => name.startsWith("pieces."))!);
  await flipBit(await packOf(3), 100);
  await flipBit(join(folderOf(3), "table"), 200);
  await flipBit(join(folderOf(4), "manifest"), 10);
  await rm(folderOf(5), { recursive: true });
  const { after, repaired } = await repair(reference, objectId, await all("other"));
  assert.equal(after.intact, true);
  assert.equal(repaired.length, 3);
  await (await lender.store("importer", 6)).remove(objectId);
  const out = join(folder, "out");
  const { troubles } = await retrieve(reference, objectId, key, await all("third"), out);
  assert.deepEqual(
    troubles.map(({ store, kind }) => [store, kind]),
    [["lender-6", "no_pack"]],
  );
  assert.deepEqual((await contentBelow(out)).get("x"), content);
  await assert.rejects((await lender.store("other", 5)).remove(objectId), fault("store_forbidden"));
  await (await lender.store("importer", 5)).remove(objectId);
});
