/** The commands of the guides "lend storage" and "archive and retrieve", in their order, with real stores of each kind that this machine has. */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { findServer, S3Server } from "@xinglin/archive/testing/s3-server";
import { ensureIpfsNode, startIpfsNode } from "@xinglin/engines";
import { freePorts } from "@xinglin/engines/testing";
import { Fault } from "@xinglin/primitives";
import { assertSameCommands, blocksOf, guideText, root, runBlocks, startConsortium } from "./guide-runner.ts";

/** What not every machine has: blocks that need it say so. */
const NEEDS = ["s3", "ipfs"];

for (const name of ["lend-storage", "archive-and-retrieve"])
  test(`the Chinese guide ${name} has the same commands`, () => assertSameCommands(name, NEEDS));

test("every command of the guide to lending works, in its order", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "xl-"));
  const ends: (() => Promise<void>)[] = [];
  try {
    const replaced = new Map<string, string>();
    const found = await findServer();
    if ("missing" in found) context.diagnostic(`not run: S3 (${found.missing})`);
    else {
      const server = await S3Server.start(found.path);
      ends.push(() => server.end());
      mkdirSync(join(server.folder, "buckets", "idle"));
      copyFileSync(server.credentialsFile, join(folder, "s3-credentials"));
      replaced.set("https://s3.hospital.example/idle", `${server.url}/idle`);
    }
    const program = await ensureIpfsNode().catch((error: unknown) => {
      if (error instanceof Fault && error.code === "go_missing") return undefined;
      throw error;
    });
    if (program === undefined) context.diagnostic("not run: IPFS (Go is not installed)");
    else {
      const node = await startIpfsNode({ program, folder: join(folder, "ipfs") });
      ends.push(() => node.stop());
      replaced.set("http://127.0.0.1:5001", node.api);
    }
    const present = NEEDS.filter((_, i) => [!("missing" in found), program !== undefined][i]);
    let script = blocksOf(guideText("lend-storage.md"), present).join("\n");
    const named = [...new Set(script.match(/\b(266[1-9][0-9]|8770)\b/g))];
    const ports = await freePorts(named.length);
    for (const [i, port] of named.entries()) replaced.set(port, String(ports[i]));
    for (const [from, to] of replaced) script = script.replaceAll(from, to);
    const told = await runBlocks([script], folder);
    for (const sentence of [
      /Lent hospital-a-4: 500\.0 MB, in block \d+/,
      /hospital-a-4 \(hospital-a, directory\): 500\.0 MB; building north-wing, city hangzhou, power grid-1\n {2}holds 0 objects/,
      /more than its disk has free.*\[store_quota_beyond_disk\]/,
      /belongs to another store.*\[store_taken\]/,
      /hospital-a-4 \(hospital-a, directory\): withdrawn/,
    ])
      assert.match(told, sentence);
    if (present.includes("s3")) assert.match(told, /Lent hospital-a-bucket/);
    if (present.includes("ipfs")) assert.match(told, /Lent hospital-a-ipfs/);
    assert.equal(told.match(/Stopped$/gm)?.length, 2, "the node stopped in order, both times");
  } finally {
    for (const end of ends) await end();
    rmSync(folder, { recursive: true, force: true });
  }
});

test("every command of the guide to archiving works, in its order", async () => {
  const folder = mkdtempSync(join(tmpdir(), "xa-"));
  symlinkSync(join(root, "examples"), join(folder, "examples"));
  try {
    const stop = await startConsortium(folder);
    try {
      const told = await runBlocks(blocksOf(guideText("archive-and-retrieve.md")), folder);
      for (const sentence of [
        /\(imaging\/sensitive\): 12\.1 MB, stored 7\.\d MB/,
        /0 columns missing: 2 objects/,
        /stored 7\.\d MB as 10\+4, \d+ bytes on the chain/,
        /imports now get 10\+4, 1\.40 times their size: readable 99\.99998\d* % of the time/,
        /store hospital-a-1: absent, read around/,
        /Fetched 12\.1 MB \(\d+ pieces recomputed\), every piece and file checked/,
        /\[archive_unrecoverable\]/,
        /5 columns missing: 2 objects\nUNREADABLE now/,
        /\[audit_found\]/,
        /belongs to the tier cold.*\[tier_without_stores\]/,
        /Repaired 0 objects, 0 pieces; 2 could not be \(store_absent\)/,
        /Repaired 2 objects, [1-9]\d* pieces; 0 could not be/,
        /everything is as the ledger says/,
        /pieces of [0-9a-f]{32} dropped on 14 stores/,
        /The certificate holds .* has ended/,
        /so it is gone/,
        /^0 objects;/m,
      ])
        assert.match(told, sentence);
      assert.ok(!existsSync(join(folder, "received-of-nine")), "nothing of an object that is not whole comes out");
    } finally {
      await stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
