/** Disks that rot and importers that lie: what is read around, what is named, what is refused. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { type Ingested, ingest } from "../src/ingest.ts";
import { type Manifest, sealManifest } from "../src/manifest.ts";
import { decodeTable, PieceTable } from "../src/piece-table.ts";
import type { ObjectReference } from "../src/reference.ts";
import { retrieve } from "../src/retrieve.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow, fault, flipBit } from "./support/consortium.ts";

after(closeWorkers);

const PIECE = 262_144 + 16;
const content = randomBytes(2_621_440 + 1_000_000);
const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

describe("a stored object", () => {
  let consortium: Consortium;
  let object: Ingested;
  let runs = 0;
  before(async () => {
    consortium = await Consortium.open({ after: () => undefined });
    object = await ingest(
      [
        { path: "a/x", content },
        { path: "a/y", content: content.subarray(0, 100) },
      ],
      { stores: consortium.stores },
    );
  });
  after(() => rm(consortium.folder, { recursive: true, force: true }));
  const read = async (changes: Partial<Ingested> & { only?: { path: string; start: number; end: number } } = {}) => {
    const { reference, objectId, key, only } = { ...object, ...changes };
    const destination = join(consortium.folder, `out-${runs++}`);
    const options = only === undefined ? {} : { only };
    return { destination, outcome: await retrieve(reference, objectId, key, consortium.stores, destination, options) };
  };
  /** Puts the packs and documents of all stores back after `work`. */
  const restoring = async (work: () => Promise<void>): Promise<void> => {
    const folders = consortium.stores.map((store) => consortium.objectFolder(store, object.objectId));
    const copies = join(consortium.folder, "copies");
    await mkdir(copies);
    for (const [i, folder] of folders.entries())
      for (const name of await readdir(folder)) await copyFile(join(folder, name), join(copies, `${i}.${name}`));
    try {
      await work();
    } finally {
      for (const folder of folders) {
        await rm(folder, { recursive: true, force: true });
        await mkdir(folder, { recursive: true });
      }
      for (const name of await readdir(copies)) {
        const dot = name.indexOf(".");
        await copyFile(join(copies, name), join(folders[Number(name.slice(0, dot))]!, name.slice(dot + 1)));
      }
      await rm(copies, { recursive: true });
    }
  };

  test("a flipped bit is found, read around and named with its place", () =>
    restoring(async () => {
      const store = await consortium.storeOfSlot(object.objectId, 3); // holds column 3 of stripe 0 and column 2 of stripe 1
      await flipBit((await consortium.pack(store, object.objectId)).path, PIECE + 77);
      const { outcome, destination } = await read();
      assert.deepEqual(outcome.troubles, [
        { store: store.id, member: store.member, kind: "piece_corrupt", count: 1, stripe: 1, column: 2 },
      ]);
      assert.equal(outcome.rebuiltPieces, 1);
      assert.deepEqual((await contentBelow(destination)).get("a/x"), content);
    }));

  test("a truncated pack is read around from where it ends", () =>
    restoring(async () => {
      const store = await consortium.storeOfSlot(object.objectId, 1);
      await truncate((await consortium.pack(store, object.objectId)).path, PIECE + 5);
      const { outcome, destination } = await read();
      assert.deepEqual(
        outcome.troubles.map(({ kind, stripe, column }) => ({ kind, stripe, column })),
        [{ kind: "piece_missing", stripe: 1, column: 0 }],
      );
      assert.deepEqual((await contentBelow(destination)).get("a/x"), content);
    }));

  test("two pieces that changed places are both found", () =>
    restoring(async () => {
      const store = await consortium.storeOfSlot(object.objectId, 2);
      const { path } = await consortium.pack(store, object.objectId);
      const bytes = await readFile(path);
      await writeFile(path, Buffer.concat([bytes.subarray(PIECE), bytes.subarray(0, PIECE)]));
      const { outcome, destination } = await read();
      assert.deepEqual(
        outcome.troubles.map(({ kind, count }) => ({ kind, count })),
        [{ kind: "piece_corrupt", count: 2 }],
      );
      assert.deepEqual((await contentBelow(destination)).get("a/x"), content);
    }));

  test("two packs that changed stores are read rightly, since a pack names its slot", () =>
    restoring(async () => {
      const [one, two] = [await consortium.storeOfSlot(object.objectId, 0), await consortium.storeOfSlot(object.objectId, 5)];
      const [packOne, packTwo] = [await consortium.pack(one, object.objectId), await consortium.pack(two, object.objectId)];
      const [bytesOne, bytesTwo] = [await readFile(packOne.path), await readFile(packTwo.path)];
      await writeFile(packOne.path, bytesTwo);
      await writeFile(packTwo.path, bytesOne);
      const { outcome, destination } = await read();
      assert.deepEqual(
        outcome.troubles.map(({ kind }) => kind),
        ["piece_corrupt", "piece_corrupt"],
      );
      assert.deepEqual((await contentBelow(destination)).get("a/x"), content);
    }));

  test("five wrong pieces of one stripe are too many, and nothing is left behind", () =>
    restoring(async () => {
      for (const slot of [0, 1, 2, 3, 4])
        await flipBit((await consortium.pack(await consortium.storeOfSlot(object.objectId, slot), object.objectId)).path, 9);
      await assert.rejects(read(), fault("archive_unrecoverable", { stripe: 0, available: 9, needed: 10 }));
      assert.deepEqual(
        (await readdir(consortium.folder)).filter((name) => name.includes("partial") || name === `out-${runs - 1}`),
        [],
      );
    }));

  test("wrong tables and manifests are named while one store has the right ones", () =>
    restoring(async () => {
      for (const store of consortium.stores.slice(0, 3)) {
        await flipBit(join(consortium.objectFolder(store, object.objectId), "table"), 200);
        await flipBit(join(consortium.objectFolder(store, object.objectId), "manifest"), 20);
      }
      const { outcome } = await read();
      const named = outcome.troubles.map(({ store, kind }) => `${store} ${kind}`).sort();
      assert.deepEqual(
        named,
        ["a-0", "a-1", "a-2"].flatMap((id) => [`${id} manifest_corrupt`, `${id} table_corrupt`]),
      );
    }));

  test("tables of other pieces, and manifests with another hash, are refused", async () => {
    await restoring(async () => {
      for (const store of consortium.stores) await flipBit(join(consortium.objectFolder(store, object.objectId), "table"), 300);
      await assert.rejects(read(), fault("manifest_mismatch", { part: "table_root" }));
    });
    await restoring(async () => {
      for (const store of consortium.stores) await flipBit(join(consortium.objectFolder(store, object.objectId), "manifest"), 30);
      await assert.rejects(read(), fault("manifest_mismatch", { part: "manifest_hash" }));
    });
    await restoring(async () => {
      for (const store of consortium.stores) await rm(join(consortium.objectFolder(store, object.objectId), "table"));
      await assert.rejects(read(), fault("archive_unrecoverable", { missing: "table" }));
    });
  });

  test("another key is refused, and another object too", async () => {
    await assert.rejects(read({ key: new Uint8Array(randomBytes(32)) }), fault("content_key_wrong"));
    await assert.rejects(read({ objectId: new Uint8Array(randomBytes(16)) }), fault("archive_unrecoverable"));
  });

  test("a destination that is not empty is refused and left alone", async () => {
    const destination = join(consortium.folder, "mine");
    await mkdir(destination);
    await writeFile(join(destination, "note"), "mine");
    const { reference, objectId, key } = object;
    await assert.rejects(retrieve(reference, objectId, key, consortium.stores, destination), fault("destination_exists"));
    assert.deepEqual([...(await contentBelow(destination)).keys()], ["note"]);
    await assert.rejects(
      retrieve(reference, objectId, key, consortium.stores, join(destination, "note")),
      fault("destination_exists"),
    );
    await assert.rejects(
      retrieve(reference, objectId, key, consortium.stores, join(destination, "note", "x")),
      (error: { code?: string }) => error.code === "destination_exists" || error.code === "destination_unwritable",
    );
  });

  test("stopping a retrieval leaves nothing behind", async () => {
    const { reference, objectId, key } = object;
    const stop = new AbortController();
    const destination = join(consortium.folder, "stopped");
    const reading = retrieve(reference, objectId, key, consortium.stores, destination, {
      signal: stop.signal,
      onProgress: () => stop.abort(),
    });
    // The last stripe may be done before the word arrives: then all of it is there.
    await reading.then(async () => assert.deepEqual((await contentBelow(destination)).get("a/x"), content), fault("aborted"));
    assert.deepEqual(
      (await readdir(consortium.folder)).filter((name) => name.includes("partial")),
      [],
    );
    await assert.rejects(
      retrieve(reference, objectId, key, consortium.stores, `${destination}-2`, { signal: AbortSignal.abort() }),
      fault("aborted"),
    );
    await assert.rejects(stat(`${destination}-2`), { code: "ENOENT" });
  });

  describe("with a manifest that lies", () => {
    /** Anchors a manifest that the importer made up over the real pieces. */
    const lie = async (change: (manifest: Manifest) => Manifest, anchor: Partial<ObjectReference> = {}): Promise<void> => {
      const truth = (await read()).outcome.manifest;
      const sealed = sealManifest(change(structuredClone(truth)), object.key);
      await restoring(async () => {
        for (const store of consortium.stores)
          await writeFile(join(consortium.objectFolder(store, object.objectId), "manifest"), sealed);
        await read({ reference: { ...object.reference, manifest: sha256(sealed), ...anchor } });
      });
    };
    const resize = (manifest: Manifest, by: number): Manifest => {
      const [first, ...others] = manifest.files!;
      return {
        ...manifest,
        streamBytes: manifest.streamBytes + by,
        sizeBytes: manifest.sizeBytes + by,
        files: [{ ...first!, sizeBytes: first!.sizeBytes + by }, ...others],
      };
    };
    const rename = (manifest: Manifest, path: string): Manifest => {
      const [first, ...others] = manifest.files!;
      return { ...manifest, files: [{ ...first!, path }, ...others] };
    };

    const segment = (manifest: Manifest, segments: number[], by = 0): Manifest => {
      const [first, ...others] = manifest.files!;
      const grown = { ...first!, sizeBytes: first!.sizeBytes + by, segments };
      return { ...manifest, sizeBytes: manifest.sizeBytes + by, files: [grown, ...others] };
    };

    test("the truth, sealed again, is read", () => lie((manifest) => manifest));
    const refusals: Record<
      string,
      { change: (manifest: Manifest) => Manifest; anchor?: Partial<ObjectReference>; part: string }
    > = {
      "a size of more stripes": { change: (manifest) => resize(manifest, 5_000_000), anchor: { sizeClass: 24 }, part: "size" },
      "a size of another class": { change: (manifest) => resize(manifest, 5_000_000), part: "size_class" },
      "a larger file than there are bytes": { change: (manifest) => resize(manifest, 10), part: "file_hash" },
      "files that do not add up": {
        change: (manifest) => ({ ...manifest, files: manifest.files!.slice(1) }),
        part: "file_table",
      },
      "another root": { change: (manifest) => ({ ...manifest, root: new Uint8Array(32) }), part: "root" },
      "another code": { change: (manifest) => ({ ...manifest, code: { k: 9, m: 5 } }), part: "code" },
      "a reference with another code": { change: (manifest) => manifest, anchor: { code: { k: 9, m: 5 } }, part: "code" },
      "another hash of a file": {
        change: (manifest) => {
          const [first, ...others] = manifest.files!;
          return { ...manifest, files: [{ ...first!, digest: new Uint8Array(32) }, ...others] };
        },
        part: "file_hash",
      },
      "another number of files": {
        change: (manifest) => ({ ...manifest, fileCount: manifest.fileCount + 1 }),
        part: "file_table",
      },
      "a root without files": {
        change: ({ files: _, ...manifest }) => manifest,
        part: "file_table",
      },
      "segments of more bytes than they hold": { change: (manifest) => segment(manifest, [1, 10, 11]), part: "segments" },
      "a segment that is no Zstandard": {
        change: (manifest) => {
          const { sizeBytes } = manifest.files![0]!;
          return segment(manifest, [0, sizeBytes - 101, sizeBytes - 101, 1, 101, 101 + 50], 50);
        },
        part: "segment",
      },
    };
    for (const [what, { change, anchor, part }] of Object.entries(refusals))
      test(`refuses ${what}`, () => assert.rejects(lie(change, anchor), fault("manifest_mismatch", { part })));

    for (const path of ["../x", "/x", "a/../../x", "a\0b", "C:/x", "a\\..\\x", "a/y"])
      test(`refuses a file named ${JSON.stringify(path)}`, () =>
        assert.rejects(
          lie((manifest) => rename(manifest, path)),
          fault("path_refused", { file: path === "a/y" ? 1 : 0 }),
        ));

    test("refuses a table whose parity is no parity, when it comes to repair", async () => {
      const { reference, objectId } = object;
      const folder = consortium.objectFolder(consortium.stores[0]!, objectId);
      const table = decodeTable(new Uint8Array(await readFile(join(folder, "table"))), reference, objectId);
      const forged = new PieceTable(table.header, table.leaves.with(12 * 32, table.leaves[12 * 32]! ^ 1)); // column 12 of stripe 0
      await restoring(async () => {
        for (const store of consortium.stores)
          await writeFile(join(consortium.objectFolder(store, objectId), "table"), forged.encode());
        const { repair } = await import("../src/audit.ts");
        await assert.rejects(
          repair({ ...reference, root: forged.root }, objectId, consortium.stores),
          fault("manifest_mismatch", { part: "parity" }),
        );
      });
    });
  });
});
