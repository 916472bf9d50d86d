/**
 * What the page knows of the patient, kept up to date: accesses and consents of each pseudonym, whether the line to the server is up, and
 * whether a key was retired elsewhere. Source: requirement C10; design.md, "What a user gets".
 */
import { type ApiClient, followEvents, type Identity } from "@xinglin/client";
import { type ActorId, Fault } from "@xinglin/primitives";
import type { Holding } from "../wallet/holding.ts";
import { type AccessList, arrived, EMPTY_LIST, withPage } from "./merge.ts";
import { type ConsentRow, fetchAccesses, fetchConsents } from "./rows.ts";

/** Lines that are held open at a time: a browser allows six connections to one server, and requests need some of them. */
const MAX_STREAMS = 3;

/** `locked`: a passkey's owner must be asked before anything can be fetched. */
export type Line = "connecting" | "live" | "offline" | "locked";

/** One moment of the feed. */
export interface Snapshot {
  readonly line: Line;
  readonly accesses: ReadonlyMap<ActorId, AccessList>;
  readonly consents: ReadonlyMap<ActorId, readonly ConsentRow[]>;
  /** Accesses that came in while the page was open. */
  readonly fresh: ReadonlySet<number>;
  /** Pseudonyms whose key on this device was replaced. */
  readonly retired: ReadonlySet<ActorId>;
  /** What the last fetch failed with, until one succeeds. */
  readonly fault: Fault | undefined;
  readonly loaded: boolean;
}

/** A pseudonym and what acts for it. */
export interface Member {
  readonly holding: Holding;
  readonly identity: Identity;
}

/** The chain says so when a key is no longer the patient's. */
const RETIRED_CODES: ReadonlySet<string> = new Set(["key_retired", "unknown_key", "signer_suspended"]);
const KEY_OPERATIONS: ReadonlySet<string> = new Set(["enrolKey", "replaceKey", "setActorStatus"]);
const CONSENT_OPERATIONS: ReadonlySet<string> = new Set(["grantConsent", "narrowConsent", "revokeConsent"]);

