/** Everything that is done with an object, under SM4 and SM3; and that no profile passes for another. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, type TestContext, test } from "node:test";
import { cbor, toHex } from "@xinglin/primitives";
import { auditPossession, repair } from "../../src/audit.ts";
import { destroyObject, isUndecodable } from "../../src/destroy.ts";
import { type Ingested, ingest } from "../../src/ingest.ts";
import { type Manifest, sealManifest } from "../../src/manifest.ts";
import { movePack } from "../../src/move-pack.ts";
import { packRecords } from "../../src/packs/pack-records.ts";
import { retrieveRecord } from "../../src/packs/read-record.ts";
import { decodeTable, PieceTable, parseTable, verifyPiece } from "../../src/piece-table.ts";
import { markOf, PROFILES, type ProfileName, profileNamed, profileOf } from "../../src/profile/profile.ts";
import { decodeReference, encodeReference, type ObjectReference } from "../../src/reference.ts";
import { type RetrieveOptions, retrieve } from "../../src/retrieve.ts";
import { ingestShared } from "../../src/shared/ingest-shared.ts";
import { SharedRegistry } from "../../src/shared/registry.ts";
import { releaseShared } from "../../src/shared/release-shared.ts";
import type { SourceFile } from "../../src/source.ts";
import type { Store } from "../../src/store/store.ts";
import { closeWorkers } from "../../src/work/pool.ts";
import { Consortium, contentBelow, FOURTEEN, fault, flipBit } from "../support/consortium.ts";
import { Lender } from "../support/lender.ts";
import { anatomy, element, part10 } from "../support/part10.ts";

after(closeWorkers);

const PIECE = 262_144 + 16;
const content = randomBytes(3_000_000);
const profile = "national";
const national = profileNamed(profile);

/** Slices of two series, and a text. */
function study(note: string, slices = 12): SourceFile[] {
  const files = Array.from({ length: slices }, (_, i) => ({
    path: `IM${i}`,
    mediaType: "application/dicom",
    content: part10({
      rows: 128,
      columns: 128,
      pixels: anatomy(128, 128, i + 1),
      more: Buffer.concat([
        element(0x0020_000e, "UI", Buffer.from(`1.2.${i % 2}\0`)),
        element(0x0029_1001, "UN", Buffer.from(note)),
      ]),
    }),
  }));
  return [...files, { path: "report.txt", mediaType: "text/plain", content: Buffer.from(`report ${note} `.repeat(500)) }];
}
const bytesOf = (file: SourceFile | undefined): Buffer => Buffer.from((file as { content: Uint8Array }).content);

let outs = 0;
async function read(
  { folder }: Consortium,
  stores: readonly Store[],
  { reference, objectId, key }: Pick<Ingested, "reference" | "objectId" | "key">,
  options: RetrieveOptions = {},
): Promise<Map<string, Buffer>> {
  const out = join(folder, `out-${outs++}`);
  await retrieve(reference, objectId, key, stores, out, options);
  return await contentBelow(out);
}

test("a study comes back whole, by series and in ranges, with four stores of fourteen gone, and not with five", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const files = study("first");
  const object = await ingest(files, { stores, profile });
  assert.equal(object.reference.profile, "national");
  assert.deepEqual(decodeReference(encodeReference(object.reference)), object.reference);
  const rest = stores.slice(4);
  const whole = await read(consortium, rest, object);
  assert.deepEqual([...whole.keys()].sort(), files.map(({ path }) => path).sort());
  for (const file of files) assert.deepEqual(whole.get(file.path), bytesOf(file));
  const series = await read(consortium, rest, object, { only: { series: "1.2.1" } });
  assert.deepEqual([...series.keys()].sort(), ["IM1", "IM11", "IM3", "IM5", "IM7", "IM9"]);
  const range = await read(consortium, rest, object, { only: { path: "IM4", start: 9_000, end: 9_100 } });
  assert.deepEqual(range.get("IM4"), bytesOf(files[4]).subarray(9_000, 9_100));
  await assert.rejects(read(consortium, stores.slice(5), object), fault("archive_unrecoverable"));
  await assert.rejects(read(consortium, stores, { ...object, key: randomBytes(32) }), fault("content_key_wrong"));
});

