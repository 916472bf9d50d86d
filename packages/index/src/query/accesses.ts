/**
 * Who asked to read a patient's records, in which role, for what, under which directive, and what came of it.
 * Source: requirements C1, C2, C10.
 */
import { toHex } from "@xinglin/primitives";
import { type Kysely, sql } from "kysely";
import type { AccessRow, ReleaseRow, Tables } from "../store/tables.ts";
import { type SignedBy, signedBy } from "./entries.ts";
import { type Page, type PageRequest, pageOf } from "./page.ts";
import type { Viewer } from "./viewer.ts";

export interface AccessView {
  readonly sequence: number;
  readonly height: number;
  readonly time: number;
  readonly transaction: string;
  readonly patient: string;
  readonly outcome: "accepted" | "refused";
  readonly code?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Number of the permit under `access/{patient}`. */
  readonly permit?: number;
  readonly directive?: number;
  readonly purpose: string;
  readonly class: { readonly level: string; readonly category: string };
  readonly target: { readonly kind: string; readonly record?: string; readonly version?: number; readonly batch?: string };
  /** `role` and `department` are those of the credential that the request named. */
  readonly by: SignedBy & { readonly role?: string; readonly department?: string };
  readonly credential?: string;
  readonly approval?: string;
  readonly reason?: unknown;
  /** Shares that custodians signed to have released for the permit. */
  readonly releases: readonly { readonly custodian: string; readonly sequence: number; readonly time: number }[];
}

type Joined = AccessRow & {
  transaction: Uint8Array;
  facts: Record<string, string | number> | null;
  reason: unknown;
  role: string | null;
  department: string | null;
};

/** A patient's accesses, newest first. A member that did not register the patient (`viewer.member` is not `home`) sees its own requests only. */
export async function listAccesses(
  db: Kysely<Tables>,
  viewer: Viewer,
  of: { readonly patient: string; readonly home: string },
  page: PageRequest,
): Promise<Page<AccessView>> {
  let query = db
    .selectFrom("xinglin.accesses as a")
    .innerJoin("xinglin.entries as e", "e.sequence", "a.sequence")
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom("xinglin.credentials as c")
          .select(["c.role", "c.department"])
          .whereRef("c.credential", "=", "a.credential")
          .where("c.change", "=", "issued")
          .limit(1)
          .as("credential_terms"),
      (join) => join.onTrue(),
    )
    .selectAll("a")
    .select(["e.transaction", "e.facts", "e.reason", "credential_terms.role", "credential_terms.department"])
    .where("a.patient", "=", of.patient);
  if (viewer.kind === "patient" && viewer.patient !== of.patient) return { items: [] };
  if (viewer.kind === "member" && viewer.member !== of.home) query = query.where("a.member", "=", viewer.member);
  if (page.before !== undefined) query = query.where("a.sequence", "<", page.before);
  const rows = (await query
    .orderBy("a.sequence", "desc")
    .limit(page.limit + 1)
    .execute()) as Joined[];
  const releases = await releasesOf(db, of.patient, rows);
  return pageOf(
    rows,
    page.limit,
    (row) => row.sequence,
    (row) => accessView(row, row.permit === null ? [] : (releases.get(row.permit) ?? [])),
  );
}

/** Whether a member asked for, or was permitted (`permit`), a read of this patient's records. */
export async function hasAccess(
  db: Kysely<Tables>,
  member: string,
  wanted: { readonly patient?: string; readonly permit?: number; readonly record?: string },
): Promise<boolean> {
  let query = db.selectFrom("xinglin.accesses").select("sequence").where("member", "=", member);
  if (wanted.patient !== undefined) query = query.where("patient", "=", wanted.patient);
  if (wanted.permit !== undefined) query = query.where("permit", "=", wanted.permit);
  if (wanted.record !== undefined) query = query.where("record", "=", wanted.record).where("permit", "is not", null);
  return (await query.limit(1).executeTakeFirst()) !== undefined;
}

async function releasesOf(db: Kysely<Tables>, patient: string, rows: readonly Joined[]): Promise<Map<number, ReleaseRow[]>> {
  const permits = rows.flatMap((row) => (row.permit === null ? [] : [row.permit]));
  const byPermit = new Map<number, ReleaseRow[]>();
  if (permits.length === 0) return byPermit;
  const found = await db
    .selectFrom("xinglin.releases")
    .selectAll()
    .where("patient", "=", patient)
    .where("permit", "=", sql<number>`any(${permits}::bigint[])`)
    .orderBy("sequence")
    .execute();
  for (const release of found) byPermit.set(release.permit, [...(byPermit.get(release.permit) ?? []), release]);
  return byPermit;
}

const accessView = (row: Joined, releases: readonly ReleaseRow[]): AccessView => ({
  sequence: row.sequence,
  height: row.height,
  time: row.time,
  transaction: toHex(row.transaction),
  patient: row.patient,
  outcome: row.outcome,
  ...(row.code === null ? {} : { code: row.code }),
  ...(row.facts === null ? {} : { facts: row.facts }),
  ...(row.permit === null ? {} : { permit: row.permit }),
  ...(row.directive === null ? {} : { directive: row.directive }),
  purpose: row.purpose,
  class: { level: row.level, category: row.category },
  target: {
    kind: row.target,
    ...(row.record === null ? {} : { record: row.record }),
    ...(row.version === null ? {} : { version: row.version }),
    ...(row.batch === null ? {} : { batch: toHex(row.batch) }),
  },
  by: {
    ...signedBy(row),
    ...(row.role === null ? {} : { role: row.role }),
    ...(row.department === null ? {} : { department: row.department }),
  },
  ...(row.credential === null ? {} : { credential: row.credential }),
  ...(row.approval === null ? {} : { approval: row.approval }),
  ...(row.reason === null ? {} : { reason: row.reason }),
  releases: releases.map(({ custodian, sequence, time }) => ({ custodian, sequence, time })),
});
