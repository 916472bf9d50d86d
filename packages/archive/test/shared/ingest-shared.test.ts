/** Versions that share pixels: a corrected header stores almost nothing anew, and pixels live as long as a version that relies on them. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { after, type TestContext, test } from "node:test";
import { toHex } from "@xinglin/primitives";
import { auditPossession } from "../../src/audit.ts";
import { readPart10 } from "../../src/filter/part10.ts";
import { type Ingested, ingest } from "../../src/ingest.ts";
import { profileNamed } from "../../src/profile/profile.ts";
import { type RetrieveOptions, retrieve } from "../../src/retrieve.ts";
import { retrieveFiles } from "../../src/retrieve-files.ts";
import { type IngestedShared, type IngestSharedOptions, ingestShared } from "../../src/shared/ingest-shared.ts";
import { nameOfPixels, openObjectKey, sealObjectKey } from "../../src/shared/region-keys.ts";
import { SharedRegistry } from "../../src/shared/registry.ts";
import { collectShared, releaseShared, type SharedRelease, takeBackShared } from "../../src/shared/release-shared.ts";
import type { SourceFile } from "../../src/source.ts";
import { closeWorkers } from "../../src/work/pool.ts";
import { Consortium, contentBelow, fault } from "../support/consortium.ts";
import { anatomy, element, part10 } from "../support/part10.ts";

after(closeWorkers);

/** A study of slices; `note` stands in every header, `seed` chooses the pictures. */
function study(slices: number, note: string, seed = 1): SourceFile[] {
  const files: SourceFile[] = Array.from({ length: slices }, (_, i) => ({
    path: `IM${i}`,
    mediaType: "application/dicom",
    content: part10({
      rows: 128,
      columns: 128,
      pixels: anatomy(128, 128, i + seed),
      more: element(0x0029_1001, "UN", Buffer.from(note)),
      tail: element(0xfffc_fffc, "OB", Buffer.alloc(20, i)),
    }),
  }));
  return [...files, { path: "report.txt", content: Buffer.from(`report ${note}`) }];
}

async function open(t: TestContext) {
  const consortium = await Consortium.open(t);
  const registry = new SharedRegistry(join(consortium.folder, "shared.db"));
  t.after(() => registry.close());
  const options = { stores: consortium.stores, registry, sharingKey: new Uint8Array(randomBytes(32)), name: "a version" };
  let run = 0;
  const read = async (object: Ingested, only: Pick<RetrieveOptions, "only"> = {}): Promise<Map<string, Buffer>> => {
    const folder = join(consortium.folder, `out-${run++}`);
    await retrieve(object.reference, object.objectId, object.key, consortium.stores, folder, only);
    return await contentBelow(folder);
  };
  /** What the chain keeps. */
  const kept = new Set<string>();
  /** Archives, and has the chain name the version and keep what it brought. */
  const archive = async (source: readonly SourceFile[], more: Partial<IngestSharedOptions> = {}): Promise<IngestedShared> => {
    const made = await ingestShared(source, { ...options, ...more });
    if (made.pixels !== undefined) kept.add(toHex(made.pixels.objectId));
    registry.anchored(made.objectId);
    return made;
  };
  /** Ends versions whole. */
  const destroy = async (...versions: Ingested[]): Promise<SharedRelease[]> => {
    for (const { objectId } of versions) for (const store of consortium.stores) await store.remove(objectId);
    return await releaseShared(
      registry,
      versions.map(({ objectId }) => objectId),
      consortium.stores,
      async (objectId) => {
        kept.delete(toHex(objectId));
        return true;
      },
    );
  };
  return { consortium, registry, options, read, archive, destroy, kept };
}

const contentOf = (files: readonly SourceFile[]): Map<string, Buffer> =>
  new Map(files.map((file) => [file.path, Buffer.from((file as { content: Uint8Array }).content)]));
const same = (found: Map<string, Buffer>, files: readonly SourceFile[]): void => {
  const wanted = contentOf(files);
  assert.deepEqual([...found.keys()].sort(), [...wanted.keys()].sort());
  for (const [path, bytes] of wanted) assert.equal(Buffer.compare(found.get(path)!, bytes), 0, path);
};

