import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { newDataFolder, type Running, removeDataFolder, startConsortium } from "./running-consortium.ts";

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
  const onChain = /the whole signed transaction (\d+) bytes/.exec(first.output());
  assert.ok(Number(onChain?.[1]) < 1024, "the study costs less than 1 KB on the chain");
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

test("the evidence of a story verifies offline with the genesis, and not with another or with a changed byte", async () => {
  const data = folders[0] as string;
  const main = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
  const verify = (...args: string[]) =>
    promisify(execFile)(process.execPath, [main, "evidence", "verify", ...args, "--lang", "en"]);
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
  await refused(/port_in_use/, "--port", String(port));
  await refused(/tls_required/, "--host", "0.0.0.0");
  await refused(/option_wrong/, "--port", "99999");
  await refused(/option_wrong/, "--study", "many");
  await refused(/option_wrong/, "--nonsense");
  busy.close();

  const data = folders[0] as string;
  const holder = start(data, "--empty");
  await holder.said(/Ready after/);
  const other = start(data, "--empty");
  await other.said(/ledger_locked/);
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
