/**
 * Scene 3: a doctor at hospital B reads the study while four store folders are really gone, and gets the very bytes that A imported.
 * Source: requirements C3, D5; design.md, "Consent, access, custody".
 */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import {
  type Anchored,
  bytesText,
  fetchObject,
  type HeldPermit,
  type KeyOfFile,
  openGrants,
  progressBar,
  type ReadRequest,
  readKeyFile,
  redeemPermit,
  requestRead,
  shanghaiTime,
} from "@xinglin/gateway";
import { instanceFiles } from "@xinglin/interop";
import { administrationKey } from "@xinglin/member";
import { type ActorId, Fault } from "@xinglin/primitives";
import type { Stage } from "./stage.ts";

/** SHA-256 of every instance of a folder, in order of content: names differ. */
async function contentsOf(folder: string): Promise<string> {
  const paths = await instanceFiles(folder);
  return paths
    .map((path) => createHash("sha256").update(readFileSync(path)).digest("hex"))
    .sort()
    .join();
}

/** What the doctor at B asks for a record that lies at A. */
export const requestFor = (
  by: KeyOfFile,
  patient: ActorId,
  record: Pick<Anchored, "record" | "version" | "class">,
): ReadRequest => {
  if (by.credential === undefined) throw new Fault("no_credential", { actor: by.actor });
  return {
    patient,
    purpose: "TREAT",
    class: record.class,
    target: { kind: "record", record: record.record, version: record.version },
    credential: by.credential,
  };
};

/** Hospital B learns from the sealed pointer of a grant under which pseudonym A files its patient. */
export async function findPseudonymAtSource(stage: Stage, by: KeyOfFile, local: ActorId): Promise<ActorId> {
  const { hpkeSeed } = readKeyFile(administrationKey(stage.data, by.member));
  const grants = hpkeSeed === undefined ? [] : await openGrants(stage.client, by, hpkeSeed);
  const found = grants.find((grant) => grant.local === local);
  if (found !== undefined) return found.patient;
  throw new Fault("pointer_missing", { patient: local });
}

/** Runs `work` with four store folders renamed away, and puts them back whatever happens. */
async function withoutFourStores<T>(folders: readonly string[], work: (gone: number) => Promise<T>): Promise<T> {
  const gone = folders.slice(-4);
  for (const folder of gone) renameSync(folder, `${folder}.away`);
  try {
    return await work(gone.length);
  } finally {
    for (const folder of gone) renameSync(`${folder}.away`, folder);
  }
}

/** The doctor asks, collects the shares, fetches and compares. Returns the permit's number. */
export async function readAtHospitalB(stage: Stage, local: ActorId, study: Anchored, original: string): Promise<number> {
  const { gateway, say, data } = stage;
  const by = stage.key("hospital-b/doctor");
  const patient = await findPseudonymAtSource(stage, by, local);
  const decision = await requestRead(gateway, by, requestFor(by, patient, study));
  if (!decision.permitted) throw new Fault(decision.receipt.results[0]?.code ?? "refused");
  const { held } = decision;
  say("story.permit", { number: held.number, height: held.receipt.height, until: shanghaiTime(held.permit.expiresAt) });
  const { contentKey, released } = await redeemPermit(gateway, by, held);
  say("story.shares", { released: released.length, threshold: held.permit.custody.threshold });

  mkdirSync(join(data, "received"), { recursive: true, mode: 0o700 });
  const folder = join(data, "received", `${study.record}-${held.number}`);
  await withoutFourStores(stage.storeFolders, async (gone) => {
    say("story.stores_gone", { gone, left: stage.storeFolders.length - gone });
    const bar = progressBar(say.text("progress.fetch"));
    const started = performance.now();
    const { readBytes, rebuiltPieces } = await fetchObject(gateway, held.permit, contentKey, folder, by, bar.update);
    bar.end();
    const seconds = (performance.now() - started) / 1000;
    say("story.fetched", { size: bytesText(readBytes), rebuilt: rebuiltPieces, seconds: seconds.toFixed(1) });
  });
  contentKey.fill(0);
  if ((await contentsOf(folder)) !== (await contentsOf(original)))
    throw new Fault("story_bytes_differ", { record: study.record });
  say("story.identical", { folder });
  return held.number;
}

/** A permit that is taken now and redeemed later, or not at all. */
export async function takePermit(stage: Stage, patient: ActorId, study: Anchored): Promise<HeldPermit> {
  const by = stage.key("hospital-b/doctor");
  const decision = await requestRead(stage.gateway, by, requestFor(by, patient, study));
  if (!decision.permitted) throw new Fault(decision.receipt.results[0]?.code ?? "refused");
  return decision.held;
}