test("a corrected header stores almost nothing anew, and both versions come back as they were", async (t) => {
  const { consortium, registry, archive, read } = await open(t);
  const first = study(60, "ZHANG^SAN");
  const corrected = study(60, "ZHANG^SAN^^corrected");
  const one = await archive(first);
  const two = await archive(corrected);
  assert.ok(one.pixels !== undefined && one.sharedBytes === 0);
  assert.equal(two.pixels, undefined);
  assert.equal(two.sharedBytes, 60 * 128 * 128 * 2);
  assert.ok(two.streamBytes < one.pixels.streamBytes / 10, `${two.streamBytes} beside ${one.pixels.streamBytes}`);
  assert.ok(two.storedBytes < one.pixels.storedBytes / 3, `${two.storedBytes} beside ${one.pixels.storedBytes}`); // its manifest, mostly
  assert.notDeepEqual(one.key, two.key);

  const bringBack = await consortium.loseStores(consortium.stores.slice(1, 5));
  same(await read(one), first);
  same(await read(two), corrected);
  assert.deepEqual([...(await read(two, { only: { paths: ["IM7"] } })).keys()], ["IM7"]);
  const file = contentOf(corrected).get("IM7")!;
  const found = readPart10(file, file.length);
  assert.ok(found.kind === "pixels");
  const { at } = found.pixels;
  const end = at + 32_768;
  for (const [start, stop] of [
    [0, at],
    [at - 3, at + 3],
    [at + 5, at + 6],
    [at, end],
    [end - 1, end + 2],
    [end, file.length],
    [0, file.length],
  ] as const) {
    const parts: Uint8Array[] = [];
    const only = { path: "IM7", start, end: stop };
    for await (const { content } of retrieveFiles(two.reference, two.objectId, two.key, consortium.stores, { only }))
      for await (const part of content) parts.push(part);
    assert.equal(Buffer.compare(Buffer.concat(parts), file.subarray(start, stop)), 0, `${start}..${stop}`);
  }
  await bringBack();
  for (const { objectId, reference } of registry.objects())
    assert.equal((await auditPossession(reference!, objectId, consortium.stores)).intact, true);
  if (process.platform !== "win32") assert.equal((await stat(join(consortium.folder, "shared.db"))).mode & 0o777, 0o600);
});

test("a study that grew relies on two objects, and a picture twice in it is kept once", async (t) => {
  const { archive, read } = await open(t);
  await archive(study(10, "a"));
  const grown = [...study(14, "b"), { ...study(11, "c")[10]!, path: "again" }];
  const made = await archive(grown);
  assert.equal(made.pixels?.sizeBytes, 4 * 32_768);
  same(await read(made), grown);
});

test("pixels are there as long as one version relies on them, and gone with the last", async (t) => {
  const { consortium, registry, archive, destroy, read, kept } = await open(t);
  const [first, second] = [study(12, "a"), study(12, "b")];
  const one = await archive(first);
  const two = await archive(second);
  const stays = await destroy(one);
  assert.deepEqual(
    stays.map(({ objectId, destruction }) => [objectId, destruction]),
    [[one.pixels!.objectId, undefined]],
  );
  same(await read(two), second);
  const gone = await destroy(two);
  assert.deepEqual(
    gone.map(({ objectId, destruction }) => [objectId, destruction?.probe.packs]),
    [[one.pixels!.objectId, 0]],
  );
  assert.deepEqual([kept.size, registry.unused(), await consortium.files()], [0, [], []]);
  // Who asks again hears the same of both.
  for (const version of [one, two])
    assert.deepEqual(
      (await destroy(version)).map(({ destruction }) => destruction?.stores.every(({ outcome }) => outcome === "held_nothing")),
      [true],
    );
  // Nothing is remembered: the same pixels are stored again, under another key.
  const three = await archive(first);
  assert.ok(three.pixels !== undefined);
  same(await read(three), first);
});

test("what the chain does not drop stays whole, and goes at the next call", async (t) => {
  const { consortium, registry, archive, destroy } = await open(t);
  const made = await archive(study(12, "a"));
  const refused = await releaseShared(registry, [made.objectId], consortium.stores, async () => false);
  assert.deepEqual(
    refused.map(({ destruction }) => destruction),
    [undefined],
  );
  const [object] = registry.unused();
  assert.equal((await auditPossession(object!.reference!, object!.objectId, consortium.stores)).intact, true);
  await destroy(); // of another record
  assert.deepEqual(registry.unused(), []);
  for (const store of consortium.stores) assert.equal(await store.has(made.pixels!.objectId), false);
});

