/** Whole objects over fourteen S3 stores on a real server: there and back, audited, repaired; killed importers, and a server that goes away. */
import assert from "node:assert/strict";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { toHex } from "@xinglin/primitives";
import { auditPossession, repair } from "../src/audit.ts";
import { ingest } from "../src/ingest.ts";
import { retrieve } from "../src/retrieve.ts";
import type { S3Description } from "../src/store/description.ts";
import { collectStages, openStores, removeOrphans } from "../src/store/open.ts";
import { S3Bucket } from "../src/store/s3-bucket.ts";
import type { Store } from "../src/store/store.ts";
import { closeWorkers } from "../src/work/pool.ts";
import { contentBelow, FOURTEEN, fault, temporaryFolder } from "./support/consortium.ts";
import { findServer, S3Server } from "./support/versitygw.ts";

const found = await findServer();
const skip = "missing" in found ? found.missing : false;
const child = fileURLToPath(new URL("./support/s3-importing-child.ts", import.meta.url));

type Importer = ChildProcessByStdio<null, Readable, null>;
/** A process that imports objects of so many bytes, the first a small one. */
const importInto = (stores: readonly Store[], bytes: number): Importer =>
  spawn(process.execPath, [child, JSON.stringify(stores.map(({ description }) => description)), `${bytes}`], {
    stdio: ["ignore", "pipe", "inherit"],
  });
/** Reads what an importer says until `isEnough` likes it, waits, kills it, and returns all that it had said. */
async function killWhen(importer: Importer, isEnough: (told: string) => boolean, delayMs = 0): Promise<string> {
  let told = "";
  const closed = once(importer, "close");
  try {
    await new Promise<void>((resolve) => {
      importer.stdout.setEncoding("utf8").on("data", (text: string) => {
        told += text;
        if (isEnough(told)) resolve();
      });
      importer.on("close", () => resolve());
    });
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  } finally {
    importer.kill("SIGKILL");
    await closed;
  }
  assert.equal(importer.signalCode, "SIGKILL");
  return told;
}

