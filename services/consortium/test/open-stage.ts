/** The consortium in this process, over a temporary folder, with the story's staff and patient: real parts, reached through the public API. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { closeWorkers } from "@xinglin/archive";
import { grantConsent, TrustedChain } from "@xinglin/client";
import type { DirectiveTerms } from "@xinglin/contracts";
import { createSay, type HeldPermit, type KeyOfFile, requestRead, requireAccepted } from "@xinglin/gateway";
import { closeValidator } from "@xinglin/interop";
import type { ActorId, MemberId, RecordId, UnixSeconds } from "@xinglin/primitives";
import { type Consortium, openConsortium } from "../src/consortium.ts";
import { readOptions } from "../src/options.ts";
import { openStage } from "../src/stage-of.ts";
import { registerPeople, registerStoryPatient } from "../src/story/people.ts";
import type { Stage, StoryPatient } from "../src/story/stage.ts";
import { newDataFolder, removeDataFolder } from "./running-consortium.ts";

export const EXAMPLES = fileURLToPath(new URL("../../../examples/", import.meta.url));
export const CT = join(EXAMPLES, "ct");
export const BUNDLE = join(EXAMPLES, "fhir", "record.json");

/** Where tests keep an image of an empty read model, to start from; without it (no test of the read model ran yet) starting takes longer. */
export const TEMPLATE = fileURLToPath(
  new URL("../../../node_modules/.cache/xinglin/pglite-empty-0.5.14.tar.gz", import.meta.url),
);

export interface TestStage extends Stage {
  readonly consortium: Consortium;
  readonly patient: StoryPatient & { readonly atA: KeyOfFile; readonly atB: KeyOfFile };
  close(): Promise<void>;
}

export const openData = (data: string): Promise<Consortium> =>
  openConsortium(readOptions(["--data", data, "--port", "0", "--empty", "--lang", "en"], {}));

/** Opens and populates a consortium; close it in `after`. */
export async function openTestStage(): Promise<TestStage> {
  const data = newDataFolder();
  const options = readOptions(["--data", data, "--port", "0", "--empty", "--lang", "en"], {});
  const consortium = await openConsortium(options, TEMPLATE);
  const stage = openStage(
    consortium,
    options,
    createSay(new URL("../messages/", import.meta.url), "en", () => {}),
  );
  await registerPeople(stage);
  const patient = (await registerStoryPatient(stage)) as TestStage["patient"];
  return {
    ...stage,
    consortium,
    patient,
    async close() {
      await consortium.close();
      await closeWorkers();
      await closeValidator();
      removeDataFolder(data);
    },
  };
}

/** What an import could leave behind: objects and stages on all stores, and entries of the journal. */
export function leftovers({ data, storeFolders }: Pick<Stage, "data" | "storeFolders">): string[] {
  const names = (folder: string): string[] => {
    try {
      return readdirSync(folder).map((name) => join(folder, name));
    } catch {
      return [];
    }
  };
  return [
    ...storeFolders.flatMap((folder) => [...names(join(folder, "objects")), ...names(join(folder, "incoming"))]),
    ...names(join(data, "imports")),
  ].sort();
}

/** Files of the share that `member`'s custodian holds of a record version: `share` and `key`, or `erased`. */
export function shareFiles({ data }: Pick<Stage, "data">, member: string, record: RecordId, version = 1): Record<string, string> {
  const folder = join(data, "custodians", member);
  const names = readdirSync(folder).filter((name) => name.includes(`${record}-${version}-`));
  return Object.fromEntries(names.map((name) => [name.slice(name.lastIndexOf(".") + 1), join(folder, name)]));
}

/** The patient at A lets hospital B read `categories` for treatment; returns the directive's number. */
export async function consent(
  { client }: Stage,
  patient: StoryPatient["atA"],
  categories: DirectiveTerms["categories"],
): Promise<number> {
  const { time } = await client.tip();
  const member = "hospital-b" as MemberId;
  const { hpke } = await (await TrustedChain.of(client)).member(patient, member);
  const receipt = await grantConsent(
    client,
    patient,
    {
      effect: "permit",
      grantees: [{ kind: "institution", member }],
      purposes: ["TREAT"],
      categories,
      levels: ["internal", "sensitive"],
      notBefore: (time - 60) as UnixSeconds,
      notAfter: (time + 86_400) as UnixSeconds,
    },
    [{ id: member, hpke }],
  );
  return requireAccepted(receipt).results[0]?.subject.number ?? 0;
}

/** What the doctor at B is told when asking for a record: a permit, or the code of the refusal. */
export async function ask(
  stage: Stage,
  patient: ActorId,
  record: { record: RecordId; version: number; class: Parameters<typeof requestRead>[2]["class"] },
): Promise<{ held?: HeldPermit; code?: string; sequence?: number }> {
  const by = stage.key("hospital-b/doctor");
  if (by.credential === undefined) throw new Error("the doctor has a credential");
  const decision = await requestRead(stage.gateway, by, {
    patient,
    purpose: "TREAT",
    class: record.class,
    target: { kind: "record", record: record.record, version: record.version },
    credential: by.credential,
  });
  if (decision.permitted) return { held: decision.held };
  const [result] = decision.receipt.results;
  return { code: result?.code ?? "", sequence: result?.sequence ?? -1 };
}

/** As `ask`, where a permit is expected. */
export async function permitted(...asked: Parameters<typeof ask>): Promise<HeldPermit> {
  const { held, code } = await ask(...asked);
  if (held === undefined) throw new Error(`refused: ${code}`);
  return held;
}