test("a store that is away keeps its pieces until it is back, and the registry remembers", async (t) => {
  const { consortium, registry, archive, destroy } = await open(t);
  const made = await archive(study(12, "a"));
  const bringBack = await consortium.loseStores(consortium.stores.slice(0, 1));
  await releaseShared(registry, [made.objectId], consortium.stores, async () => true);
  assert.equal(registry.unused().length, 1);
  await bringBack();
  await destroy();
  assert.deepEqual(registry.unused(), []);
  for (const store of consortium.stores) assert.equal(await store.has(made.pixels!.objectId), false);
});

test("pixels are found once the version that brought them is anchored, not before", async (t) => {
  const { consortium, registry, options, archive, read } = await open(t);
  const [first, second] = [study(12, "a"), study(12, "b")];
  const under = await ingestShared(first, options);
  const beside = await archive(second);
  assert.ok(beside.pixels !== undefined, "nobody relies on what the chain may never keep");
  await takeBackShared(registry, under.objectId, consortium.stores);
  for (const store of consortium.stores) assert.equal(await store.has(under.pixels!.objectId), false);
  same(await read(beside), second);
  assert.equal((await archive(first)).pixels, undefined);
});

test("an import that fails leaves neither orphan nor entry", async (t) => {
  const { consortium, registry, options } = await open(t);
  const bad = [...study(12, "a"), { path: "../x", content: Buffer.from("x") }];
  await assert.rejects(ingestShared(bad, options), fault("path_refused"));
  const stop = new AbortController();
  const onProgress = (): void => stop.abort(); // told of the version only: its pixels are stored by then
  await assert.rejects(ingestShared(study(300, "a"), { ...options, signal: stop.signal, onProgress }), fault("aborted"));
  assert.deepEqual([registry.objects(), registry.begun(), await consortium.files()], [[], [], []]);
});

test("what a process left that died is collected or known, as the chain says, and what runs is left alone", async (t) => {
  const { consortium, registry, options, archive, read } = await open(t);
  const { stores } = consortium;
  const source = study(12, "a");
  const kept = await archive(source);
  // It died after its pixels were stored, another before.
  const [died, object] = [randomBytes(16), randomBytes(16)];
  registry.note(died, "died");
  registry.begin(died, object);
  await ingest([{ path: "0", content: randomBytes(5000) }], { stores, objectId: object });
  registry.use(died, [nameOfPixels(profileNamed(), options.sharingKey, randomBytes(32))]);
  const early = randomBytes(16);
  registry.note(early, "died");
  registry.begin(early, randomBytes(16));
  // And one did not hear that it was anchored.
  const unheard = study(12, "other", 77);
  const anchored = await ingestShared(unheard, { ...options, name: "anchored" });
  const isAnchored = ({ name }: { name: string }): boolean => name === "anchored";
  assert.equal(await collectShared(registry, stores, { isAnchored, isRunning: () => true }), 0);
  assert.equal(registry.begun().length, 3);
  assert.equal(await collectShared(registry, stores, { isAnchored, isRunning: () => false }), 2);
  for (const store of stores) assert.equal(await store.has(object), false);
  assert.deepEqual([registry.begun(), registry.unused()], [[], []]);
  same(await read(kept), source);
  same(await read(anchored), unheard);
  assert.equal((await archive(unheard)).pixels, undefined);
});

