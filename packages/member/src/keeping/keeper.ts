/**
 * Looks after the archive while a node runs: a round now and then, its record on the chain, its report and its alarms.
 * Source: requirements D2, D3; docs/internals/archive.md, "The archive looks after itself".
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { ArchiveReport } from "@xinglin/api";
import { writeFileDurably } from "@xinglin/custody";
import { keepRound } from "@xinglin/gateway";
import { Fault, type MemberId } from "@xinglin/primitives";
import type { Pulse } from "./pulse.ts";
import type { Recorder } from "./recorder.ts";
import { type EndangeredNotice, type RoundOptions, runRound } from "./round.ts";
import type { RoundJournal } from "./round-journal.ts";
import type { KeepingSettings } from "./settings.ts";

/** What an operator should know of the archive. */
export type ArchiveNotice =
  | EndangeredNotice
  /** A round, or its record on the chain, came to nothing and is tried again with the next. */
  | { readonly event: "archive_round_failed"; readonly code: string };

/** What a keeper is made of. */
export interface KeeperOptions {
  readonly member: MemberId;
  /** Its own, in the node's data folder. */
  readonly folder: string;
  /** Where the statements of recorded rounds are kept. */
  readonly audits: string;
  readonly settings: KeepingSettings;
  readonly journal: RoundJournal;
  readonly pulse: Pulse;
  readonly recorder: Pick<Recorder, "draw" | "record">;
  /** Asked at the beginning of each round. */
  readonly round: () => Promise<Pick<RoundOptions, "chainId" | "scope" | "view" | "isLookedAt" | "isRepaired">>;
  readonly onNotice?: (notice: ArchiveNotice) => void;
  readonly now?: () => number;
  readonly random?: () => number;
}

/** A node that has just been started has other things to do, and many are started at once. */
const FIRST_MS = 600_000;

export class Keeper {
  readonly #options: KeeperOptions;
  readonly #now: () => number;
  readonly #ending = new AbortController();
  #report: ArchiveReport | undefined;
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;

  /** Begins to wait for the first round. */
  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#now = options.now ?? Date.now;
    mkdirSync(options.folder, { recursive: true, mode: 0o700 });
    this.#report = readReport(this.#reportFile);
    const { random = Math.random } = options;
    const since = this.#report === undefined ? Number.NEGATIVE_INFINITY : 1000 * this.#report.until;
    const due = since + options.settings.everyMs - this.#now();
    this.#wait(Math.max(FIRST_MS * (1 + random()), due));
  }

  /** What the last round found, of before a restart too. */
  get report(): ArchiveReport | undefined {
    return this.#report;
  }

  /** A round now, or the end of the one under way. */
  look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#running ??= this.#lookAndRecord().finally(() => {
      this.#running = undefined;
      if (!this.#ending.signal.aborted) this.#wait(this.#options.settings.everyMs);
    });
    return this.#running;
  }

  /** Breaks off what is under way; the next start goes on with it. */
  async close(): Promise<void> {
    this.#ending.abort(new Fault("aborted"));
    clearTimeout(this.#timer);
    await this.#running;
  }

  get #reportFile(): string {
    return join(this.#options.folder, "report.json");
  }

  #wait(ms: number): void {
    // A timer's longest is 24.8 days.
    // What a round fails of was told; a read model that is being restarted is no reason to stop the node.
    this.#timer = setTimeout(() => void this.look().catch(() => {}), Math.min(ms, 2_147_483_647));
    this.#timer.unref();
  }

  async #lookAndRecord(): Promise<void> {
    const { onNotice } = this.#options;
    try {
      await this.#record(); // what could not be recorded before
      await this.#look();
      await this.#record();
      this.#prune();
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      onNotice?.({ event: "archive_round_failed", code: error instanceof Fault ? error.code : "internal" });
      if (!(error instanceof Fault)) throw error;
    }
  }

  async #look(): Promise<void> {
    const { member, settings, journal, pulse, recorder, round, onNotice } = this.#options;
    const common = await round();
    const report = await runRound({
      ...common,
      member,
      settings,
      journal,
      chooseDraw: () => recorder.draw(),
      awayMs: (store, isPresent) => pulse.store(store, isPresent, this.#now()),
      now: this.#now,
      signal: this.#ending.signal,
      ...(onNotice === undefined ? {} : { onNotice }),
    });
    pulse.save();
    this.#keep(report);
  }

  async #record(): Promise<void> {
    const { journal, recorder, audits, member } = this.#options;
    const statements = journal.unrecorded();
    if (statements.length === 0) return;
    const { endangered = 0 } = this.#report ?? {};
    const number = await recorder.record(statements, endangered, this.#ending.signal);
    keepRound(audits, { member, number, statements });
    if (this.#report !== undefined) this.#keep({ ...this.#report, round: number });
    journal.recorded();
  }

  #keep(report: ArchiveReport): void {
    this.#report = report;
    writeFileDurably(this.#reportFile, Buffer.from(`${JSON.stringify(report)}\n`));
  }

  /** Statements that are older than they need be. */
  #prune(): void {
    const { audits, settings } = this.#options;
    for (const name of namesIn(audits)) {
      const path = join(audits, name);
      if (name.endsWith(".audit") && statSync(path).mtimeMs < this.#now() - settings.keepMs) rmSync(path);
    }
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing was ever recorded
  }
}

function readReport(path: string): ArchiveReport | undefined {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as ArchiveReport;
  } catch {
    return undefined; // no round yet
  }
}
