import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { COMPILE_CACHE, newDataFolder, type Running, removeDataFolder, startConsortium } from "./running-consortium.ts";
import { DECODED_SECRETS, DICOM_SECRETS, fhirSecrets, filesOf, keySecrets, scanFolder, secretsIn } from "./secrets.ts";

const folders: string[] = [];
const running: Running[] = [];
const start = (data: string, ...args: string[]): Running => {
  const started = startConsortium(data, ...args);
  running.push(started);
  return started;
};
const newFolder = (): string => {
  const data = newDataFolder();
  folders.push(data);
  return data;
};
after(async () => {
  for (const one of running) await one.stop();
  for (const data of folders) removeDataFolder(data);
});

/** What the story must have said, in this order; each line is the outcome of a check that throws otherwise. */
const SCENES = [
  /CT study: \d+ instances/,
  /the whole signed transaction (\d+) bytes/,
  /gender "男" is refused: Bundle\.entry\[\d+\].*GB\/T 2261\.1/s,
  /FHIR Bundle: \d+ resources, valid/,
  /consent 1, block/,
  /Permit 1, decided in block/,
  /6 custodians verified the permit/,
  /Now 4 store folders are really renamed away, 10 are left/,
  /Byte-identical/,
  /refused \(not_permitted\)/,
  /proved by a block header/,
  /The patient narrows consent 1/,
  /The patient revokes consent 1/,
  /refused \(none_in_force\)/,
  /Permit 2 from before the restriction: all 6 custodians refuse/,
  /now version 2; the trail: key [0-9a-f]{16}, work station [0-9a-f]{32}, block time .* \+08:00/,
  /the old version 1 .* is still provable/,
  /version 2, 1\.\d MB\. 1\.\d MB of pictures were kept already and are not stored again; new on all stores: [\d.]+ kB/,
  /audit: store commission-1, object [0-9a-f]{32}, stripe 0/,
  /audit: table accesses, row \d+, purpose/,
  /audited again: all well/,
  /it proves: after block \d+ .* there was nothing under/,
  /it assumes: from height \d+ on a single key signs/,
];

