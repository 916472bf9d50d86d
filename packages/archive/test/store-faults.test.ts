/**
 * Stores that fail while an object is read and repaired, on folders of one's own and on other members' nodes: packs cut short, pieces and packs that
 * changed places, packs of another object, stores that are full, and too few stores.
 */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFile, cp, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, describe, type TestContext, test } from "node:test";
import { toHex } from "@xinglin/primitives";
import { auditPossession, repair } from "../src/audit.ts";
import { bytesPerStore } from "../src/disk-check.ts";
import { type Ingested, ingest } from "../src/ingest.ts";
import { DEFAULT_CODE } from "../src/layout.ts";
import { retrieve } from "../src/retrieve.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { Consortium, contentBelow, fault, temporaryFolder } from "./support/consortium.ts";
import { Lender } from "./support/lender.ts";

after(closeWorkers);

const PIECE = 262_144 + 16;
const content = randomBytes(2_621_440 + 1_000_000); // two stripes
const other = randomBytes(content.length);

/** Fourteen stores as somebody reaches them, and the folders below them. */
interface Stores {
  readonly folder: string;
  readonly stores: readonly Store[];
  readonly paths: readonly string[];
}

const KINDS: Record<string, (t: TestContext, quotaBytes?: number) => Promise<Stores>> = {
  directory: async (t, quotaBytes) => {
    const { folder, stores } = await Consortium.open(t, undefined, quotaBytes);
    return { folder, stores, paths: stores.map(({ description }) => description.path) };
  },
  node: async (t, quotaBytes) => {
    const folder = await temporaryFolder(t);
    const quota = quotaBytes === undefined ? {} : { quotaBytes, memberQuotaBytes: 1e12 };
    const lenders = await Promise.all(["xa", "xbb"].map((member) => Lender.open(folder, { member, count: 7, ...quota })));
    t.after(() => Promise.all(lenders.map(({ service }) => service.close())));
    const all = lenders.flatMap((lender) => lender.inner.map((inner, i) => ({ inner, store: lender.store("importer", i) })));
    const paths = all.map(({ inner }) => inner.description.path);
    return { folder, stores: await Promise.all(all.map(({ store }) => store)), paths };
  },
};

const objectFolder = (path: string, { objectId }: Ingested): string => join(path, "objects", toHex(objectId));
/** The pack of `object` in the store at `path`. */
async function packIn(path: string, object: Ingested): Promise<string> {
  const name = (await readdir(objectFolder(path, object))).find((entry) => entry.startsWith("pieces."));
  return join(objectFolder(path, object), name ?? "no pack");
}

/** What goes wrong on the disks of a few stores; `other` is an object of the same shape. */
const DAMAGE: Record<string, (paths: readonly string[], object: Ingested, other: Ingested) => Promise<void>> = {
  "cut short in the middle of a piece": async ([a, b], object) => {
    await truncate(await packIn(a!, object), PIECE + 5);
    await truncate(await packIn(b!, object), 0);
  },
  "with pieces that changed places": async ([a, b], object) => {
    for (const path of [a!, b!]) {
      const bytes = await readFile(await packIn(path, object));
      await writeFile(await packIn(path, object), Buffer.concat([bytes.subarray(PIECE), bytes.subarray(0, PIECE)]));
    }
  },
  "with packs that changed stores": async ([a, b], object) => {
    const [one, two] = [await packIn(a!, object), await packIn(b!, object)];
    const bytes = await readFile(one);
    await copyFile(two, one);
    await writeFile(two, bytes);
  },
  "with stale packs and documents, of another object": async ([a, b, c], object, stale) => {
    for (const path of [a!, b!]) await copyFile(await packIn(path, stale), await packIn(path, object));
    for (const name of ["table", "manifest"])
      await copyFile(join(objectFolder(c!, stale), name), join(objectFolder(c!, object), name));
  },
};

