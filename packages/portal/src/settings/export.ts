/**
 * Files that the patient takes along: the list of accesses with its proofs as JSON, and the evidence files alone, which `xinglin evidence verify` and any
 * other verifier checks offline. Source: requirements C10, F12.
 */
import { type ApiClient, collectEvidence, type Identity } from "@xinglin/client";
import { keys } from "@xinglin/contracts";
import { type Bytes, Fault, toBase64url } from "@xinglin/primitives";
import type { Member } from "../feed/feed.ts";
import type { AccessRow } from "../feed/rows.ts";
import type { Home } from "../shell/context.tsx";

interface Exported extends Member {
  readonly rows: readonly AccessRow[];
  /** Proofs of the authenticated count, of each permit, and of each entry in the log. */
  readonly evidence: Bytes;
}

async function collect({ client, feed }: Home): Promise<Exported[]> {
  const { retired } = feed.snapshot();
  const all: Exported[] = [];
  for (const pseudonym of feed.pseudonyms.filter(({ holding }) => !retired.has(holding.patient))) {
    await feed.loadAll(pseudonym.identity);
    const { fault, accesses } = feed.snapshot();
    if (fault !== undefined) throw fault;
    const rows = accesses.get(pseudonym.identity.actor)?.rows ?? [];
    all.push({ ...pseudonym, rows, evidence: await evidenceOf(client, pseudonym.identity, rows) });
  }
  if (all.length === 0) throw new Fault("key_retired");
  return all;
}

const evidenceOf = (client: ApiClient, identity: Identity, rows: readonly AccessRow[]): Promise<Bytes> => {
  const { actor } = identity;
  const permits = rows.flatMap(({ permit }) => (permit === undefined ? [] : [keys.access(actor, permit)]));
  return collectEvidence(client, identity, {
    keys: [keys.accessHead(actor), ...permits],
    sequences: rows.map(({ sequence }) => sequence),
  });
};

/** Saves `xinglin-accesses.json`: rows as shown, each pseudonym's evidence file in base64url. */
export async function saveList(home: Home): Promise<void> {
  const exported = await collect(home);
  const content = {
    type: "xinglin-access-list/1",
    chain: exported[0]?.holding.chain,
    pseudonyms: exported.map(({ holding, rows, evidence }) => ({
      patient: holding.patient,
      member: holding.member,
      accesses: rows,
      evidence: toBase64url(evidence),
    })),
  };
  save("xinglin-accesses.json", new Blob([JSON.stringify(content, null, 2)], { type: "application/json" }));
}

/** Saves one evidence file for each pseudonym. */
export async function saveEvidence(home: Home): Promise<void> {
  for (const { holding, evidence } of await collect(home))
    save(`xinglin-${holding.member}.evidence`, new Blob([new Uint8Array(evidence)], { type: "application/octet-stream" }));
}

function save(name: string, content: Blob): void {
  const anchor = document.createElement("a");
  anchor.href = URL.createObjectURL(content);
  anchor.download = name;
  anchor.click();
  URL.revokeObjectURL(anchor.href);
}