test("the whole story, with every custodian in a process of its own, then a later start as everything was", async () => {
  const data = newFolder();
  const first = start(data, "--study", "real", "--custodians", "separate");
  const [link] = await first.said(/http:\/\/localhost:\d+\/#enrol=[\w-]+/);
  assert.ok(link.length > 100);
  let rest = first.output();
  for (const scene of SCENES) {
    const match = scene.exec(rest);
    assert.ok(match, `not said, or not in its place: ${scene}\n${first.output()}`);
    rest = rest.slice(match.index + match[0].length);
  }
  const onChain = /an operation of (\d+) bytes, the whole signed transaction (\d+) bytes/.exec(first.output());
  assert.ok(Number(onChain?.[1]) < 1024, "the study costs less than 1 KB on the chain");
  assert.ok(Number(onChain?.[2]) < 1100, "with its pixels, which are an object of their own, hardly more");
  assert.equal(await first.stop(), 0);

  const second = start(data, "--study", "real");
  await second.said(/everything is as it was[\s\S]*#enrol=/);
  const height = (output: string): number => Number(/is open at height (\d+)/.exec(output)?.[1]);
  assert.ok(height(second.output()) > 40);
  assert.equal(await second.stop(), 0);

  const secrets = readdirSync(data, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /(administration|custodian|validator)\.json$|\.key$/.test(entry.name),
  );
  assert.ok(secrets.length >= 13);
  for (const { parentPath, name } of secrets)
    assert.equal(statSync(join(parentPath, name)).mode & 0o077, 0, `${name} is for its owner only`);
});

test("no name, no clinical value and no key of the story stands where it does not belong", () => {
  const data = folders[0] as string;
  const outputs = running.map((one) => one.output()).join("\n");
  const keySeeds = keySecrets(data);
  assert.ok(keySeeds.length >= 4 * 25, `${keySeeds.length} spellings of seeds`);
  const secrets = [...DICOM_SECRETS, ...DECODED_SECRETS, ...fhirSecrets(), ...keySeeds];
  const { findings, files } = scanFolder(data, secrets);
  assert.deepEqual(findings, []);
  assert.deepEqual(secretsIn(Buffer.from(outputs), secrets), []);
  assert.ok(!outputs.includes("王"));
  for (const part of ["ledger/", "index/", "stores/", "custodians/"])
    assert.ok(filesOf(join(data, part)).length > 0, `${part} was scanned`);
  assert.ok(files > 500, `${files} files`);

  // The scan would have found them: they do stand in the originals and in what the doctor received.
  const whatIn = (folder: string): Set<string> =>
    new Set(filesOf(folder).flatMap((path) => secretsIn(readFileSync(path), [...DICOM_SECRETS, ...fhirSecrets()])));
  const own = whatIn(join(data, "members", "hospital-a", "originals"));
  assert.deepEqual(
    fhirSecrets().filter(({ what }) => !own.has(what)),
    [],
  );
  const received = whatIn(join(data, "received"));
  assert.deepEqual(
    DICOM_SECRETS.filter(({ what }) => !received.has(what)),
    [],
  );
  const planted = join(newFolder());
  mkdirSync(join(planted, "ledger"), { recursive: true });
  for (const [i, one] of secrets.entries()) {
    const path = join(planted, "ledger", `${i}.log`);
    writeFileSync(path, Buffer.alloc(1000, i));
    appendFileSync(path, Buffer.concat([one.bytes, Buffer.alloc(10)]));
  }
  assert.equal(scanFolder(planted, secrets).findings.length >= secrets.length, true);
});

test("the evidence of a story verifies offline with the genesis, and not with another or with a changed byte", async () => {
  const data = folders[0] as string;
  const main = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
  const verify = (...args: string[]) =>
    promisify(execFile)(process.execPath, [main, "evidence", "verify", ...args, "--lang", "en"], {
      env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
    });
  const { stdout } = await verify(join(data, "evidence.cbor"), "--genesis", join(data, "genesis.cbor"));
  assert.match(stdout, /The evidence holds/);
  assert.match(stdout, /requestAccess, refused \(not_permitted\)/);
  await assert.rejects(verify(join(data, "story.json"), "--genesis", join(data, "genesis.cbor")), /malformed/);
  assert.ok(readFileSync(join(data, "evidence.cbor")).length < 20_000);
});

test("says what to do when it can't start, and leaves nothing half-written", async () => {
  const busy = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => busy.once("listening", resolve));
  const { port } = busy.address() as { port: number };
  const refused = async (pattern: RegExp, ...args: string[]): Promise<void> => {
    const data = newFolder();
    const one = start(data, "--empty", ...args);
    await one.said(pattern);
    assert.notEqual(await one.stop(), 0);
  };
  await Promise.all([
    refused(/port_in_use/, "--port", String(port)),
    refused(/tls_required/, "--host", "0.0.0.0"),
    refused(/option_wrong/, "--port", "99999"),
    refused(/option_wrong/, "--study", "many"),
    refused(/option_wrong/, "--nonsense"),
  ]);
  busy.close();

  const data = folders[0] as string;
  const holder = start(data, "--empty");
  await holder.said(/Ready after/);
  const other = start(data, "--empty");
  await other.said(/folder_in_use/);
  assert.notEqual(await other.stop(), 0);
  assert.equal(await holder.stop(), 0);
});

test("--reset deletes a consortium's folder and no other", async () => {
  const strange = newFolder();
  const refused = start(join(strange, ".."), "--reset", "--empty");
  await refused.said(/reset_refused/);
  assert.notEqual(await refused.stop(), 0);
  assert.ok(existsSync(join(strange, "..")));
});