test("an old copy of the registry loses nothing: what it does not know of is never dropped, what was dropped is stored again", async (t) => {
  const { consortium, registry, archive, destroy, read, options, kept } = await open(t);
  const path = join(consortium.folder, "shared.db");
  const isKept = async (id: Uint8Array): Promise<boolean> => kept.has(toHex(id));
  const [a, b] = [study(12, "a"), study(12, "other", 77)];
  const one = await archive(a);
  const other = await archive(b);
  registry.accounted(10, { unknown: false, plain: [] });
  const copy = join(consortium.folder, "copy.db");
  const source = new DatabaseSync(path);
  await backup(source, copy);
  source.close();
  const late = await archive(study(12, "corrected"));
  assert.equal(late.pixels, undefined);
  await destroy(other);

  const old = new SharedRegistry(copy);
  t.after(() => old.close());
  assert.equal(old.seen, 10);
  assert.equal(old.knows(late.objectId), false);
  old.accounted(20, { unknown: true, plain: [] }); // as the gateway does, which looks on the chain
  const stays = await releaseShared(old, [one.objectId], consortium.stores, async () => assert.fail("never dropped"));
  assert.deepEqual(
    stays.map(({ held, destruction }) => [held, destruction]),
    [[true, undefined]],
  );
  same(await read(late), study(12, "corrected"));
  // It knows pixels that are gone.
  const again = await ingestShared(b, { ...options, registry: old, mayRely: isKept });
  assert.ok(again.pixels !== undefined && again.sharedBytes === 0);
  same(await read(again), b);
});

test("of versions that rely on nothing no more is kept than is needed", async (t) => {
  const { registry, archive } = await open(t);
  const plain = new Uint8Array(randomBytes(16));
  registry.note(plain, "a bundle");
  registry.accounted(1, { unknown: false, plain: [plain] });
  assert.equal(registry.knows(plain), true, "it is not anchored yet");
  registry.anchored(plain);
  const made = await archive(study(3, "a"));
  registry.accounted(2, { unknown: false, plain: [plain, made.objectId] });
  assert.deepEqual([registry.knows(plain), registry.knows(made.objectId), registry.seen], [false, true, 2]);
});

test("another institution's key finds nothing, and a sealed key opens for who has the pixels only", async (t) => {
  const { archive, read } = await open(t);
  const source = study(12, "a");
  await archive(source);
  const other = await archive(source, { sharingKey: new Uint8Array(randomBytes(32)) });
  assert.equal(other.sharedBytes, 0);
  same(await read(other), source);
  const [key, digest, id, secret] = [32, 32, 16, 32].map((bytes) => new Uint8Array(randomBytes(bytes))) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const sealed = sealObjectKey(profileNamed(), key, digest, id, secret);
  assert.deepEqual(openObjectKey(profileNamed(), key, digest, id, sealed), secret);
  assert.equal(openObjectKey(profileNamed(), secret, digest, id, sealed), undefined);
  assert.equal(openObjectKey(profileNamed(), key, secret, id, sealed), undefined);
  assert.equal(openObjectKey(profileNamed(), key, digest, randomBytes(16), sealed), undefined);
});

test("pixels that are not what was looked at stop the import, and a version that points nowhere is refused", async (t) => {
  const { consortium, options } = await open(t);
  const { stores } = consortium;
  const [file] = study(1, "a") as [SourceFile & { content: Uint8Array }];
  const found = readPart10(file.content, file.content.length);
  assert.ok(found.kind === "pixels");
  const { at } = found.pixels;
  const region = { at, sizeBytes: 32_768, samples: found.pixels, digest: new Uint8Array(32) };
  const entry = { object: 0, at, sizeBytes: 32_768, from: 0 };
  const changed = ingest([{ ...file, shared: { region, entry } }], { stores });
  await assert.rejects(changed, fault("source_changed", { file: 0 }));

  const sha256 = new Uint8Array(
    createHash("sha256")
      .update(file.content.subarray(at, at + 32_768))
      .digest(),
  );
  const { pixels } = await ingestShared([file], options);
  const object = { objectId: pixels!.objectId, reference: pixels!.reference, key: new Uint8Array(32) };
  for (const [lie, code, part] of [
    [{ object: 1 }, "manifest_mismatch", "shared"],
    [{ from: 2 ** 40 }, "manifest_mismatch", "extent"],
    [{}, "manifest_mismatch", "chunk"], // under a wrong key
  ] as const) {
    const source = [{ ...file, shared: { region: { ...region, digest: sha256 }, entry: { ...entry, ...lie } } }];
    const { reference, objectId, key } = await ingest(source, { stores, shared: [object] });
    await assert.rejects(
      retrieve(reference, objectId, key, stores, join(consortium.folder, `out-${part}`)),
      fault(code, { part }),
    );
  }
});
