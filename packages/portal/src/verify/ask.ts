/** Asks for verifications; the code that makes them is loaded with the first. */
import { Fault } from "@xinglin/primitives";
import type { AccessRow } from "../feed/rows.ts";
import type { Home } from "../shell/context.tsx";
import type { Verdict, Verifier } from "./verify-accesses.ts";

/** The chain that the enrolment link named, once for each client. */
const verifiers = new WeakMap<object, Map<string, Promise<Verifier>>>();

async function verifierOf({ client }: Home, chainId: string): Promise<Verifier> {
  const known = verifiers.get(client) ?? new Map<string, Promise<Verifier>>();
  verifiers.set(client, known);
  const opening = known.get(chainId) ?? import("./verify-accesses.ts").then(({ Verifier }) => Verifier.of(client, chainId));
  known.set(chainId, opening);
  opening.catch(() => known.delete(chainId));
  return opening;
}

/** A verdict on one entry. */
export async function verifyEntry(home: Home, row: AccessRow): Promise<Verdict> {
  const found = home.feed.pseudonyms.find(({ holding }) => holding.patient === row.patient);
  if (found === undefined) return { ok: false, code: "row_differs", facts: { element: "patient" }, sequence: row.sequence };
  return judged(home, found.holding.chain, (verifier) => verifier.verifyOne(found.identity, row, home.members));
}

/** A verdict on everything that the page shows; older pages are fetched first. */
export async function verifyEverything(home: Home, onProgress: (done: number, all: number) => void): Promise<Verdict> {
  const { feed } = home;
  const { retired } = feed.snapshot();
  const current = feed.pseudonyms.filter(({ holding }) => !retired.has(holding.patient));
  const [first] = current;
  if (first === undefined) return { ok: false, code: "key_retired", facts: {} };
  return judged(home, first.holding.chain, (verifier) =>
    verifier.verifyAll(
      async () => {
        for (const { identity } of current) {
          await feed.loadAll(identity);
          await feed.refreshConsents(identity);
        }
        const { accesses, consents, fault } = feed.snapshot();
        if (fault !== undefined) throw fault;
        return current.map(({ identity }) => ({
          identity,
          rows: accesses.get(identity.actor)?.rows ?? [],
          consents: consents.get(identity.actor) ?? [],
        }));
      },
      home.members,
      onProgress,
    ),
  );
}

/** A server with another genesis than the link's is a failure of the server, too. */
async function judged(home: Home, chainId: string, verify: (verifier: Verifier) => Promise<Verdict>): Promise<Verdict> {
  let verifier: Verifier;
  try {
    home.chain.requireHonest();
    verifier = await verifierOf(home, chainId);
  } catch (error) {
    if (error instanceof Fault && !error.retry) return { ok: false, code: error.code, facts: error.facts };
    throw error;
  }
  return verify(verifier);
}
