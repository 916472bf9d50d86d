/**
 * `xinglin light follow|status|fork`: a clinic without a node checks what it is told, keeps to 1 MB a day, and catches a node that lies.
 * Source: requirement A9; docs/guides/check-without-a-node.md.
 */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { ApiClient, type Checkpoint, FollowedChain, parseCheckpoint, peersOf } from "@xinglin/client";
import { verifyVoteWith } from "@xinglin/crypto";
import { nodeCurves } from "@xinglin/crypto/node";
import { writeFileDurably } from "@xinglin/custody";
import { bytesText, LightFiles, shanghaiTime } from "@xinglin/gateway";
import { type Bytes, Fault, toHex } from "@xinglin/primitives";
import {
  followChain,
  genesisTrust,
  headerHash,
  type LightReport,
  lightStateSummary,
  MAX_FORK_BYTES,
  TRUSTING_PERIOD_SECONDS,
  verifyFork,
  type WitnessAnswer,
} from "@xinglin/verifier";
import type { Command, Context } from "../command.ts";

const verify = verifyVoteWith(nodeCurves);
const folderOf = (context: Context): string => join(context.data, "light");
const MOST_TRUST_DAYS = TRUSTING_PERIOD_SECONDS / 86_400;
const ADDRESS = /^https?:\/\/[^/?#\s]+$/;

export const follow: Command = {
  words: "light follow",
  options: {
    api: { type: "string" },
    witness: { type: "string", multiple: true },
    trust: { type: "string" },
    chain: { type: "string" },
    "trust-days": { type: "string" },
    every: { type: "string" },
    once: { type: "boolean" },
  },
  async run(context) {
    const { say } = context;
    const files = new LightFiles(folderOf(context));
    const known = files.read();
    const api = addressOf(context.text("api") ?? known?.api, "--api");
    const client = new ApiClient({ url: api, language: say.language });
    const checkpoint = checkpointOf(context);
    const expected = context.text("chain") ?? known?.chainId;
    const given = context.list("witness").map((url) => addressOf(url, "--witness"));
    const witnesses = given.length > 0 ? given : [...new Set([...(known?.witnesses ?? []), ...(await peersOf(client))])];
    const days = context.number("trust-days", MOST_TRUST_DAYS);
    // Longer than evidence counts nobody is held to account for what is believed.
    if (days > MOST_TRUST_DAYS) throw new Fault("option_wrong", { option: "--trust-days", expected: `0..${MOST_TRUST_DAYS}` });
    const chain = await FollowedChain.open({
      client,
      witnesses,
      verify,
      store: files.store,
      trustingPeriodSeconds: days * 86_400,
      ...(expected === undefined ? {} : { chainId: expected }),
      ...(checkpoint === undefined ? {} : { checkpoint }),
    });
    const { chainId } = await client.genesis();
    if (expected === undefined && checkpoint === undefined && !context.json) say.plain("light.first_time", { chain: chainId });
    files.write({ chainId, api, witnesses });
    const look = (report: LightReport, restSeconds: number): void => {
      if (context.json) context.print({ ...report, bytes: chain.bytes, restSeconds });
      else tell(context, report, chain.bytes, restSeconds);
    };
    try {
      if (context.flag("once")) return look(await chain.update(), 0);
      await keepFollowing(chain, context.number("every", 60), look, (fault, seconds) => {
        say("light.failed", { code: fault.code, seconds });
      });
    } catch (error) {
      const { fork } = chain;
      if (fork === undefined) throw error;
      files.writeFork(fork);
      if (!context.json) say.plain("light.fork_kept", { path: files.forkPath });
      throw error;
    }
  },
};

export const status: Command = {
  words: "light status",
  options: {},
  async run(context) {
    const { say } = context;
    const files = new LightFiles(folderOf(context));
    const known = files.read();
    const bytes = await files.store.load();
    const summary = known === undefined || bytes === undefined ? undefined : lightStateSummary(bytes, known.chainId);
    if (known === undefined || summary === undefined) throw new Fault("light_not_followed", { path: folderOf(context) });
    const { newest, since, fork } = summary;
    const facts = {
      chain: known.chainId,
      since,
      height: newest?.header.height ?? 0,
      time: newest?.header.time.seconds ?? 0,
      validators: newest?.validators.length ?? 0,
      checkpoint: newest === undefined ? "" : `${toHex(headerHash(newest.header))}@${newest.header.height}`,
      witnesses: known.witnesses.length,
      lied: fork === undefined ? 0 : 1,
    };
    if (context.text("get") !== undefined || context.json) context.tell("", facts);
    else {
      say.plain("light.status", { ...facts, api: known.api, since: shanghaiTime(since), time: shanghaiTime(facts.time) });
      say.plain("light.checkpoint", { checkpoint: facts.checkpoint });
      if (fork !== undefined) say.plain("light.fork_kept", { path: files.forkPath });
    }
    if (fork !== undefined) throw new Fault("light_halted", { path: files.forkPath });
  },
};

export const fork: Command = {
  words: "light fork",
  options: { genesis: { type: "string" }, checkpoint: { type: "string" }, out: { type: "string" } },
  positionals: ["FILE"],
  async run(context) {
    const { say } = context;
    const [path] = context.positionals;
    if (path === undefined) throw new Fault("option_missing", { option: "FILE" });
    const checkpoint = checkpointOf(context, "checkpoint");
    const genesis = context.text("genesis") ?? join(context.data, "genesis.cbor");
    const trust = checkpoint === undefined ? { genesis: genesisTrust(readBounded(genesis)) } : { checkpoint };
    const verdict = await verifyFork(readBounded(path), trust, verify);
    if (!verdict.ok) throw new Fault("fork_wrong", { code: verdict.code, ...verdict.facts });
    if (context.json) context.print(verdict);
    else {
      say.plain("light.fork_holds", { chain: verdict.chainId, height: verdict.commonHeight });
      for (const { height, hash, time, kind, byzantine, power, totalPower } of verdict.sides) {
        const facts = {
          height,
          hash: toHex(hash),
          time: shanghaiTime(time),
          kind: say.text(`light.kind_${kind}`),
          power,
          totalPower,
        };
        say.plain("light.fork_side", facts);
        for (const validator of byzantine)
          say.plain("light.fork_validator", { key: toHex(validator.publicKey.slice(0, 32)), power: validator.power });
      }
    }
    const out = context.text("out");
    if (out === undefined || verdict.commonHeight === 0) return;
    mkdirSync(out, { recursive: true });
    for (const [i, { evidence }] of verdict.sides.entries()) {
      const file = join(out, `evidence-${i + 1}.pb`);
      writeFileDurably(file, evidence);
      if (!context.json) say.plain("light.evidence_written", { path: file });
    }
  },
};

/** Looks until the person at the terminal stops it. */
async function keepFollowing(
  chain: FollowedChain,
  leastSeconds: number,
  onReport: (report: LightReport, restSeconds: number) => void,
  onFault: (fault: Fault, restSeconds: number) => void,
): Promise<void> {
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, abort);
  const rest = (seconds: number, signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, seconds * 1_000);
      signal.addEventListener("abort", done);
      if (signal.aborted) done();
    });
  try {
    await followChain({ follower: chain, bytes: () => chain.bytes, rest, signal: stop.signal, leastSeconds, onReport, onFault });
  } finally {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.removeListener(signal, abort);
  }
}