test("pieces, tree, manifest and files are hashed by SM3 and nothing by SHA-256", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores } = consortium;
  const { reference, objectId, key } = await ingest([{ path: "x", content }], { stores, profile });
  const folder = consortium.objectFolder(stores[0]!, objectId);
  const [table, manifest] = await Promise.all(["table", "manifest"].map((name) => readFile(join(folder, name))));
  const { header, leaves } = parseTable(table!);
  assert.equal(header.profile, "national");
  assert.deepEqual(Buffer.from(national.digest(manifest!)), Buffer.from(reference.manifest));
  const pack = await consortium.pack(stores[0]!, objectId);
  const first = (await readFile(pack.path)).subarray(0, PIECE);
  assert.equal(first.length, PIECE, "as long as under the standard profile");
  const column = pack.slot;
  assert.deepEqual(Buffer.from(national.digest(first)), Buffer.from(leaves.subarray(32 * column, 32 * column + 32)));
  const { manifest: opened } = await retrieve(reference, objectId, key, stores, join(consortium.folder, "out"));
  assert.deepEqual(Buffer.from(opened.files![0]!.digest), Buffer.from(national.digest(content)));
});

test("audits prove pieces, damage is found and repaired without the key, and a store that leaves hands on its pack", async (t) => {
  const consortium = await Consortium.open(t, [...FOURTEEN, "g"]);
  const { stores } = consortium;
  const object = await ingest([{ path: "x", content }], { stores: stores.slice(0, 14), profile });
  const { reference, objectId } = object;
  const sampled = await auditPossession(reference, objectId, stores, { sample: 1 });
  assert.equal(sampled.intact, true);
  let proved = 0;
  for (const { store, proofs } of sampled.stores)
    for (const proof of proofs) {
      const pack = await readFile((await consortium.pack(consortium.store(store), objectId)).path);
      const piece = pack.subarray(proof.stripe * PIECE, (proof.stripe + 1) * PIECE);
      assert.ok(verifyPiece(piece, proof, reference.root, sampled.layout));
      const { profile: _, ...unmarked } = sampled.layout;
      assert.ok(!verifyPiece(piece, proof, reference.root, unmarked), "not by another hash function");
      proved++;
    }
  assert.equal(proved, 14);

  await flipBit((await consortium.pack(stores[2]!, objectId)).path, PIECE + 5);
  await rm(consortium.objectFolder(stores[3]!, objectId), { recursive: true });
  await writeFile(join(consortium.objectFolder(stores[4]!, objectId), "manifest"), "x");
  await writeFile(join(consortium.objectFolder(stores[5]!, objectId), "table"), "x");
  const { before, after: then, repaired } = await repair(reference, objectId, stores);
  assert.deepEqual([before.intact, then.intact], [false, true]);
  assert.deepEqual(repaired.map(({ store }) => store).sort(), [2, 3, 4, 5].map((i) => stores[i]!.id).sort());

  const moved = await movePack(objectId, stores[0]!, { readable: stores, writable: stores.slice(1) });
  assert.deepEqual(moved, { to: "g-14", wrongPieces: 0 });
  const rest = stores.slice(5);
  assert.deepEqual(await read(consortium, rest, object), new Map([["x", content]]));

  const { probe } = await destroyObject(reference, objectId, stores);
  assert.equal(isUndecodable(probe), true);
  await assert.rejects(read(consortium, stores, object), fault("archive_unrecoverable"));
});

