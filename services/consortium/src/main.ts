/** `npm start`: opens the consortium, plays the story on an empty folder, and serves until it is stopped. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { closeWorkers, DEFAULT_CODE, describeLoss } from "@xinglin/archive";
import { createSay, type Say } from "@xinglin/gateway";
import { isDivided, requireWebAddress } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";

import { CAST, CUSTODY_THRESHOLD } from "./cast.ts";
import { type Consortium, openConsortium, storesOf } from "./consortium.ts";
import { type HeldFolder, holdFolder } from "./folder-in-use.ts";
import { type Options, readOptions } from "./options.ts";
import { aborted, run, stopSignal } from "./run.ts";
import { openStage, storyDatabase } from "./stage-of.ts";
import { tellStory } from "./tell.ts";

const MESSAGES = new URL("../messages/", import.meta.url);

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2), process.env);
  const say = createSay(MESSAGES, options.language);
  if (options.help) {
    say.plain("usage.title");
    return say.plain("usage.options");
  }
  const held = await holdFolder(options.data);
  try {
    await requireWebAddress(options, options.tls !== undefined);
    if (options.reset) reset(options, say);
    if (isDivided(options.data)) throw new Fault("folder_divided", { path: options.data });
    await serveFolder(options, say, held);
  } finally {
    await held.release();
  }
}

async function serveFolder(options: Options, say: Say, held: HeldFolder): Promise<void> {
  const started = performance.now();
  const consortium = await openConsortium(options);
  held.note();
  const signal = stopSignal();
  const stopped = aborted(signal);
  const ended = new AbortController();
  try {
    introduce(consortium, options, say);
    say("open.ready", { seconds: ((performance.now() - started) / 1000).toFixed(1), page: `${consortium.url}/` });
    if (!options.empty) {
      const told = { studyBytes: options.studyBytes, signal: ended.signal };
      await Promise.race([tellStory(openStage(consortium, options, say), storyDatabase(consortium), say, told), stopped]);
    }
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

await run(main);