function tell({ say }: Context, report: LightReport, bytes: number, seconds: number): void {
  const { height, time, signed, validators, witnesses, witnessCount } = report;
  const agreed = witnesses.filter(({ outcome }) => outcome === "agrees").length;
  say("light.look", { height, time: shanghaiTime(time), signed, validators });
  if (report.isBehind) say.plain("light.behind");
  if (witnessCount === 0) say.plain("light.no_witness");
  else say.plain("light.agreed", { agreed, asked: witnesses.length, all: witnessCount });
  for (const { name, outcome, code } of witnesses.filter((one: WitnessAnswer) => one.outcome !== "agrees"))
    say.plain(`light.witness_${outcome}`, { name, code: code ?? "" });
  if (report.isSoleKey) say.plain("light.sole_key");
  say.plain(seconds === 0 ? "light.cost" : "light.cost_rest", { bytes: bytesText(bytes), seconds });
}

function addressOf(url: string | undefined, option: string): string {
  if (url === undefined) throw new Fault("option_missing", { option });
  const address = url.replace(/\/$/, "");
  if (!ADDRESS.test(address) || !URL.canParse(address))
    throw new Fault("option_wrong", { option, expected: "https://records.hospital.example" });
  return address;
}

function checkpointOf(context: Context, option = "trust"): Checkpoint | undefined {
  const told = context.text(option);
  if (told === undefined) return undefined;
  const checkpoint = parseCheckpoint(told);
  if (checkpoint === undefined) throw new Fault("option_wrong", { option: `--${option}`, expected: "HASH@HEIGHT" });
  return checkpoint;
}

/** Reads a file that may be hostile: bounded, and missing files named. */
function readBounded(path: string): Bytes {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) throw new Fault("file_missing", { path });
  if (found.size > MAX_FORK_BYTES) throw new Fault("malformed", { reason: "too_long", maxBytes: MAX_FORK_BYTES });
  return readFileSync(path);
}