test("small records in a pack open each with its own key, and under their own profile only", async (t) => {
  const { stores } = await Consortium.open(t);
  const records = Array.from({ length: 300 }, (_, i) => Buffer.from(`{"result":${i}}`));
  const packing = packRecords(records, { stores, profile });
  const { value: pack } = await packing.next();
  assert.ok(pack !== undefined);
  const { reference, objectId: packId } = pack;
  const record = (n: number, at: ObjectReference = reference) =>
    retrieveRecord({ reference: at, packId, slice: pack.records[n]!.slice }, pack.records[n]!.key, stores.slice(4));
  for (const n of [0, 150, 299]) assert.deepEqual(Buffer.from((await record(n)).content), records[n]);
  const { slice } = pack.records[7]!;
  const wrong = retrieveRecord({ reference, packId, slice }, pack.records[8]!.key, stores);
  await assert.rejects(wrong, fault("content_key_wrong"));
  const { profile: _, ...unmarked } = reference;
  await assert.rejects(record(7, unmarked), fault("manifest_mismatch"));
});

test("pixels are shared between versions of one profile and stored again for another", async (t) => {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const registry = new SharedRegistry(join(folder, "shared.db"));
  t.after(() => registry.close());
  const sharingKey = new Uint8Array(randomBytes(32));
  const archive = async (files: SourceFile[], of: ProfileName) => {
    const made = await ingestShared(files, { stores, registry, sharingKey, profile: of, name: "a version" });
    registry.anchored(made.objectId);
    return made;
  };
  const release = async (...versions: Uint8Array[]) =>
    (await releaseShared(registry, versions, stores, async () => true)).filter(({ destruction }) => destruction !== undefined);
  const [first, second] = [study("first"), study("second")];
  const one = await archive(first, "national");
  const two = await archive(second, "national");
  const three = await archive(second, "standard");
  const pixels = 12 * 128 * 128 * 2;
  assert.deepEqual([one.sharedBytes, two.sharedBytes, three.sharedBytes], [0, pixels, 0]);
  assert.deepEqual(
    [one.pixels?.reference.profile, two.pixels, three.pixels?.reference.profile],
    ["national", undefined, undefined],
  );
  assert.ok(three.pixels !== undefined);
  for (const [object, files] of [
    [one, first],
    [two, second],
    [three, second],
  ] as const)
    for (const [path, bytes] of await read(consortium, stores, object))
      assert.deepEqual(bytes, bytesOf(files.find((file) => file.path === path)));
  assert.equal((await release(one.objectId)).length, 0);
  assert.equal((await read(consortium, stores, two)).size, 13);
  assert.equal((await release(two.objectId, three.objectId)).length, 2);

  // A manifest that mixes them is refused, whoever made it.
  const mixed = await ingest([{ path: "x", content: Buffer.from("x") }], {
    stores,
    profile,
    shared: [{ objectId: three.objectId, reference: three.reference, key: three.key }],
  });
  await assert.rejects(read(consortium, stores, mixed), fault("manifest_mismatch", { part: "profile" }));
});

test("another member's store takes a repair that SM3 proves, and no other", async (t) => {
  const { folder } = await Consortium.open(t, []);
  const lender = await Lender.open(folder, { count: 14 });
  t.after(() => lender.service.close());
  const all = async (guest: string): Promise<Store[]> => {
    const first = await lender.store(guest);
    return await Promise.all(lender.inner.map(async (_, i) => (i === 0 ? first : await lender.store(guest, i))));
  };
  const { objectId, key, reference } = await ingest([{ path: "x", content }], { stores: await all("importer"), profile });
  const { root, manifest } = reference;
  const folderOf = (i: number): string => join(lender.inner[i]!.description.path, "objects", toHex(objectId));
  await writeFile(join(folderOf(3), "manifest"), "x");
  await rm(folderOf(5), { recursive: true });
  // To a lender who takes the object for one of the standard profile, what is right looks wrong.
  lender.anchors.set(toHex(objectId), { member: "importer", root, manifest });
  assert.equal((await repair(reference, objectId, await all("other"))).after.intact, false);
  lender.anchors.set(toHex(objectId), { member: "importer", root, manifest, profile });
  const { after: then, repaired } = await repair(reference, objectId, await all("other"));
  assert.deepEqual([then.intact, repaired.length], [true, 2]);
  const out = join(folder, "lent-out");
  await retrieve(reference, objectId, key, (await all("third")).slice(4), out);
  assert.deepEqual((await contentBelow(out)).get("x"), content);
});

