/**
 * Rows as the API's read model gives them: claims of a server, until they are verified. Source: requirements C1, C2, C10;
 * docs/reference (HTTP API).
 */
import type { ApiClient, Identity } from "@xinglin/client";
import type { Category, DirectiveTerms, Level, Purpose, Reason } from "@xinglin/contracts";
import { type ActorId, Fault, type MemberId } from "@xinglin/primitives";

/** One request to read, permitted or refused. Times are seconds UTC of the block. */
export interface AccessRow {
  readonly sequence: number;
  readonly height: number;
  readonly time: number;
  readonly transaction: string;
  readonly patient: ActorId;
  readonly outcome: "accepted" | "refused";
  readonly code?: string;
  readonly facts?: Readonly<Record<string, string | number>>;
  /** Number of the permit under `access/{patient}`. */
  readonly permit?: number;
  /** Number of the directive that decided. */
  readonly directive?: number;
  readonly purpose: Purpose;
  readonly class: { readonly level: Level; readonly category: Category };
  readonly target: { readonly kind: string; readonly record?: string; readonly version?: number; readonly batch?: string };
  readonly by: {
    readonly actor: ActorId;
    readonly key: string;
    readonly member: MemberId;
    readonly role?: string;
    readonly department?: string;
  };
  readonly credential?: string;
  readonly approval?: string;
  readonly reason?: Reason;
  readonly releases: readonly { readonly custodian: string; readonly sequence: number; readonly time: number }[];
}

/** One directive of the patient. */
export interface ConsentRow {
  readonly sequence: number;
  readonly height: number;
  readonly number: number;
  readonly version: number;
  readonly terms: DirectiveTerms;
  readonly grantedAt: number;
  readonly revokedAt?: number;
  readonly reads: number;
}

/** One institution, with its names; `hpke` is base64url. */
export interface MemberRow {
  readonly id: MemberId;
  readonly kind: string;
  readonly name: { readonly zh: string; readonly en: string };
  readonly status: "active" | "suspended";
  readonly hpke: string;
}

/** A page of a list, newest first; `next` is `before` of the page after it. */
export interface Page<Row> {
  readonly items: readonly Row[];
  readonly next?: number;
}

const PAGE_ROWS = 50;

const asPage = <Row>(answer: unknown): Page<Row> => {
  if (Array.isArray((answer as { items?: unknown } | null)?.items)) return answer as Page<Row>;
  throw new Fault("api_answer_unreadable", { status: 200 });
};
const pageQuery = (before: number | undefined): string => `?limit=${PAGE_ROWS}${before === undefined ? "" : `&before=${before}`}`;

/** A page of who asked to read the records of `identity`. */
export const fetchAccesses = async (client: ApiClient, identity: Identity, before?: number): Promise<Page<AccessRow>> =>
  asPage(await client.getJson(`/v1/patients/${identity.actor}/accesses${pageQuery(before)}`, identity));

/** All directives of `identity`, newest first. */
export async function fetchConsents(client: ApiClient, identity: Identity): Promise<ConsentRow[]> {
  const rows: ConsentRow[] = [];
  let before: number | undefined;
  do {
    const page: Page<ConsentRow> = asPage(
      await client.getJson(`/v1/patients/${identity.actor}/consents${pageQuery(before)}`, identity),
    );
    rows.push(...page.items);
    before = page.next;
  } while (before !== undefined);
  return rows;
}

/** The institutions of the consortium. */
export async function fetchMembers(client: ApiClient): Promise<MemberRow[]> {
  const answer = await client.getJson("/v1/members");
  if (!Array.isArray(answer)) throw new Fault("api_answer_unreadable", { status: 200 });
  return answer as MemberRow[];
}
