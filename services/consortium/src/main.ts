/** `npm start`: opens the consortium, plays the story on an empty folder, and serves until it is stopped. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { sentenceOf } from "@xinglin/api";
import { closeWorkers, DEFAULT_CODE, describeLoss } from "@xinglin/archive";
import { createSay, enrolmentLink, languageOf, recoverPatient, type Say } from "@xinglin/gateway";
import { requireWebAddress } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";

import { CAST, CUSTODY_THRESHOLD } from "./cast.ts";
import { type Consortium, openConsortium, storesOf } from "./consortium.ts";
import { type Options, readOptions } from "./options.ts";
import { openStage, storyDatabase } from "./stage-of.ts";
import { offerToAskAgain } from "./story/ask-again.ts";
import { readMemory } from "./story/stage.ts";
import { playStory } from "./story/story.ts";

const MESSAGES = new URL("../messages/", import.meta.url);
const LINK_MINUTES = 1440;

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  const say = createSay(MESSAGES, options.language);
  if (options.help) {
    say.plain("usage.title");
    return say.plain("usage.options");
  }
  await requireWebAddress(options, options.tls !== undefined);
  if (options.reset) reset(options, say);
  const started = performance.now();
  const consortium = await openConsortium(options);
  const stopped = stopSignal();
  const ended = new AbortController();
  try {
    introduce(consortium, options, say);
    say("open.ready", { seconds: ((performance.now() - started) / 1000).toFixed(1), page: `${consortium.url}/` });
    if (!options.empty) await Promise.race([tell(consortium, options, say, ended.signal), stopped]);
    say.plain("open.stop");
    await stopped;
    say("open.stopping");
  } finally {
    ended.abort();
    await consortium.close();
    await closeWorkers();
  }
}

/** Only a folder that is a consortium's is deleted. */
function reset({ data }: Options, say: Say): void {
  if (!existsSync(data)) return;
  if (!existsSync(join(data, "genesis.cbor"))) throw new Fault("reset_refused", { path: data });
  rmSync(data, { recursive: true });
  say("open.reset", { path: data });
}

function introduce(consortium: Consortium, { language, data }: Options, say: Say): void {
  const stores = storesOf(data);
  const name = (id: string): string => CAST.find((member) => member.id === id)?.name[language === "en" ? "en" : "zh"] ?? id;
  say("open.ledger", { chain: consortium.ledger.chainId, height: consortium.ledger.height() });
  if (consortium.rebuilt !== undefined) say("open.index_rebuilt", { reason: consortium.rebuilt });
  if (consortium.orphans > 0) say("open.orphans", { count: consortium.orphans });
  say("open.members", { count: CAST.length, threshold: CUSTODY_THRESHOLD, stores: stores.length });
  const loss = describeLoss(stores, DEFAULT_CODE);
  for (const { member, stores: count, piecesGone, readable, spare } of loss.members)
    say.plain("open.member", {
      name: name(member),
      member,
      stores: count,
      gone: piecesGone,
      readable: readable ? say.text("open.readable", { spare }) : say.text("open.unreadable"),
    });
  say.plain("open.any", { members: loss.anyMembers, validator: name("commission") });
}

/** Plays the story if it was not, and ends with a link by which the reader becomes the patient. */
async function tell(consortium: Consortium, options: Options, say: Say, signal: AbortSignal): Promise<void> {
  const stage = openStage(consortium, options, say);
  const before = readMemory(options.data);
  if (before.patientAtA === undefined) await playStory(stage, storyDatabase(consortium), options.studyBytes);
  else say(before.finished ? "open.again" : "open.interrupted");
  const { patientAtA, patientAtB } = readMemory(options.data);
  if (patientAtA === undefined || patientAtB === undefined) return;
  const pseudonyms = [
    await recoverPatient(stage.client, stage.key("hospital-a/registrar"), patientAtA),
    await recoverPatient(stage.client, stage.key("hospital-b/registrar"), patientAtB),
  ];
  say("open.link", { minutes: LINK_MINUTES });
  process.stdout.write(`\n  ${await enrolmentLink(stage.client, stage.page, pseudonyms)}\n\n`);
  offerToAskAgain(stage, signal);
}

function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => resolve());
  });
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  const language = process.argv.includes("en") ? "en" : languageOf(process.env);
  process.stderr.write(`${sentenceOf(error.code, error.facts, language)} [${error.message}]\n`);
  if (process.env.XINGLIN_DEBUG !== undefined) process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
}
