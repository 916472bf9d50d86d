/** Processes that are really killed: the whole consortium in the middle of its story, and an import in the middle of a study. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, watch } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { closeWorkers } from "@xinglin/archive";
import { keys } from "@xinglin/contracts";
import { auditEverything, openGateway } from "@xinglin/gateway";
import { generateStudy, instanceFiles } from "@xinglin/interop";
import type { ActorId } from "@xinglin/primitives";
import type { Consortium } from "../src/consortium.ts";
import { keyReader, readMemory } from "../src/story/stage.ts";
import { CT, leftovers, openData } from "./open-stage.ts";
import { COMPILE_CACHE, newDataFolder, removeDataFolder, startConsortium } from "./running-consortium.ts";

const CLI = fileURLToPath(new URL("../../cli/src/main.ts", import.meta.url));
const data = newDataFolder();
let consortium: Consortium | undefined;
after(async () => {
  await consortium?.close();
  await closeWorkers();
  removeDataFolder(data);
});
/** `xinglin record import` in a process of its own, which gets `signal` when it has begun to write pieces. */
async function interruptedImport(study: string, signal: "SIGKILL" | "SIGINT"): Promise<{ code: number | null; said: string }> {
  const staged = new Promise<void>((resolve) => {
    const watcher = watch(join(storeFolders()[0] as string, "incoming"), () => {
      watcher.close();
      resolve();
    });
  });
  const patient = readMemory(data).patientAtA as ActorId;
  const args = ["record", "import", "dicom", study, "--as", "hospital-a/radiographer", "--patient", patient];
  const child = spawn(process.execPath, [CLI, ...args, "--data", data, "--lang", "en"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, NODE_COMPILE_CACHE: COMPILE_CACHE },
  });
  let said = "";
  const hear = (part: Buffer): void => {
    said += part.toString();
  };
  for (const stream of [child.stdout, child.stderr]) stream.on("data", hear);
  const exited = once(child, "exit");
  await Promise.race([staged, exited]);
  child.kill(signal);
  const [code] = (await exited) as [number | null];
  return { code, said };
}
const storeFolders = (): string[] => (consortium as Consortium).stores.map(({ description }) => description.path);

test("a consortium that was killed in the middle of its story opens again with everything that was acknowledged", async () => {
  const first = startConsortium(data, "--study", "real");
  const [, consentHeight] = await first.said(/consent 1, block (\d+)/);
  const exited = once(first.child, "exit");
  first.child.kill("SIGKILL");
  await exited;
  const { patientAtA, patientAtB, finished } = readMemory(data);
  assert.equal(finished, false, "the story was not over");
  assert.ok(patientAtA !== undefined && patientAtB !== undefined);

  consortium = await openData(data);
  const { ledger, index } = consortium;
  // What was said was acknowledged: registrations, the study, nine records of the Bundle, and the consent.
  assert.ok(ledger.height() >= Number(consentHeight));
  assert.notEqual(ledger.get(keys.consent(patientAtA, 1)), undefined);
  for (const patient of [patientAtA, patientAtB]) assert.notEqual(ledger.get(keys.actor(patient)), undefined);
  for (const alias of ["hospital-a/nurse", "hospital-b/doctor", "hospital-c/doctor", "hospital-a/workstation-7"])
    assert.notEqual(ledger.get(keys.actor(keyReader(data)(alias).actor)), undefined, alias);
  const commission = keyReader(data)("commission/administration");
  const gateway = openGateway(data, "en");
  const report = await auditEverything(gateway, commission);
  assert.equal(report.objects, 11, "the study and its pixels, and the Bundle by its nine classes");
  assert.deepEqual([report.pieces, report.rows], [[], []]);
  assert.equal(index.sequence, ledger.entryCount());
  assert.deepEqual(readdirSync(join(data, "imports")), []);

  // And it goes on: the chain takes new transactions.
  const before = ledger.height();
  const receipt = await gateway.client.submit(commission, [{ op: "setMemberStatus", id: commission.member, status: "active" }]);
  assert.ok(receipt.height > before);
});

test("an import that is killed in the middle of a study leaves nothing once the consortium starts again", async () => {
  assert.ok(consortium !== undefined, "the test before opened it");
  const before = { files: leftovers({ data, storeFolders: storeFolders() }), entries: consortium.ledger.entryCount() };
  const study = join(data, "..", "study");
  mkdirSync(study);
  await generateStudy({ from: await instanceFiles(CT), outputFolder: study, sizeBytes: 60_000_000, seed: 3 });

  const { code, said } = await interruptedImport(study, "SIGKILL");
  assert.equal(code, null, `it ended by itself: ${said}`);
  const left = leftovers({ data, storeFolders: storeFolders() });
  assert.ok(left.length > before.files.length, "it was killed while it wrote");
  assert.equal(left.filter((path) => path.startsWith(join(data, "imports"))).length, 1, "and had written down what it began");

  // While the process that is named lives nothing is touched; this one is dead, so the next start cleans up.
  await consortium.close();
  consortium = await openData(data);
  assert.equal(consortium.orphans, 1);
  assert.deepEqual(leftovers({ data, storeFolders: storeFolders() }), before.files);
  assert.equal(consortium.ledger.entryCount(), before.entries, "nothing was anchored");
});

test("an import that is stopped by ctrl-C says so and leaves nothing at once", async () => {
  assert.ok(consortium !== undefined, "the tests before opened it");
  const before = { files: leftovers({ data, storeFolders: storeFolders() }), entries: consortium.ledger.entryCount() };
  const { code, said } = await interruptedImport(join(data, "..", "study"), "SIGINT");
  assert.equal(code, 1, said);
  assert.match(said, /\[aborted\]/);
  assert.deepEqual(leftovers({ data, storeFolders: storeFolders() }), before.files);
  assert.equal(consortium.ledger.entryCount(), before.entries);
});