for (const [kind, open] of Object.entries(KINDS))
  describe(`stores of kind ${kind}`, () => {
    const archive = async (stores: readonly Store[], bytes: Uint8Array): Promise<Ingested> =>
      ingest([{ path: "x", content: bytes }], { stores });
    let outs = 0;
    const read = async ({ folder, stores }: Stores, { reference, objectId, key }: Ingested) => {
      const out = join(folder, `out-${outs++}`);
      const outcome = await retrieve(reference, objectId, key, stores, out);
      assert.deepEqual((await contentBelow(out)).get("x"), content);
      return outcome;
    };

    test("are read around and mended when they come back wrong", async (t) => {
      const opened = await open(t);
      const { stores, paths } = opened;
      const [object, stale] = [await archive(stores, content), await archive(stores, other)];
      for (const [what, damage] of Object.entries(DAMAGE)) {
        await damage([paths[3]!, paths[8]!, paths[12]!], object, stale);
        await read(opened, object);
        const { before, after: mended } = await repair(object.reference, object.objectId, stores);
        assert.ok(before.missing + before.corrupt > 0, what);
        const named = before.stores.filter(
          ({ missing, corrupt, table, manifest }) => missing + corrupt > 0 || table !== "held" || manifest !== "held",
        );
        assert.ok(named.length >= 2 && named.length <= 4, `${what}: ${named.map(({ store }) => store)}`);
        assert.equal(mended.intact, true, what);
        assert.deepEqual(mended.root, object.reference.root);
        assert.equal((await auditPossession(stale.reference, stale.objectId, stores)).intact, true, `${what}: the other`);
      }
      assert.equal((await read(opened, object)).rebuiltPieces, 0);
    });

    test("that show another object's whole folder are read around, named and mended", async (t) => {
      const opened = await open(t);
      const { stores, paths } = opened;
      const [object, stale] = [await archive(stores, content), await archive(stores, other)];
      for (const path of paths.slice(2, 6)) {
        await rm(objectFolder(path, object), { recursive: true });
        await cp(objectFolder(path, stale), objectFolder(path, object), { recursive: true });
      }
      await read(opened, object);
      const report = await auditPossession(object.reference, object.objectId, stores);
      assert.equal(report.intact, false);
      assert.equal(report.fewestHeld, 10);
      assert.equal((await repair(object.reference, object.objectId, stores)).after.intact, true);
      assert.equal((await read(opened, object)).rebuiltPieces, 0);
    });

    test("with one fewer than needed nothing is read, nothing is written, and the code says why", async (t) => {
      const opened = await open(t);
      const { stores, paths, folder } = opened;
      const object = await archive(stores, content);
      const { reference, objectId, key } = object;
      for (const path of paths.slice(0, 5)) await rm(objectFolder(path, object), { recursive: true });
      const files = async (): Promise<string[]> =>
        (await Promise.all(paths.map(async (path) => [...(await contentBelow(path)).keys()].map((name) => `${path}/${name}`))))
          .flat()
          .sort();
      const before = await files();
      const names = await readdir(folder);
      await assert.rejects(retrieve(reference, objectId, key, stores, join(folder, "never")), fault("archive_unrecoverable"));
      const part = { only: { path: "x", start: 0, end: content.length } };
      await assert.rejects(
        retrieve(reference, objectId, key, stores, join(folder, "never"), part),
        fault("archive_unrecoverable"),
      );
      await assert.rejects(repair(reference, objectId, stores), fault("archive_unrecoverable", { available: 9, needed: 10 }));
      assert.equal((await auditPossession(reference, objectId, stores)).fewestHeld, 9);
      assert.deepEqual(await files(), before);
      assert.deepEqual(await readdir(folder), names);
      for (const language of ["en", "zh-CN"]) {
        const messages = new URL(`../../api/messages/${language}.json`, import.meta.url);
        assert.match((JSON.parse(await readFile(messages, "utf8")) as Record<string, string>).archive_unrecoverable!, /./);
      }
    });

    test("a store that is full ends an import, is left by a repair without a trace, and both work once it has room", async (t) => {
      const opened = await open(t, bytesPerStore(content.length, DEFAULT_CODE, 1) + 100_000);
      const { stores, paths } = opened;
      const object = await archive(stores, content);
      const { reference, objectId } = object;
      await rm(objectFolder(paths[4]!, object), { recursive: true });
      const hog = join(paths[4]!, "objects", "0".repeat(32));
      await mkdir(hog);
      await writeFile(join(hog, "pieces.0"), randomBytes(700_000));
      const { left } = await repair(reference, objectId, stores);
      assert.ok(["disk_full", "member_quota_reached"].includes(left[0]?.code as string) && left.length === 1, `${left[0]?.code}`);
      await assert.rejects(archive(stores, content), fault("disk_full"));
      for (const path of paths) assert.deepEqual(await readdir(join(path, "incoming")), []);
      await read(opened, object);
      await rm(hog, { recursive: true });
      assert.equal((await repair(reference, objectId, stores)).after.intact, true);
    });
  });

test("a far store that begins to lie in the middle of a repair spoils nothing on the others", async (t) => {
  const folder = await temporaryFolder(t);
  const lenders = await Promise.all(["xa", "xbb"].map((member) => Lender.open(folder, { member, count: 7 })));
  t.after(() => Promise.all(lenders.map(({ service }) => service.close())));
  const inner = lenders.flatMap((lender) => lender.inner);
  const stores = await Promise.all(lenders.flatMap((lender) => lender.inner.map((_, i) => lender.store("importer", i))));
  const object = await ingest([{ path: "x", content }], { stores });
  const { reference, objectId } = object;
  let lies = 0;
  for (let honest = 0; honest < 8; honest++) {
    await stores[0]!.remove(objectId);
    const liar = inner[5]!;
    const really = liar.open.bind(liar);
    let reads = 0;
    liar.open = async (id) => {
      const pack = await really(id);
      if (pack === undefined) return undefined;
      const readRight = pack.read.bind(pack);
      pack.read = async (position, into) => {
        const done = await readRight(position, into);
        if (reads++ < honest) return done;
        lies++;
        into[into.length >> 1]! ^= 1;
        return done;
      };
      return pack;
    };
    const { after: mended } = await repair(reference, objectId, stores);
    liar.open = really;
    assert.deepEqual(
      mended.stores
        .filter(({ corrupt, missing }) => corrupt + missing > 0)
        .map(({ store }) => store)
        .filter((id) => id !== liar.id),
      [],
    );
    assert.equal((await repair(reference, objectId, stores)).after.intact, true);
  }
  // Pieces are read in runs, so an answer more that is right can be all that is asked.
  assert.ok(lies > 2, `${lies} lies`);
});
