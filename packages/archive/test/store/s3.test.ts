/** The store in a bucket, on a real server: the contract, its quota, whose it is, and what it leaves behind. */
import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { describeStore } from "../../src/store/contract.ts";
import type { S3Description } from "../../src/store/description.ts";
import { S3Bucket } from "../../src/store/s3-bucket.ts";
import { S3Store } from "../../src/store/s3-store.ts";
import { findServer, S3Server } from "../support/versitygw.ts";

const found = await findServer();
const skip = "missing" in found ? found.missing : false;

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
  const keysOf = async (description: S3Description): Promise<string[]> => {
    const keys: string[] = [];
    for await (const { key } of new S3Bucket(description).list("")) keys.push(key);
    return keys;
  };

  describeStore("S3", async () => {
    const description = fresh();
    const store = new S3Store(description);
    await store.create();
    return {
      store,
      reopen: () => new S3Store(description),
      vanish: async () => {
        const bucket = new S3Bucket(description);
        for (const key of await keysOf(description)) await bucket.remove(key);
      },
      dispose: async () => {
        assert.deepEqual(await new S3Bucket(description).uploads(""), []);
      },
    };
  });
});
