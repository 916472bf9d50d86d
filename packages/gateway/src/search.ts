/**
 * Searching all members' nodes. Each answers for its own records, only of those that the caller would be permitted to ask for; what it says is compared with
 * whose node it is, and who does not answer is told. Source: requirement D7; docs/internals/search.md.
 */
import { ApiClient, type Identity } from "@xinglin/client";
import { type FoundRecord, type SearchAnswer, type SearchQuery, searchAnswer, status } from "@xinglin/contracts";
import { cbor, Fault, type Infer, type MemberId, memberId, schema } from "@xinglin/primitives";
import { boundedFetch } from "./bounded-fetch.ts";
import type { Gateway } from "./keep-record.ts";

const MAX_NODES = 4_096;
/** A page of fifty records is a quarter of it. */
const MAX_ANSWER_BYTES = 65_536;
const DEFAULT_TIMEOUT_MS = 15_000;

const nodesShape = schema.object({
  here: schema.list(memberId, MAX_NODES),
  nodes: schema.list(schema.object({ member: memberId, url: schema.text(256, /^https?:\/\/[^/\s]+$/) }), MAX_NODES),
});
/** Whose records a node is asked about, and where it knows the other members' nodes. */
export type SearchNodes = Infer<typeof nodesShape>;

/** How one node took part. `more`: it has more that the caller may ask for than was fetched. */
export interface AskedNode {
  readonly members: readonly MemberId[];
  readonly url: string;
  /** Missing if it answered. */
  readonly code?: string;
  readonly more: boolean;
}

/** What was found, newest month first, and who was asked. */
export interface SearchOutcome {
  readonly records: readonly FoundRecord[];
  readonly nodes: readonly AskedNode[];
  /** Active members whose node's address is not known here. */
  readonly unasked: readonly MemberId[];
}

/** How much is fetched of a node, and how long it may take for it. */
export interface SearchOptions {
  /** Records of one node at most; whole pages are fetched until there are so many. */
  readonly limit: number;
  readonly timeoutMs?: number;
}

/** Asks every member's node in parallel. Throws only what the caller's own node throws of the query itself, as `malformed`, `search_credential_refused`. */
export async function searchRecords(
  { client }: Pick<Gateway, "client">,
  by: Identity,
  query: Omit<SearchQuery, "after">,
  { limit, timeoutMs = DEFAULT_TIMEOUT_MS }: SearchOptions,
): Promise<SearchOutcome> {
  const { chainId } = await client.genesis();
  const { here, nodes } = nodesShape.parse(await client.getJson("/v1/search/nodes", by));
  const ending = new AbortController();
  const remote = nodes
    .filter(({ member }) => !here.includes(member))
    .map(({ member, url }) => {
      const fetch = boundedFetch({ timeoutMs, maxBytes: MAX_NODE_BYTES, signal: ending.signal, fetch: globalThis.fetch });
      return { members: [member], client: new ApiClient({ url, chainId, fetch }) };
    });
  try {
    const own = askNode({ members: here, client }, by, query, limit);
    const others = remote.map(async (node) => {
      try {
        return await askNode(node, by, query, limit);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        return { records: [], node: { members: node.members, url: node.client.url, code: error.code, more: false } };
      }
    });
    const answers = await Promise.all([own, ...others]);
    const asked = new Set(answers.flatMap(({ node }) => node.members));
    return {
      records: answers.flatMap(({ records }) => records).sort(newestFirst),
      nodes: answers.map(({ node }) => node),
      unasked: (await activeMembers(client, by)).filter((member) => !asked.has(member)),
    };
  } finally {
    ending.abort();
  }
}

/** The genesis of a large consortium is the longest thing that is fetched of another node. */
const MAX_NODE_BYTES = 16_777_216;

async function askNode(
  { members, client }: { readonly members: readonly MemberId[]; readonly client: ApiClient },
  by: Identity,
  query: Omit<SearchQuery, "after">,
  limit: number,
): Promise<{ readonly records: readonly FoundRecord[]; readonly node: AskedNode }> {
  const records: FoundRecord[] = [];
  let next: SearchAnswer["next"];
  do {
    const body = cbor.encode({ ...query, ...(next === undefined ? {} : { after: next }) });
    const bytes = await client.postBytes("/v1/search", body, by);
    const answer = searchAnswer.parse(cbor.decode(bytes, MAX_ANSWER_BYTES));
    // A node speaks for its own member's records alone.
    if (!answer.records.every(({ member }) => members.includes(member))) throw new Fault("search_answer_wrong");
    records.push(...answer.records);
    if (answer.records.length === 0 && answer.next !== undefined) throw new Fault("search_answer_wrong");
    next = answer.next;
  } while (next !== undefined && records.length < limit);
  const node = { members, url: client.url, more: next !== undefined || records.length > limit };
  return { records: records.slice(0, limit), node };
}

const newestFirst = (a: FoundRecord, b: FoundRecord): number => (b.month ?? 0) - (a.month ?? 0) || (a.record < b.record ? 1 : -1);

const membersShape = schema.list(
  { parse: (value: unknown) => schema.object({ id: memberId, status }).parse(pick(value)) },
  MAX_NODES,
);
const pick = (value: unknown): unknown => {
  const { id, status: told } = (value ?? {}) as Record<string, unknown>;
  return { id, status: told };
};

async function activeMembers(client: ApiClient, by: Identity): Promise<MemberId[]> {
  const members = membersShape.parse(await client.getJson("/v1/members", by));
  return members.filter((one) => one.status === "active").map(({ id }) => id);
}
