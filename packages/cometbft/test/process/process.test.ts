import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { hostAndPort } from "../../src/process/port.ts";
import { RotatingLog } from "../../src/process/rotating-log.ts";
import { runFolder } from "../../src/process/run-folder.ts";
import { emptyFolder } from "../support/network.ts";

test("a log does not grow beyond its bound and one old file, and keeps the last lines at hand", async (context) => {
  const path = join(await emptyFolder(context), "engine.log");
  const log = new RotatingLog(path, 1_000);
  for (let i = 0; i < 100; i++) assert.deepEqual(log.write(`line ${i} ${"x".repeat(20)}\n`).length, 1);
  assert.deepEqual(log.write("not yet "), []);
  assert.deepEqual(log.write("whole\n"), ["not yet whole"]);
  log.close();
  assert.equal(log.lastLines().at(-1), "not yet whole");
  assert.equal(log.lastLines().length, 20);
  const [now, old] = [await readFile(path, "utf8"), await readFile(`${path}.old`, "utf8")];
  assert.ok(now.length <= 1_100 && old.length <= 1_100);
  assert.ok(now.endsWith("not yet whole\n"));
});

test("an address is a host and a port, IPv6 in brackets", () => {
  assert.deepEqual(hostAndPort("127.0.0.1:26656"), { host: "127.0.0.1", port: 26_656 });
  assert.deepEqual(hostAndPort("[::1]:1"), { host: "::1", port: 1 });
  for (const wrong of ["127.0.0.1", ":1", "a:99999", "a:b"])
    assert.throws(() => hostAndPort(wrong), { code: "malformed" }, wrong);
});

test("sockets lie in the data folder, or where its path is too long for a socket, elsewhere", async (context) => {
  const folder = await emptyFolder(context);
  const near = await runFolder(folder);
  assert.ok(near.pathOf("abci.sock").startsWith(folder));
  const far = await runFolder(join(folder, "x".repeat(100)));
  assert.ok(far.pathOf("abci.sock").length < 100);
  await near.remove();
  await far.remove();
});