describe("archive objects on fourteen S3 stores", { skip }, () => {
  let server: S3Server;
  let count = 0;
  before(async () => {
    server = await S3Server.start((found as { path: string }).path);
  });
  after(async () => {
    await closeWorkers();
    await server.end();
  });

  /** Six members with a bucket each, and a prefix of it for every store that they lend. */
  const lend = async (): Promise<{ stores: Store[]; bucket: S3Bucket }> => {
    const name = `lent-${count++}`;
    const descriptions = FOURTEEN.map((member, i): S3Description => {
      const url = `${server.url}/${name}/store-${i}`;
      return { kind: "s3", id: `${member}-${i}`, member, url, credentialsFile: server.credentialsFile };
    });
    const stores = await openStores(descriptions, { create: true });
    return { stores, bucket: new S3Bucket({ ...descriptions[0]!, url: `${server.url}/${name}` }) };
  };
  /** All keys and unfinished uploads of a bucket, without the stores' own notes. */
  const keysOf = async (bucket: S3Bucket): Promise<string[]> => {
    const keys = (await bucket.uploads("")).map(({ key }) => `upload ${key}`);
    for await (const { key } of bucket.list("")) if (!key.endsWith("xinglin-store")) keys.push(key);
    return keys;
  };

  test("an object goes there and back, and is read, audited and repaired when four stores have lost or spoiled it", async (t) => {
    const { stores, bucket } = await lend();
    const content = randomBytes(20_000_000); // eight stripes
    const { objectId, key, reference } = await ingest([{ path: "x", content }], { stores });
    assert.equal((await auditPossession(reference, objectId, stores)).intact, true);

    const object = toHex(objectId);
    const packOf = async (store: number): Promise<string> => {
      for await (const { key: name } of bucket.list(`store-${store}/packs/${object}/`)) if (name.endsWith("/pieces")) return name;
      throw new Error("no pack");
    };
    await bucket.remove(`store-0/objects/${object}`); // no longer named: the pack counts as lost
    await bucket.remove(await packOf(1));
    const spoiled = await packOf(2);
    const pieces = (await bucket.get(spoiled, 10_000_000))!.bytes;
    for (let at = 5; at < pieces.length; at += 262_160) pieces[at]! ^= 1;
    await bucket.put(spoiled, pieces);
    const cut = await packOf(3);
    await bucket.put(cut, (await bucket.get(cut, 10_000_000))!.bytes.subarray(0, 700_000));

    const folder = await temporaryFolder(t);
    const degraded = await retrieve(reference, objectId, key, stores, join(folder, "degraded"));
    assert.equal(Buffer.compare((await contentBelow(join(folder, "degraded"))).get("x")!, content), 0);
    const wrong = degraded.troubles.filter(({ kind }) => kind !== "slow"); // on a busy machine another may be
    assert.deepEqual([...new Set(wrong.map(({ store }) => store))].sort(), ["a-0", "a-1", "a-2", "b-3"]);

    const record = await repair(reference, objectId, stores);
    assert.deepEqual([record.before.intact, record.after.intact], [false, true]);
    assert.deepEqual(record.repaired.map(({ store, wholePack }) => `${store} ${wholePack}`).sort(), [
      "a-0 true",
      "a-1 false",
      "a-2 false",
      "b-3 false",
    ]);
    const kinds = (await keysOf(bucket)).map((name) => name.replace(/^store-\d+\/(\w+)\/.*?(\w*)$/, "$1 $2").replace(object, ""));
    const counts = Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length]));
    assert.deepEqual(counts, { "objects ": 14, "packs manifest": 14, "packs pieces": 14, "packs table": 14 });
    for (const store of stores) await store.remove(objectId);
    assert.deepEqual(await keysOf(bucket), []);
  });

  test("so it does under SM4 and SM3", async (t) => {
    const { stores } = await lend();
    const content = randomBytes(3_000_000);
    const { objectId, key, reference } = await ingest([{ path: "x", content }], { stores, profile: "national" });
    for (const store of stores.slice(0, 4)) await store.remove(objectId);
    const folder = await temporaryFolder(t);
    await retrieve(reference, objectId, key, stores, join(folder, "degraded"));
    assert.equal(Buffer.compare((await contentBelow(join(folder, "degraded"))).get("x")!, content), 0);
    const record = await repair(reference, objectId, stores);
    assert.deepEqual([record.before.intact, record.after.intact, record.repaired.length], [false, true, 4]);
  });

  test("an importer that is killed half-way leaves nothing once its stages are collected", async () => {
    const { stores, bucket } = await lend();
    const importer = importInto(stores, 80_000_000); // eight megabytes a store: an upload of more than one part
    // Far into the second object: no store takes this much before its first part has arrived.
    const told = await killWhen(importer, (text) => {
      const reached = /at ([0-9]+)\n$/.exec(text.slice(text.indexOf("done ")));
      return text.includes("done ") && Number(reached?.[1]) > 70_000_000;
    });
    const acknowledged = /done ([0-9a-f]{32})\n/.exec(told)![1]!;
    const left = await keysOf(bucket);
    assert.ok(
      left.some((key) => key.startsWith("upload ")),
      "the kill came when an upload was open",
    );
    assert.ok(left.filter((key) => key.includes("/incoming/")).length === 14, "and every store was being written");

    assert.equal((await collectStages(stores)).length, 1);
    for (const store of stores) assert.deepEqual(await store.list(), [acknowledged]);
    const rest = await keysOf(bucket);
    assert.equal(rest.length, 14 * 4, "of the object that was acknowledged: marker, pack, table and manifest on each store");
    assert.ok(rest.every((key) => key.includes(acknowledged)));
  });

  test("kill -9 at any instant loses nothing acknowledged and leaves nothing else", async () => {
    const { stores, bucket } = await lend();
    const acknowledged = new Set<string>();
    let caught = 0;
    for (const delayMs of [0, 40, 90, 150]) {
      const told = await killWhen(importInto(stores, 30_000), (text) => text.includes("done "), delayMs); // somewhere in the next object
      for (const [, object] of told.matchAll(/done ([0-9a-f]{32})\n/g)) acknowledged.add(object!);
      caught += (await collectStages(stores)).length;
      // An import that was whole, but killed before anyone heard of it, can only be told by what the caller keeps.
      assert.ok((await removeOrphans(stores, (object) => acknowledged.has(object))).length <= 1);
      const rest = await keysOf(bucket);
      assert.ok(rest.every((key) => acknowledged.has(/[0-9a-f]{32}/.exec(key)![0])));
      assert.equal(rest.length, acknowledged.size * 14 * 4);
    }
    assert.ok(caught > 0, "no import was caught half-way");
  });

  test("a server that goes away during an import fails it, and nothing is left when it is back", async () => {
    const { stores, bucket } = await lend();
    let gone: Promise<void> | undefined;
    const onProgress = (done: number): void => {
      if (done > 40_000_000) gone ??= server.kill();
    };
    await assert.rejects(
      ingest([{ path: "x", content: randomBytes(90_000_000) }], { stores, onProgress }),
      fault("store_absent"),
    );
    await gone;
    await server.resume();
    assert.ok((await keysOf(bucket)).length > 0, "what was written could not be taken back");
    // The importer lives, so its stages are no dead process's: it takes them back itself when it is asked to forget the object.
    const objects = new Set((await keysOf(bucket)).map((key) => /[0-9a-f]{32}/.exec(key)![0]));
    assert.equal(objects.size, 1);
    for (const store of stores) await store.remove(Buffer.from([...objects][0]!, "hex"));
    assert.deepEqual(await keysOf(bucket), []);
  });
});