export class Feed {
  readonly #client: ApiClient;
  readonly #pseudonyms: readonly Member[];
  readonly #onRetired: (patient: ActorId) => void;
  readonly #listeners = new Set<() => void>();
  readonly #lines = new Map<ActorId, { isUp: boolean; readonly abort: AbortController }>();
  #snapshot: Snapshot = {
    line: "connecting",
    accesses: new Map(),
    consents: new Map(),
    fresh: new Set(),
    retired: new Set(),
    fault: undefined,
    loaded: false,
  };

  constructor(client: ApiClient, pseudonyms: readonly Member[], onRetired: (patient: ActorId) => void) {
    this.#client = client;
    this.#pseudonyms = pseudonyms;
    this.#onRetired = onRetired;
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };
  readonly snapshot = (): Snapshot => this.#snapshot;

  get pseudonyms(): readonly Member[] {
    return this.#pseudonyms;
  }

  /** Follows the chain until `stop`. */
  start(): void {
    this.#pseudonyms.slice(0, MAX_STREAMS).forEach(({ identity }, i) => {
      const abort = new AbortController();
      const { signal } = abort;
      this.#lines.set(identity.actor, { isUp: false, abort });
      void followEvents(this.#client, identity, {
        signal,
        onEvent: ({ event, data }) => {
          if (event === "entry") void this.#onEntry(identity, (data as { operation?: string }).operation ?? "");
          // The others have no line of their own: each new block may bring them something.
          else if (event === "block" && i === 0)
            for (const other of this.#pseudonyms.slice(MAX_STREAMS)) void this.refresh(other.identity);
        },
        onState: (isUp) => this.#onLine(identity, isUp),
      });
    });
  }

  stop(): void {
    for (const { abort } of this.#lines.values()) abort.abort();
  }

  /** Fetches everything anew, one pseudonym after the other: each may prompt its owner. */
  async refreshAll(): Promise<void> {
    for (const { identity } of this.#pseudonyms) await this.refresh(identity);
    this.#set({ loaded: true });
  }

  /** Fetches the newest accesses and all consents of one pseudonym. */
  async refresh(identity: Identity): Promise<void> {
    await Promise.all([this.refreshAccesses(identity), this.refreshConsents(identity)]);
  }

  async refreshAccesses(identity: Identity): Promise<void> {
    await this.#guard(identity, async () => {
      const page = await fetchAccesses(this.#client, identity);
      const before = this.#snapshot.accesses.get(identity.actor);
      const after = withPage(before ?? EMPTY_LIST, page, undefined);
      const fresh = before === undefined ? [] : arrived(before, after);
      this.#set({
        accesses: new Map(this.#snapshot.accesses).set(identity.actor, after),
        fresh: new Set([...this.#snapshot.fresh, ...fresh]),
      });
    });
  }

  async refreshConsents(identity: Identity): Promise<void> {
    await this.#guard(identity, async () => {
      const rows = await fetchConsents(this.#client, identity);
      this.#set({ consents: new Map(this.#snapshot.consents).set(identity.actor, rows) });
    });
  }

  /** Fetches the next older page of each list that has one. */
  async loadOlder(): Promise<void> {
    for (const { identity } of this.#pseudonyms) await this.#loadOlderOf(identity);
  }

  /** Fetches all pages of a pseudonym: only the whole list can be compared with the chain's count. */
  async loadAll(identity: Identity): Promise<void> {
    await this.refreshAccesses(identity);
    while (this.#snapshot.fault === undefined && (await this.#loadOlderOf(identity)));
  }

  async #loadOlderOf(identity: Identity): Promise<boolean> {
    const list = this.#snapshot.accesses.get(identity.actor);
    const before = list?.next;
    if (list === undefined || before === undefined) return false;
    await this.#guard(identity, async () => {
      const page = await fetchAccesses(this.#client, identity, before);
      const known = this.#snapshot.accesses.get(identity.actor) ?? EMPTY_LIST;
      this.#set({ accesses: new Map(this.#snapshot.accesses).set(identity.actor, withPage(known, page, before)) });
    });
    return true;
  }

  async #onEntry(identity: Identity, operation: string): Promise<void> {
    if (KEY_OPERATIONS.has(operation)) return this.refresh(identity);
    if (CONSENT_OPERATIONS.has(operation)) return this.refreshConsents(identity);
    if (operation === "requestAccess") return this.refresh(identity); // a read counts under its consent, too
    return this.refreshAccesses(identity);
  }

  #onLine(identity: Identity, isUp: boolean): void {
    const line = this.#lines.get(identity.actor);
    if (line === undefined || line.abort.signal.aborted) return;
    line.isUp = isUp;
    if (this.#snapshot.line !== "locked" || isUp) this.#set({ line: this.#lineNow("offline") });
    // What happened while the line was down came by no event; and why it went down, the server says to a request.
    void this.refresh(identity);
  }

  /** Live if every line that is still wanted is up; `otherwise` if one is not. */
  #lineNow(otherwise: Line): Line {
    const wanted = [...this.#lines.values()].filter(({ abort }) => !abort.signal.aborted);
    if (wanted.length === 0) return "offline";
    return wanted.every(({ isUp }) => isUp) ? "live" : otherwise;
  }

  /** Runs a fetch and keeps what it failed with, so that nothing is lost in silence. */
  async #guard(identity: Identity, work: () => Promise<void>): Promise<void> {
    if (this.#snapshot.retired.has(identity.actor)) return;
    try {
      await work();
      const { line } = this.#snapshot;
      this.#set({ fault: undefined, line: line === "locked" ? this.#lineNow("connecting") : line });
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      if (RETIRED_CODES.has(error.code)) {
        // Two requests may have been under way.
        if (this.#snapshot.retired.has(identity.actor)) return;
        this.#lines.get(identity.actor)?.abort.abort();
        this.#set({
          retired: new Set(this.#snapshot.retired).add(identity.actor),
          line: this.#lineNow(this.#snapshot.line),
        });
        this.#onRetired(identity.actor);
      } else if (error.code === "unlock_needed") this.#set({ line: "locked" });
      else this.#set({ fault: error });
    }
  }

  #set(change: Partial<Snapshot>): void {
    this.#snapshot = { ...this.#snapshot, ...change };
    for (const listener of this.#listeners) listener();
  }
}
