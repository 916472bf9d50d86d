import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { blocksOf, CLI, guideText, root, runBlocks, startConsortium } from "./guide-runner.ts";

let folder: string;
let stop: () => Promise<void>;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "xinglin-guide-"));
  symlinkSync(join(root, "examples"), join(folder, "examples"));
  stop = await startConsortium(folder);
});
after(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

const xinglin = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args, "--lang", "en"], { cwd: folder });

test("every command of the guide works, in its order", async () => {
  const blocks = blocksOf(guideText("share-a-study.md"));
  assert.ok(blocks.length >= 10);
  const stdout = await runBlocks([...blocks, "test ! -e refused"], folder);
  for (const told of [
    /valid: 4 instances/,
    /every piece and file checked/,
    /version 2 \(medication/,
    /erased its share of version \d+ and signed/,
    /pieces of [0-9a-f]{32} dropped on 14 stores/,
    /stores still show 0 packs, 0 stores could not be asked; 10 packs would be needed/,
    /The certificate holds .* has ended/,
    /6 of 6 custodians erased their shares/,
    /everything is as the ledger says/,
    /The evidence holds/,
  ])
    assert.match(stdout, told);
});

test("a command that can't work says why, by code, and with an exit code", async () => {
  const refused = (code: string, ...args: string[]) =>
    assert.rejects(xinglin(...args), (error: { code: number; stderr: string }) => {
      assert.match(error.stderr, new RegExp(code));
      return error.code === (code.startsWith("option") ? 2 : 1);
    });
  await refused("option_wrong", "status", "--nonsense");
  await refused("option_missing", "read", "--as", "hospital-b/doctor", "--data", "my-consortium");
  await refused("key_file_missing", "accesses", "--as", "hospital-z/doctor", "--data", "my-consortium");
  await refused("data_folder_unreadable", "status", "--data", "nowhere");
  await refused("file_missing", "validate", "fhir", "nothing.json");
  await refused("ledger_locked", "backup", "--data", "my-consortium", "--to", "my-backup");
  await assert.rejects(xinglin("no-such-command"), { code: 2 });
});

test("a used link and a taken name leave the key that is there", async () => {
  const common = ["--data", "my-consortium"];
  const get = async (name: string, ...args: string[]): Promise<string> =>
    (await xinglin(...args, ...common, "--get", name)).stdout.trim();
  const link = await get("link", "patient", "register", "--as", "hospital-a/registrar");
  const patient = await get("patient", "patient", "enrol", "--link", link);
  const phone = join(folder, "my-consortium/members/phone/staff", `${patient}.json`);
  const before = readFileSync(phone);
  await assert.rejects(xinglin("patient", "enrol", "--link", link, ...common), { code: 1 });
  assert.deepEqual(readFileSync(phone), before);
  const nurse = readFileSync(join(folder, "my-consortium/members/hospital-a/staff/nurse.json"));
  const again = [
    "staff",
    "register",
    "--as",
    "hospital-a/administration",
    "--name",
    "nurse",
    "--role",
    "nurse",
    "--department",
    "X",
  ];
  await assert.rejects(xinglin(...again, ...common), (error: { stderr: string }) => /\[key_file_exists\]/.test(error.stderr));
  assert.deepEqual(readFileSync(join(folder, "my-consortium/members/hospital-a/staff/nurse.json")), nurse);
});

test("a backup restores keys and ledger; a changed one is refused", async () => {
  await stop();
  await xinglin("backup", "--data", "my-consortium", "--to", "my-backup");
  await assert.rejects(xinglin("backup", "--data", "my-consortium", "--to", "my-backup"), /destination_exists/);
  await xinglin("restore", "--data", "my-restored", "--from", "my-backup");
  assert.deepEqual(
    readFileSync(join(folder, "my-restored/validator.json")),
    readFileSync(join(folder, "my-consortium/validator.json")),
  );
  cpSync(join(folder, "my-backup"), join(folder, "damaged"), { recursive: true });
  rmSync(join(folder, "damaged/genesis.cbor"));
  await assert.rejects(xinglin("restore", "--data", "other", "--from", "damaged"), /backup_damaged/);

  // The restored folder takes the place of the lost one: the ledger goes on, the read model comes back from the chain.
  rmSync(join(folder, "my-consortium"), { recursive: true });
  cpSync(join(folder, "my-restored"), join(folder, "my-consortium"), { recursive: true });
  stop = await startConsortium(folder);
  const { stdout } = await xinglin("status", "--data", "my-consortium", "--json");
  assert.ok((JSON.parse(stdout) as { height: number }).height > 20);
});
