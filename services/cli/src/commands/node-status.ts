/**
 * `xinglin node status`: how a node and its chain are, in words. Exit code 1 when somebody should look: the node does not answer, or its newest
 * block is old. Source: requirements A3, A8; docs/guides/run-a-consortium.md.
 */
import { setTimeout } from "node:timers/promises";
import { ApiClient } from "@xinglin/client";
import { TOLERATED_SECONDS } from "@xinglin/cometbft";
import { bytesText, shanghaiTime } from "@xinglin/gateway";
import { listeningAddress, readNodeConfig } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import type { Command } from "../command.ts";
import { configOf } from "./node.ts";

const KILOBYTE = 1e3;
const MEGABYTE = 1e6;
/** An idle chain makes a block every ten seconds at least; with more than twice that something is wrong. */
const OLD_SECONDS = 30;

const ASK_MS = 500;

/** A node that was started just now answers once it reaches enough of the others. */
async function untilAnswering(client: ApiClient, seconds: number): Promise<void> {
  const deadline = performance.now() + 1000 * seconds;
  for (;;) {
    const fault = await client.getJson("/v1/status").then(
      () => undefined,
      (error: unknown) => error,
    );
    if (fault === undefined) return;
    if (performance.now() > deadline) throw fault;
    await setTimeout(ASK_MS);
  }
}

interface Standing {
  readonly member: string;
  readonly sharePerMille: number;
  readonly strikes: number;
  readonly seen?: {
    readonly epoch: number;
    readonly probers: number;
    readonly answeredPerMille: number;
    readonly kilobytesPerSecond: number;
    readonly freeMegabytes: number;
  };
}
interface Answers {
  readonly status: {
    readonly chainId: string;
    readonly height: number;
    readonly provableHeight: number;
    readonly newestBlockTime: number;
    readonly entries: number;
    readonly projected: number;
  };
  readonly validators: {
    readonly active: readonly Standing[];
    readonly standby: readonly Standing[];
    readonly unfit: readonly Standing[];
    readonly penalised: readonly Standing[];
    readonly isCapMissing: boolean;
    readonly isOverCap: boolean;
    readonly toleratedFaults: number;
    readonly committee: { readonly members: readonly string[]; readonly votesNeeded: number };
  };
  readonly node: {
    readonly driver: string;
    readonly peers?: readonly string[];
    readonly freeMegabytes: number;
    readonly clockOffsetSeconds?: number;
    readonly snapshot?: number;
    readonly archive?: {
      readonly until: number;
      readonly objects: number;
      readonly waiting: number;
      readonly endangered: number;
      readonly unreadable: number;
      readonly lost: number;
      readonly storesAway: number;
    };
  };
}

export const status: Command = {
  words: "node status",
  options: { config: { type: "string" }, wait: { type: "string" } },
  async run(context) {
    const { say, json, print } = context;
    const config = readNodeConfig(configOf(context));
    const { port, host } = listeningAddress(config.api.listen);
    const scheme = config.api.certificate === undefined ? "http" : "https";
    const name = config.api.names?.[0] ?? (host === "127.0.0.1" || host === "0.0.0.0" ? "localhost" : host);
    const client = new ApiClient({
      url: `${scheme}://${name}:${port}`,
      language: say.language,
      ...(config.chainId === undefined ? {} : { chainId: config.chainId }),
    });
    await untilAnswering(client, context.number("wait", 0));
    const [chain, validators, node] = await Promise.all(
      ["/v1/status", "/v1/validators", "/v1/node"].map((path) => client.getJson(path)),
    );
    const answers = { status: chain, validators, node } as Answers;
    // Beside the node, so with the same clock: one that is wrong makes no block older than it is.
    const offset = answers.node.clockOffsetSeconds ?? 0;
    const now = Math.floor(Date.now() / 1000) - (Math.abs(offset) > TOLERATED_SECONDS ? offset : 0);
    const ageSeconds = Math.max(0, now - answers.status.newestBlockTime);
    if (json) print({ ...answers, ageSeconds });
    else tellAll(answers, ageSeconds);
    if (ageSeconds > OLD_SECONDS) throw new Fault("chain_halted", { seconds: ageSeconds });

    function tellSeen({ member, strikes, seen }: Standing): void {
      if (seen === undefined) return;
      const { epoch, probers, answeredPerMille, kilobytesPerSecond, freeMegabytes } = seen;
      say.plain(probers === 0 ? "node.unseen" : "node.seen", {
        member,
        epoch,
        probers,
        answered: (answeredPerMille / 10).toFixed(1),
        speed: bytesText(kilobytesPerSecond * KILOBYTE),
        free: bytesText(freeMegabytes * MEGABYTE),
      });
      if (strikes > 0) say.plain("node.strikes", { member, strikes });
    }

    function tellClock(seconds: number | undefined): void {
      if (seconds === undefined) say.plain("node.clock_unknown");
      else if (Math.abs(seconds) <= TOLERATED_SECONDS) say.plain("node.clock_right", { seconds: Math.abs(seconds) });
      else say.plain(seconds > 0 ? "node.clock_ahead" : "node.clock_behind", { seconds: Math.abs(seconds) });
    }

    function tellArchive(archive: Answers["node"]["archive"]): void {
      if (archive === undefined) {
        say.plain("node.archive_unseen");
        return;
      }
      const { until, objects, waiting, endangered, unreadable, lost, storesAway: away } = archive;
      say.plain("node.archive", { time: shanghaiTime(until), objects, waiting, away });
      if (endangered > 0 || lost > 0) say.plain("node.archive_endangered", { endangered, unreadable, lost });
    }

    function tellAll({ status: at, validators: seats, node: here }: Answers, age: number): void {
      say.plain("status.line", {
        chain: at.chainId,
        height: at.height,
        provable: at.provableHeight,
        time: shanghaiTime(at.newestBlockTime),
      });
      say.plain("node.age", { seconds: age, entries: at.entries, projected: at.projected });
      if (here.peers !== undefined) say.plain("node.peers", { peers: here.peers.length });
      if (here.driver === "cometbft") tellClock(here.clockOffsetSeconds);
      say.plain("node.disk", { free: bytesText(here.freeMegabytes * MEGABYTE) });
      tellArchive(here.archive);
      if (here.snapshot === undefined) say.plain("node.no_snapshot");
      else say.plain("node.snapshot", { height: here.snapshot });
      for (const { member, sharePerMille } of seats.active)
        say.plain("node.active", { member, power: (sharePerMille / 10).toFixed(1) });
      for (const { member } of seats.standby) say.plain("node.standby", { member });
      for (const { member, strikes } of seats.unfit) say.plain("node.unfit", { member, strikes });
      for (const { member } of seats.penalised) say.plain("node.penalised", { member });
      for (const one of [...seats.active, ...seats.standby, ...seats.unfit]) tellSeen(one);
      const count = seats.active.length;
      say.plain(seats.isCapMissing ? "node.cap_missing" : "node.cap", { validators: count, faults: seats.toleratedFaults });
      if (seats.isOverCap) say.plain("node.over_cap");
      say.plain("node.committee", { members: seats.committee.members.length, needed: seats.committee.votesNeeded });
    }
  },
};
