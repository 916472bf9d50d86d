/** The store in a bucket, on a real server: the contract, packs of many parts, its quota, whose it is, and what it leaves behind. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { toHex } from "@xinglin/primitives";
import { describeStore } from "../../src/store/contract.ts";
import type { S3Description } from "../../src/store/description.ts";
import { stageOwner } from "../../src/store/owner.ts";
import { S3Bucket } from "../../src/store/s3-bucket.ts";
import { S3Store } from "../../src/store/s3-store.ts";
import type { Store } from "../../src/store/store.ts";
import { fault } from "../support/consortium.ts";
import { ACCESS, findServer, S3Server } from "../support/versitygw.ts";

const found = await findServer();
const skip = "missing" in found ? found.missing : false;
const PIECE = 262_160;
const deadOwner = stageOwner.replace(/-\d+-/, "-4194305-"); // beyond the largest process id

describe("S3 stores on a real server", { skip }, () => {
  let server: S3Server;
  let count = 0;
  before(async () => {
    server = await S3Server.start((found as { path: string }).path);
  });
  after(() => server.end());

  const fresh = (more: Partial<S3Description> = {}): S3Description => ({
    kind: "s3",
    id: "one",
    member: "a",
    url: `${server.url}/lent-${count++}/archive`,
    credentialsFile: server.credentialsFile,
    ...more,
  });
  const made = async (more: Partial<S3Description> = {}): Promise<{ store: S3Store; description: S3Description }> => {
    const description = fresh(more);
    const store = new S3Store(description);
    await store.create();
    return { store, description };
  };
  /** Everything below the prefix; an upload that was not finished counts as a key. */
  const keysOf = async (description: S3Description): Promise<string[]> => {
    const bucket = new S3Bucket(description);
    const keys = (await bucket.uploads("")).map(({ key }) => `upload ${key}`);
    for await (const { key } of bucket.list("")) keys.push(key);
    return keys;
  };
  /** A published pack of random pieces, and its bytes. */
  const packed = async (store: Store, pieces: number): Promise<{ objectId: Uint8Array; content: Uint8Array }> => {
    const objectId = new Uint8Array(randomBytes(16));
    const content = new Uint8Array(randomBytes(pieces * PIECE));
    const pack = await store.stage(objectId, 3, "import", stageOwner);
    const buffer = new Uint8Array(PIECE); // used again for every piece, as an import does
    for (let at = 0; at < content.length; at += PIECE) {
      buffer.set(content.subarray(at, at + PIECE));
      await pack.write(at, buffer);
    }
    await pack.writeDocument("table", content.subarray(0, 500));
    await pack.settle();
    await pack.publish();
    return { objectId, content };
  };
  const contentOf = async (store: Store, objectId: Uint8Array, length: number): Promise<Buffer> => {
    const pack = await store.open(objectId);
    const into = Buffer.alloc(length);
    assert.ok(await pack!.read(0, into), "the pack is as long as it should be");
    assert.ok(!(await pack!.read(length, new Uint8Array(1))), "and no longer");
    await pack!.close();
    return into;
  };

  describeStore("S3", async () => {
    const { store, description } = await made();
    return {
      store,
      reopen: () => new S3Store(description),
      vanish: async () => {
        const bucket = new S3Bucket(description);
        for (const key of await keysOf(description)) await bucket.remove(key);
      },
      dispose: async () => assert.deepEqual(await new S3Bucket(description).uploads(""), []),
    };
  });

  test("a pack of many parts is read whole and in part", async () => {
    const { store, description } = await made();
    const { objectId, content } = await packed(store, 65); // 17 MB: three parts and a rest
    assert.equal(Buffer.compare(await contentOf(store, objectId, content.length), content), 0);
    const pack = await store.open(objectId);
    for (const at of [1, 5 * 2 ** 20 - 3, 40 * PIECE]) {
      const into = new Uint8Array(1000);
      assert.ok(await pack!.read(at, into));
      assert.equal(Buffer.compare(into, content.subarray(at, at + 1000)), 0);
    }
    const keys = await keysOf(description);
    assert.deepEqual(keys.map((key) => key.replaceAll(/[0-9a-f]{16,}/g, "*")).sort(), [
      "objects/*",
      "packs/*/*/pieces",
      "packs/*/*/table",
      "xinglin-store",
    ]);
  });

  test("pieces are rewritten anywhere and in any order, and nothing of the old pack stays", async () => {
    const { store, description } = await made();
    const { objectId, content } = await packed(store, 65);
    const before = await store.open(objectId); // a reader that has opened the pack keeps reading while it is replaced
    const pack = await store.open(objectId);
    for (const index of [0, 1, 30, 64, 7]) {
      const piece = randomBytes(PIECE);
      content.set(piece, index * PIECE);
      await pack!.rewrite(index * PIECE, piece);
    }
    await pack!.settle(content.length);
    await pack!.close();
    assert.equal(Buffer.compare(await contentOf(store, objectId, content.length), content), 0);
    const piece = new Uint8Array(PIECE);
    assert.ok(await before!.read(7 * PIECE, piece));
    assert.equal(Buffer.compare(piece, content.subarray(7 * PIECE, 8 * PIECE)), 0);
    assert.ok((await before!.readDocument("table", 500)) !== undefined);
    assert.equal((await keysOf(description)).length, 4);
  });

  test("a rewrite that is given up leaves the pack as it was", async () => {
    const { store, description } = await made();
    const { objectId, content } = await packed(store, 25);
    const pack = await store.open(objectId);
    for (let index = 0; index < 25; index++) await pack!.rewrite(index * PIECE, randomBytes(PIECE));
    await pack!.close();
    assert.equal(Buffer.compare(await contentOf(store, objectId, content.length), content), 0);
    assert.equal((await keysOf(description)).length, 4);
  });

  test("a repair puts a new pack in the place of one that is damaged", async () => {
    const { store, description } = await made();
    const { objectId } = await packed(store, 1);
    await new S3Bucket(description).put(`objects/${toHex(objectId)}`, Buffer.from("not a marker"));
    assert.equal(await store.open(objectId), undefined);
    const stage = await store.stage(objectId, 5, "repair", stageOwner);
    await stage.write(0, randomBytes(100));
    await stage.settle();
    await stage.publish();
    assert.equal((await contentOf(store, objectId, 100)).length, 100);
    assert.equal((await keysOf(description)).length, 3);
  });

  test("whatever a dead process was at is collected, and what it had finished stays", async () => {
    const { store, description } = await made();
    const kept = await packed(store, 1);
    const bucket = new S3Bucket(description);
    const complete = await keysOf(description);
    const name = toHex(kept.objectId);
    const dead = new Uint8Array(randomBytes(16));
    const pack = await store.stage(dead, 1, "import", deadOwner);
    for (let index = 0; index < 45; index++) await pack.write(index * PIECE, new Uint8Array(PIECE));
    await (await store.stage(kept.objectId, 3, "repair", deadOwner)).writeDocument("table", randomBytes(10));
    await bucket.put(`incoming/${name}.removal.${deadOwner}.0123456789abcdef`, new Uint8Array(0)); // it died before it removed anything
    await bucket.begin(`packs/${name}/fedcba9876543210/pieces`); // an answer that was lost: nobody knows of this upload
    await bucket.put("incoming/note", Buffer.from("not ours"));

    const stale = await new S3Store(description).collect();
    assert.deepEqual(stale.map(({ objectId, purpose }) => `${purpose} ${toHex(objectId)}`).sort(), [
      `import ${toHex(dead)}`,
      `repair ${name}`,
    ]);
    assert.deepEqual(await keysOf(description), ["incoming/note", ...complete]);
  });

  test("an import that died after its marker was there, but before it was over, is rolled back", async () => {
    const { store, description } = await made();
    const { objectId } = await packed(store, 1);
    const key = (await keysOf(description)).find((name) => name.startsWith("packs/"))!;
    const generation = key.split("/")[2]!;
    const stage = `incoming/${toHex(objectId)}.import.${deadOwner}.${generation}`;
    await new S3Bucket(description).put(stage, new Uint8Array(0));
    assert.equal((await store.collect()).length, 1);
    assert.deepEqual(await keysOf(description), ["xinglin-store"]);
  });

  test("a quota bounds what is written, and is counted again by who opens the store anew", async () => {
    const { store, description } = await made({ quotaBytes: 1000 });
    assert.equal((await store.room()).freeBytes, 1000);
    const objectId = new Uint8Array(randomBytes(16));
    const pack = await store.stage(objectId, 0, "import", stageOwner);
    await pack.write(0, randomBytes(600));
    assert.equal((await store.room()).freeBytes, 400);
    await pack.writeDocument("table", randomBytes(400));
    await assert.rejects(pack.write(600, randomBytes(1)), fault("disk_full", { store: "one" }));
    await pack.settle();
    await pack.publish();
    assert.equal((await new S3Store(description).room()).freeBytes, 0);
    // Another spelling of the place, so that nothing is remembered.
    const elsewhere = new S3Store({ ...description, url: `${description.url}/` });
    assert.equal((await elsewhere.room()).freeBytes, 0);
    await store.remove(objectId);
    assert.equal((await store.room()).freeBytes, 1000);
  });

  test("a bucket or prefix that another store uses is refused, one beside it is not", async () => {
    const { description } = await made();
    const others = [{ member: "b" }, { id: "two" }];
    for (const other of others) {
      const store = new S3Store({ ...description, ...other });
      await assert.rejects(store.create(), fault("store_taken", { holder: "a/one" }));
      await assert.rejects(store.stage(randomBytes(16), 0, "import", stageOwner), fault("store_taken"));
      assert.equal(await store.isPresent(), false);
    }
    const beside = new S3Store({ ...description, id: "two", url: `${description.url}-2` });
    await beside.create();
    assert.equal(await beside.isPresent(), true);
  });

  test("credentials are refused: unknown, wrong, or in a file that others can read", async () => {
    const description = fresh();
    await new S3Store(description).create();
    const file = join(server.folder, "other-credentials");
    const write = (id: string, secret: string): Promise<void> =>
      writeFile(
        file,
        `# from the storage team\n[xinglin]\naws_access_key_id=${id}\naws_secret_access_key=${secret}\n[x]\naws_access_key_id=y\n`,
      );
    const asked = (): Promise<unknown> => new S3Store({ ...description, credentialsFile: file }).list();
    await assert.rejects(asked(), fault("s3_credentials_missing", { store: "one" }));
    await write("NOBODY", ACCESS.secret);
    await chmod(file, 0o644);
    await assert.rejects(asked(), fault("s3_credentials_open"));
    await chmod(file, 0o600);
    await assert.rejects(asked(), fault("s3_refused", { store: "one" }));
    await write(ACCESS.id, "wrong");
    await assert.rejects(asked(), fault("s3_refused", { reason: "SignatureDoesNotMatch" }));
    await write(ACCESS.id, ACCESS.secret);
    assert.deepEqual(await asked(), [], "a file that was put right is read again");
  });

  test("a bucket that is gone says so, and a server that is gone is absent", async () => {
    const { store } = await made();
    const never = new S3Store(fresh());
    await assert.rejects(never.list(), fault("s3_bucket_missing", { store: "one" }));
    assert.equal(await never.isPresent(), false);
    await server.kill();
    await assert.rejects(store.list(), fault("store_absent", { store: "one" }));
    assert.equal(await store.isPresent(), false);
    await server.resume();
    assert.equal(await store.isPresent(), true);
  });
});
