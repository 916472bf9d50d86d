/**
 * `npm run ipfs`: the small private IPFS node of a member that lends its disk, until it is stopped. A stock Kubo does as well.
 * Source: the "What a user does" (`npm run ipfs`); docs/internals/archive.md.
 */
import { once } from "node:events";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { sentenceOf } from "@xinglin/api";
import { ensureIpfsNode, startIpfsNode } from "@xinglin/engines";
import { createSay, type Language, languageOf } from "@xinglin/gateway";
import { Fault } from "@xinglin/primitives";

const EXIT_REFUSED = 1;
const EXIT_USAGE = 2;
/** Kubo's own ports. */
const API = "127.0.0.1:5001";
const SWARM = "/ip4/127.0.0.1/tcp/4001";
const PEER = /^\/.+\/p2p\/[1-9A-HJ-NP-Za-km-z]{20,100}$/;

const OPTIONS = {
  data: { type: "string" },
  api: { type: "string" },
  swarm: { type: "string" },
  "swarm-key": { type: "string" },
  peer: { type: "string", multiple: true },
  "storage-max": { type: "string" },
  lang: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const;

async function main(args: readonly string[], language: Language): Promise<void> {
  const say = createSay(new URL("../messages/", import.meta.url), language);
  const values = readArguments(args);
  if (values.help === true) return say.plain("usage");
  const peers = values.peer ?? [];
  for (const peer of peers)
    if (!PEER.test(peer)) throw new Fault("option_wrong", { option: "--peer", expected: "/ip4/…/tcp/…/p2p/…" });
  const signal = stopSignal();
  const program = await ensureIpfsNode({
    say: (notice) => (notice.event === "building" ? say("building") : say("built", { seconds: notice.seconds })),
  });
  if (signal.aborted) return;
  const folder = resolve(values.data ?? ".xinglin-ipfs");
  const swarmKeyFile = values["swarm-key"] === undefined ? {} : { swarmKeyFile: resolve(values["swarm-key"]) };
  const storageMax = values["storage-max"];
  const node = await startIpfsNode({
    program,
    folder,
    api: values.api ?? API,
    swarm: values.swarm ?? SWARM,
    peers,
    ...swarmKeyFile,
    ...(storageMax === undefined ? {} : { storageMaxBytes: bytesOf(storageMax) }),
  });
  say("ready", { api: node.api, folder });
  for (const address of node.addresses) say.plain("address", { address });
  say.plain("lend", { api: node.api });
  say.plain("stop");
  const stopped = signal.aborted ? Promise.resolve() : once(signal, "abort");
  const ended = await Promise.race([stopped.then(() => undefined), node.ended]);
  if (ended !== undefined) throw new Fault("ipfs_node_failed", { folder, reason: ended.slice(-400) });
  say("stopping");
  await node.stop();
  say("stopped");
}

/** `2TB` in bytes. */
function bytesOf(text: string): number {
  const found = /^([1-9]\d{0,5})(GB|TB|PB)$/i.exec(text);
  if (found === null) throw new Fault("option_wrong", { option: "--storage-max", expected: "2TB" });
  return Number(found[1]) * { GB: 1e9, TB: 1e12, PB: 1e15 }[found[2]!.toUpperCase() as "GB" | "TB" | "PB"];
}

function readArguments(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS }).values;
  } catch (cause) {
    const option = /'(-[^' ]+)/.exec(cause instanceof Error ? cause.message : "")?.[1] ?? args[0] ?? "";
    throw new Fault("option_wrong", { option, expected: "--help" }, { cause });
  }
}

function stopSignal(): AbortSignal {
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop.abort());
  return stop.signal;
}

/** Never throws: it is needed to say what is wrong. */
function languageOfArguments(args: readonly string[]): Language {
  const told = args[args.indexOf("--lang") + 1];
  return args.includes("--lang") && (told === "en" || told === "zh-CN") ? told : languageOf(process.env);
}

const language = languageOfArguments(process.argv);
try {
  await main(process.argv.slice(2), language);
} catch (error) {
  if (!(error instanceof Fault)) throw error;
  process.stderr.write(`${sentenceOf(error.code, error.facts, language)} [${error.message}]\n`);
  if (process.env.XINGLIN_DEBUG !== undefined) process.stderr.write(`${error.stack}\n`);
  process.exitCode = error.code.startsWith("option_") ? EXIT_USAGE : EXIT_REFUSED;
}
