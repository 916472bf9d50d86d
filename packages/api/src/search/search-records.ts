/**
 * One node's answer to a search: the records described here that meet the criteria and for which a request by the caller would be permitted now. The read
 * model finds them, the chain's state decides each, by the rule that decides requests. Source: requirement D7; docs/internals/search.md.
 */
import { setTimeout } from "node:timers/promises";
import {
  CATEGORIES,
  checkCredential,
  type FoundRecord,
  getActor,
  getClassRule,
  LEVELS,
  MAX_SEARCH_ROWS,
  READING_ROLES,
  type RecordClass,
  type SearchAnswer,
  type SearchQuery,
  type StateReader,
  type WouldAsk,
  wouldPermit,
} from "@xinglin/contracts";
import { findMatches, logSearch, type Match } from "@xinglin/index";
import { type ActorId, Fault, type MemberId, type RecordId, type UnixSeconds } from "@xinglin/primitives";
import type { ApiContext } from "../context.ts";
import { RateLimit } from "../http/rate-limit.ts";
import type { Caller } from "../session/sessions.ts";

/** Matches that are read at once, and of one search at most. */
const MATCH_ROWS = 200;
const MAX_MATCHES = 20_000;
/** Answers leave at whole steps, so that how long one took tells little of what it did not show. */
const STEP_MS = 100;
/** Of a member's people together, so many times what one may. */
const MEMBER_SHARE = 10;

export class RecordSearch {
  readonly #context: ApiContext;
  readonly #actors: RateLimit;
  readonly #members: RateLimit;

  constructor(context: ApiContext) {
    const { searchesPerSecond, searchBurst } = context.limits;
    this.#context = context;
    this.#actors = new RateLimit(searchesPerSecond, searchBurst, context.now);
    this.#members = new RateLimit(MEMBER_SHARE * searchesPerSecond, MEMBER_SHARE * searchBurst, context.now);
  }

  /**
   * A page for the caller. Throws `rate_limited`, `search_credential_refused` (which says only what the caller's own credential lacks), and
   * `search_too_broad` where too many records meet the criteria that patients who named the caller do not open to it.
   */
  async page(caller: Caller, query: SearchQuery): Promise<SearchAnswer> {
    const began = performance.now();
    try {
      return await this.#page(caller, query);
    } finally {
      const took = performance.now() - began;
      await setTimeout(STEP_MS - (took % STEP_MS));
    }
  }

  async #page(caller: Caller, query: SearchQuery): Promise<SearchAnswer> {
    const { state, projection, limits, index, options, blockTime, now, ledger } = this.#context;
    if (!this.#actors.take(caller.actorId) || !this.#members.take(caller.member))
      throw new Fault("rate_limited", { perSecond: limits.searchesPerSecond }, { retry: true });
    await projection.caughtUp(limits.waitMs);
    const time = blockTime() as UnixSeconds;
    const { criteria, purpose, credential, approval } = query;
    const papers = approval === undefined ? {} : { approval };
    const asking: WouldAsk = { caller: askerOf(state, caller, query, time), purpose, credential, ...papers };
    const found: FoundRecord[] = [];
    let { after } = query;
    for (let looked = 0; found.length <= MAX_SEARCH_ROWS; ) {
      if (looked >= MAX_MATCHES) throw new Fault("search_too_broad", { most: MAX_MATCHES });
      const matches = await findMatches(index.db, {
        criteria,
        member: caller.member,
        ...papers,
        open: openClasses(state, approval !== undefined),
        ...(options.search?.member === undefined ? {} : { source: options.search.member }),
        ...(after === undefined ? {} : { after }),
        limit: MATCH_ROWS,
      });
      for (const match of matches) {
        const record = permitted(state, match, asking, time);
        if (record !== undefined) found.push(record);
      }
      looked += matches.length;
      const last = matches.at(-1);
      if (last === undefined || matches.length < MATCH_ROWS) break;
      after = { month: last.last_month, record: last.record as RecordId };
    }
    const records = found.slice(0, MAX_SEARCH_ROWS);
    const { key } = caller.signer;
    const who = { actor: caller.actorId, key, member: caller.member, purpose, credential, ...papers };
    await logSearch(index.db, { time: Math.floor(now() / 1000), height: ledger.height(), ...who, criteria, records });
    const end = records.at(-1);
    // The place is that of a record which the caller has seen.
    const next = found.length > records.length && end !== undefined ? { month: end.month ?? 0, record: end.record } : undefined;
    return next === undefined ? { records } : { records, next };
  }
}

/** The caller as the rule sees it. Throws `search_credential_refused` for a credential that no request could be made with. */
function askerOf(state: StateReader, caller: Caller, { credential }: SearchQuery, time: UnixSeconds): WouldAsk["caller"] {
  const actor = getActor(state, caller.actorId);
  const asker = actor?.kind === "staff" ? { actorId: caller.actorId, actor } : undefined;
  const held = asker === undefined ? undefined : checkCredential(state, asker, credential, READING_ROLES, time);
  if (asker === undefined || held?.ok !== true) {
    const code = held === undefined || held.ok ? "no_credential" : held.refusal.code;
    throw new Fault("search_credential_refused", { code });
  }
  return asker;
}

/** Classes that may be read without a directive: free ones, and with an approval those that a review opens. */
const openClasses = (state: StateReader, hasApproval: boolean): RecordClass[] =>
  CATEGORIES.flatMap((category) => LEVELS.map((level) => ({ category, level }))).filter((one) => {
    const basis = getClassRule(state, one)?.basis;
    return basis === "free" || (basis === "review" && hasApproval);
  });

/** What is shown of a match, if a request for it would be permitted. */
function permitted(state: StateReader, row: Match, asking: WouldAsk, time: UnixSeconds): FoundRecord | undefined {
  const record = row.record as RecordId;
  const known = { patient: row.patient as ActorId, class: { level: row.level, category: row.category } as RecordClass };
  const would =
    row.batch === null
      ? wouldPermit(state, { kind: "record", record }, asking, time)
      : wouldPermit(state, { kind: "leaf", record, root: new Uint8Array(row.batch), ...known }, asking, time);
  // A description of an older version, or of another's record, is not of what could be read.
  if (would === undefined || would.source !== row.source || (would.version ?? null) !== row.version) return undefined;
  return {
    record,
    ...(would.version === undefined ? {} : { version: would.version }),
    ...(row.batch === null ? {} : { batch: new Uint8Array(row.batch) }),
    member: would.source as MemberId,
    patient: would.patient,
    class: would.class,
    format: row.format as FoundRecord["format"],
    ...(row.last_month === 0 ? {} : { month: row.last_month }),
    basis: would.basis,
  };
}