/** An object of each profile with its documents. */
async function withDocuments(t: TestContext, name: ProfileName) {
  const consortium = await Consortium.open(t);
  const { stores, folder } = consortium;
  const object = await ingest([{ path: "x", content: content.subarray(0, 50_000) }], { stores, profile: name });
  const { manifest } = await retrieve(object.reference, object.objectId, object.key, stores, join(folder, "truth"));
  const put = async (document: "table" | "manifest", bytes: Uint8Array): Promise<void> => {
    for (const store of stores) await writeFile(join(consortium.objectFolder(store, object.objectId), document), bytes);
  };
  const table = parseTable(await readFile(join(consortium.objectFolder(stores[0]!, object.objectId), "table")));
  return { consortium, stores, object, manifest, put, table };
}
const turned = (name: ProfileName): ProfileName => PROFILES.find((other) => other !== name)!;
const remark = <T extends object>({ profile: _, ...rest }: T & { profile?: unknown }, name: ProfileName) => ({
  ...rest,
  ...markOf({ name }),
});

for (const name of PROFILES) {
  test(`an object of the ${name} profile is not taken for one of the other`, async (t) => {
    const { consortium, stores, object, manifest, put, table } = await withDocuments(t, name);
    const other = turned(name);
    const mismatch = (part: string) => fault("manifest_mismatch", { part });

    // The reference is exchanged, or says the other profile: nothing that lies on the stores fits it.
    const reference = remark(object.reference, other) as ObjectReference;
    await assert.rejects(read(consortium, stores, { ...object, reference }), mismatch("table_root"));
    await assert.rejects(auditPossession(reference, object.objectId, stores), mismatch("table_root"));
    await assert.rejects(repair(reference, object.objectId, stores), mismatch("table_root"));
    assert.throws(() => decodeTable(table.encode(), reference, object.objectId), mismatch("profile"));

    // A table that says the other profile, under its own right root, anchored by a liar: the manifest beside it knows better.
    const forged = new PieceTable(remark(table.header, other) as PieceTable["header"], table.leaves);
    await put("table", forged.encode());
    const lying = { ...object.reference, root: forged.root };
    await assert.rejects(read(consortium, stores, { ...object, reference: lying }), mismatch("table_root"));
    await put("table", table.encode());

    // A manifest that says the other, sealed under its profile and under the object's.
    const changed = remark(manifest, other) as Manifest;
    for (const sealedAs of PROFILES) {
      const { digest } = profileNamed(name);
      const plain = sealManifest(changed, object.key);
      const sealed = sealedAs === other ? plain : sealedUnder(changed, object.key, name);
      await put("manifest", sealed);
      const anchored = { ...object.reference, manifest: digest(sealed) };
      const code = sealedAs === other ? fault("content_key_wrong") : mismatch("profile");
      await assert.rejects(read(consortium, stores, { ...object, reference: anchored }), code);
    }
    await put("manifest", sealManifest(manifest, object.key));
    const digest = profileOf(object.reference).digest(sealManifest(manifest, object.key));
    assert.equal((await read(consortium, stores, { ...object, reference: { ...object.reference, manifest: digest } })).size, 1);
  });
}

/** A manifest sealed as if it said this profile. */
function sealedUnder(manifest: Manifest, key: Uint8Array, name: ProfileName): Uint8Array {
  const { aead, derive } = profileNamed(name);
  const plain = cbor.encode(manifest);
  const sealed = new Uint8Array(plain.length + 16);
  aead(derive(key, manifest.objectId, "manifest")).seal(new Uint8Array(12), manifest.objectId, plain, sealed);
  return sealed;
}
