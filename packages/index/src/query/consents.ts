/** A patient's directives with their history, and the directives that name a member. Source: requirement C1; design.md, "Identity". */
import type { DirectiveTerms } from "@xinglin/contracts";
import { Fault, toBase64url } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { DirectiveRow, Tables } from "../store/tables.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";

export interface DirectiveView {
  /** Of the newest change: what its proof is asked for by. */
  readonly sequence: number;
  readonly height: number;
  readonly number: number;
  /** 1 when granted, one more with each narrowing. */
  readonly version: number;
  readonly terms: DirectiveTerms;
  readonly grantedAt: number;
  readonly revokedAt?: number;
  readonly history: readonly {
    readonly sequence: number;
    readonly height: number;
    readonly time: number;
    readonly change: string;
  }[];
}
export interface ConsentView extends DirectiveView {
  /** Permits that rested on it. */
  readonly reads: number;
}
export interface GrantView extends DirectiveView {
  readonly patient: string;
  /** Pointers sealed to the member that asks, and to no other; base64url. */
  readonly pointers: readonly { readonly member: string; readonly sealed: string }[];
}

/** All directives of a patient, the newest first. */
export async function listConsents(db: Kysely<Tables>, patient: string, page: PageRequest): Promise<Page<ConsentView>> {
  let query = db
    .selectFrom("xinglin.directives")
    .select(["sequence", "number"])
    .where("patient", "=", patient)
    .where("change", "=", "granted");
  if (page.before !== undefined) query = query.where("sequence", "<", page.before);
  const granted = await query
    .orderBy("sequence", "desc")
    .limit(page.limit + 1)
    .execute();
  const numbers = granted.map(({ number }) => number);
  const changes = await db
    .selectFrom("xinglin.directives")
    .selectAll()
    .where("patient", "=", patient)
    .where("number", "=", sql<number>`any(${numbers}::bigint[])`)
    .orderBy("sequence")
    .execute();
  const reads = await db
    .selectFrom("xinglin.accesses")
    .select(["directive", sql<number>`count(*)`.as("reads")])
    .where("patient", "=", patient)
    .where("outcome", "=", "accepted")
    .where("directive", "=", sql<number>`any(${numbers}::bigint[])`)
    .groupBy("directive")
    .execute();
  const byNumber = Map.groupBy(changes, ({ number }) => number);
  const readsOf = new Map(reads.map((row) => [row.directive, row.reads]));
  return pageOf(
    granted,
    page.limit,
    ({ sequence }) => sequence,
    ({ number }) => ({ ...foldDirective(byNumber.get(number) ?? []), reads: readsOf.get(number) ?? 0 }),
  );
}

/** Directives in force at `time` that name `member`, or a study of it, with the pointers sealed to it. A page may be shorter than `limit`. */
export async function listGrants(db: Kysely<Tables>, member: string, time: number, page: PageRequest): Promise<Page<GrantView>> {
  let query = db
    .selectFrom("xinglin.directives as d")
    .select(["d.sequence", "d.patient", "d.number"])
    .where("d.change", "=", "granted")
    .where((eb) => {
      const studies = eb.selectFrom("xinglin.approvals").select("approval").where("member", "=", member);
      const named = eb
        .selectFrom("xinglin.directive_grantees as g")
        .select("g.sequence")
        .where((inner) => inner.or([inner("g.member", "=", member), inner("g.approval", "in", studies)]));
      return eb("d.sequence", "in", named);
    });
  if (page.before !== undefined) query = query.where("d.sequence", "<", page.before);
  const granted = await query
    .orderBy("d.sequence", "desc")
    .limit(page.limit + 1)
    .execute();
  const { items, next } = pageOf(
    granted,
    page.limit,
    ({ sequence }) => sequence,
    (row) => row,
  );
  const views: GrantView[] = [];
  for (const { sequence, patient, number } of items) {
    const changes = await db
      .selectFrom("xinglin.directives")
      .selectAll()
      .where("patient", "=", patient)
      .where("number", "=", number)
      .orderBy("sequence")
      .execute();
    const directive = foldDirective(changes);
    const { terms, revokedAt } = directive;
    const named = terms.grantees.some((grantee) => grantee.kind === "study" || grantee.member === member);
    if (!named || revokedAt !== undefined || time < terms.notBefore || time >= terms.notAfter) continue;
    const pointers = await db
      .selectFrom("xinglin.directive_pointers")
      .select("sealed")
      .where("sequence", "=", sequence)
      .where("member", "=", member)
      .orderBy("position")
      .execute();
    views.push({ ...directive, patient, pointers: pointers.map(({ sealed }) => ({ member, sealed: toBase64url(sealed) })) });
  }
  return next === undefined ? { items: views } : { items: views, next };
}

/** What the changes of one directive, oldest first, come to. */
function foldDirective(changes: readonly DirectiveRow[]): DirectiveView {
  const [granted] = changes;
  const newest = changes.at(-1);
  const worded = changes.filter(({ terms }) => terms !== null);
  const terms = worded.at(-1)?.terms;
  if (granted === undefined || newest === undefined || terms === undefined || terms === null)
    throw new Fault("index_inconsistent", { table: "directives" });
  const revoked = changes.find(({ change }) => change === "revoked");
  return {
    sequence: newest.sequence,
    height: newest.height,
    number: granted.number,
    version: worded.length,
    terms,
    grantedAt: granted.time,
    ...(revoked === undefined ? {} : { revokedAt: revoked.time }),
    history: changes.map(({ sequence, height, time, change }) => ({ sequence, height, time, change })),
  };
}
