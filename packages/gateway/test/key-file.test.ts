import assert from "node:assert/strict";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { inspect } from "node:util";
import { verifyVoteWith } from "@xinglin/crypto";
import { nodeCurves, SECRET_SUITES, verifySync } from "@xinglin/crypto/node";
import type { ActorId, MemberId } from "@xinglin/primitives";
import { createKeyFile, readKeyFile, readKeySeed, readValidatorKey, stageKeyFile } from "../src/key-file.ts";

const folder = mkdtempSync(join(tmpdir(), "xinglin-keys-"));
after(() => rmSync(folder, { recursive: true }));

const owner = { actor: "0".repeat(31).concat("1") as ActorId, member: "hospital-a" as MemberId };
const mode = (path: string): number => statSync(path).mode & 0o777;
const seedOf = (path: string): string => (JSON.parse(readFileSync(path, "utf8")) as { seed: string }).seed;
function faultOf(work: () => unknown): { code: string } {
  try {
    work();
  } catch (error) {
    return error as { code: string };
  }
  return assert.fail("nothing was thrown");
}

test("a key file is for its owner only, in a folder that is, and signs the same when read again", async () => {
  const path = join(folder, "staff", "doctor.json");
  const made = createKeyFile(path, { ...owner, withHpke: true });
  assert.equal(mode(path), 0o600);
  assert.equal(mode(join(folder, "staff")), 0o700);
  const read = readKeyFile(path);
  assert.equal(read.actor, owner.actor);
  assert.deepEqual(read.hpkeSeed, made.hpkeSeed);
  const message = Buffer.from("message");
  assert.deepEqual(await read.signer.sign(message), await made.signer.sign(message));
  assert.notDeepEqual(createKeyFile(join(folder, "other.json"), owner).signer.publicKey, made.signer.publicKey);
  assert.deepEqual(readdirSync(join(folder, "staff")), ["doctor.json"], "no temporary file is left");
});

test("a key of each suite signs the same when read again, and the secret of another suite is refused", async () => {
  for (const suite of SECRET_SUITES) {
    const path = join(folder, `${suite}.json`);
    const { signer } = createKeyFile(path, { ...owner, suite });
    const read = readKeyFile(path).signer;
    assert.equal(read.suite, suite);
    assert.deepEqual(read.publicKey, signer.publicKey);
    assert.ok(verifySync(suite, signer.publicKey, new Uint8Array(3), await read.sign(new Uint8Array(3))));
    const text = readFileSync(path, "utf8");
    const other =
      suite === "ed25519-ml-dsa-65" ? text.replace(suite, "sm2") : text.replace('"seed"', '"suite": "ed25519-ml-dsa-65", "seed"');
    writeFileSync(path, other);
    if (suite !== "sm2") assert.equal(faultOf(() => readKeyFile(path)).code, "key_file_unreadable", suite);
  }
  // The suite of a file without one is Ed25519, as files were before there were others.
  createKeyFile(join(folder, "plain.json"), owner);
  assert.ok(!readFileSync(join(folder, "plain.json"), "utf8").includes("suite"));
});

test("a validator's key file says what consensus makes of its seed", () => {
  const verify = verifyVoteWith(nodeCurves);
  const vote = new Uint8Array(5);
  for (const [keyType, bytes] of [
    [undefined, 32],
    ["ed25519", 32],
    ["ml-dsa-65", 1952],
  ] as const) {
    const path = join(folder, `validator-${keyType}.json`);
    createKeyFile(path, { ...owner, ...(keyType === undefined ? {} : { keyType }) });
    const key = readValidatorKey(path);
    assert.equal(key.type, keyType ?? "ed25519");
    assert.equal(key.publicKey.length, bytes);
    assert.ok(verify(key.publicKey, vote, key.sign(vote)));
    assert.deepEqual(readKeySeed(path), key.seed);
  }
});

test("a file that others can read is refused, whoever they are", {
  skip: process.platform === "win32" && "windows: no modes",
}, () => {
  const path = join(folder, "open.json");
  createKeyFile(path, owner);
  for (const bit of [0o040, 0o020, 0o010, 0o004, 0o002, 0o001]) {
    chmodSync(path, 0o600 | bit);
    assert.equal(faultOf(() => readKeyFile(path)).code, "key_file_open", bit.toString(8));
  }
  chmodSync(path, 0o400);
  assert.equal(readKeyFile(path).actor, owner.actor);
});

test("what can't be read is refused without quoting the key", () => {
  const path = join(folder, "broken.json");
  createKeyFile(path, owner);
  const text = readFileSync(path, "utf8");
  const seed = seedOf(path);
  const broken = {
    cut: text.slice(0, -5),
    unquoted: text.replace(`"${seed}"`, seed),
    short: text.replace(seed, seed.slice(1)),
    "not base64url": text.replace(seed, `${seed.slice(1)}%`),
    "wrong type": text.replace("xinglin-key/1", "xinglin-key/2"),
    "another element": text.replace("{", '{"name":"x",'),
    "no actor": text.replace(owner.actor, "NOT AN ID"),
    empty: "",
  };
  for (const [what, content] of Object.entries(broken)) {
    writeFileSync(path, content);
    const fault = faultOf(() => readKeyFile(path));
    assert.equal(fault.code, "key_file_unreadable", what);
    assert.ok(!inspect(fault, { depth: 9, showHidden: true }).includes(seed.slice(1, 20)), what);
  }
  assert.equal(faultOf(() => readKeyFile(join(folder, "nobody.json"))).code, "key_file_missing");
  mkdirSync(join(folder, "a-folder"), { mode: 0o700 });
  assert.equal(faultOf(() => readKeyFile(join(folder, "a-folder"))).code, "key_file_unreadable");
});

test("a staged key replaces the one that is there when it is kept, and not before", () => {
  const path = join(folder, "staged.json");
  createKeyFile(path, owner);
  const before = seedOf(path);
  stageKeyFile(path, owner); // refused, say: tried again below
  const { key, keep } = stageKeyFile(path, owner);
  assert.equal(seedOf(path), before);
  assert.equal(mode(`${path}.new`), 0o600);
  keep();
  assert.notEqual(seedOf(path), before);
  assert.deepEqual(readKeyFile(path).signer.publicKey, key.signer.publicKey);
  assert.equal(mode(path), 0o600);
});
