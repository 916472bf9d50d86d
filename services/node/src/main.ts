/**
 * `node services/node/src/main.ts --config FILE [--lang zh-CN|en]`: one member's node until it is stopped. A start that is refused leaves nothing
 * half-written and says what to do.
 * Source: design.md, "Packages" (`services/node`); docs/guides/run-a-consortium.md.
 */
import { once } from "node:events";
import { parseArgs } from "node:util";
import { sentenceOf } from "@xinglin/api";
import { createSay, type Language, languageOf, type Say } from "@xinglin/gateway";
import { type MemberNotice, openNode, readNodeConfig } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";

const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;

interface Arguments {
  readonly config: string;
  readonly language: Language;
}

function readArguments(args: readonly string[]): Arguments {
  try {
    const { values } = parseArgs({ args: [...args], options: { config: { type: "string" }, lang: { type: "string" } } });
    if (values.config === undefined) throw new Fault("option_missing", { option: "--config" });
    return { config: values.config, language: languageOfArguments(args) };
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    throw new Fault("option_wrong", { option: args[0] ?? "", expected: "--config FILE [--lang zh-CN|en]" }, { cause });
  }
}

/** Never throws: it is needed to say what is wrong. */
function languageOfArguments(args: readonly string[]): Language {
  const told = args[args.indexOf("--lang") + 1];
  return args.includes("--lang") && (told === "en" || told === "zh-CN") ? told : languageOf(process.env);
}

async function main({ config: file, language }: Arguments): Promise<void> {
  const say = createSay(new URL("../messages/", import.meta.url), language);
  const signal = stopSignal();
  const config = readNodeConfig(file);
  say("node.starting", { member: config.member, config: file });
  const node = await openNode(config, { onNotice: (notice) => tell(say, notice), signal }).catch((error: unknown) => {
    // Stopped while it was still waiting for the others: that is no failure.
    if (signal.aborted) return undefined;
    throw error;
  });
  if (node === undefined) return say("node.stopped");
  if (node.rebuilt !== undefined) say("node.index_rebuilt", { reason: node.rebuilt });
  if (node.orphans > 0) say("node.orphans", { count: node.orphans });
  const { ledger, url } = node;
  say("node.ready", { chain: ledger.chainId, height: ledger.height(), url });
  process.send?.({ event: "ready", url });
  if (!signal.aborted) await once(signal, "abort");
  say("node.stopping");
  await node.close();
  say("node.stopped");
}

function tell(say: Say, notice: MemberNotice): void {
  if (notice.event === "building") say("engine.building", { version: notice.version });
  else if (notice.event === "probes_refused") say("node.probes_refused", { epoch: notice.epoch, code: notice.code });
  else if (notice.event === "store_away")
    say("node.store_away", { store: notice.store, why: sentenceOf(notice.code, { store: notice.store }, say.language) });
  else if (notice.event === "store_back") say("node.store_back", { store: notice.store, count: notice.erasedPacks });
  else if (notice.event === "archive_endangered") {
    const { objects, unreadable, stores } = notice;
    say("node.archive_endangered", { objects, unreadable, stores });
  } else if (notice.event === "archive_round_failed") say("node.archive_round_failed", { code: notice.code });
  else if (notice.event === "built") say("engine.built", { version: notice.version, seconds: notice.seconds });
  else if (notice.event === "proposal_refused")
    say("engine.proposal_refused", { height: notice.height, proposer: notice.proposer, code: notice.code });
  else if (notice.event === "damaged")
    say("engine.damaged", { why: sentenceOf(notice.code, notice.facts, say.language), code: notice.code });
  else if (notice.event === "peer_refused") say("engine.peer_refused", { node: notice.nodeId });
  else if (notice.event === "clock_differs") {
    if (notice.seconds === 0) say("engine.clock_right");
    else say("engine.clock_differs", { seconds: notice.seconds });
  } else say("engine.exited", { code: notice.code ?? notice.signal ?? "-", last: notice.lastLines.at(-1) ?? "-" });
}

/** Whoever started this node as a child closes its channel when it ends, however it ends. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  if (process.connected === true) process.once("disconnect", () => stop.abort());
  return stop.signal;
}

const language = languageOfArguments(process.argv);
try {
  await main(readArguments(process.argv.slice(2)));
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${sentenceOf(error.code, error.facts, language)} [${error.message}]\n`);
  if (process.env.XINGLIN_DEBUG !== undefined) process.stderr.write(`${error.stack}\n`);
  process.exitCode = error.code.startsWith("option_") ? EXIT_USAGE : EXIT_REFUSED;
} finally {
  if (process.connected === true) process.disconnect();
}
