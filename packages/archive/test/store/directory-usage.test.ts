/** What a folder's objects take: as others come, go and are repaired, and without looking at all of them again. */
import assert from "node:assert/strict";
import { mkdir, rm, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { forgetObjectBytes, objectBytes } from "../../src/store/directory-usage.ts";
import { temporaryFolder } from "../support/consortium.ts";

test("objects that come and go are counted, whoever brings and removes them", async (t) => {
  const objects = await temporaryFolder(t);
  const put = async (name: string, bytes: number): Promise<void> => {
    await mkdir(join(objects, name), { recursive: true });
    await writeFile(join(objects, name, "pieces.0"), new Uint8Array(bytes));
  };
  assert.equal(await objectBytes(objects), 0);
  await put("a", 100);
  await put("b", 20);
  assert.equal(await objectBytes(objects), 120);
  await rm(join(objects, "a"), { recursive: true });
  await put("c", 3);
  assert.equal(await objectBytes(objects), 23);
  await put("c", 7); // a repair
  forgetObjectBytes(objects, "c");
  assert.equal(await objectBytes(objects), 27);
});

test("a folder that has not changed for a while is not listed again, and one that has is", async (t) => {
  const objects = await temporaryFolder(t);
  await mkdir(join(objects, "a"));
  await writeFile(join(objects, "a", "table"), new Uint8Array(50));
  const longAgo = new Date(Date.now() - 60_000);
  await utimes(objects, longAgo, longAgo);
  assert.equal(await objectBytes(objects), 50);
  await rm(join(objects, "a"), { recursive: true });
  await utimes(objects, longAgo, longAgo); // as if nothing had happened
  assert.equal(await objectBytes(objects), 50);
  await mkdir(join(objects, "b"));
  assert.equal(await objectBytes(objects), 0);
});
