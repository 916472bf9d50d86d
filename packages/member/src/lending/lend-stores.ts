/** A node's store service over what its member lends: started with the node, and told by the chain which stores drain. */
import { join } from "node:path";
import { type Anchor, type Lending, startLending } from "@xinglin/archive";
import { getLentStore } from "@xinglin/contracts";
import { findObject, type ReadModel } from "@xinglin/index";
import type { Ledger } from "@xinglin/ledger";
import { fromHex } from "@xinglin/primitives";
import type { NodeConfig } from "../config/node-config.ts";
import { listeningAddress } from "../listening.ts";
import { memberOfPass } from "./authorize.ts";

/** Most anchors kept in memory; an object's anchor never changes. */
const MAX_KNOWN = 10_000;

/** Starts the service that the configuration asks for, if it does; `away` are stores that guests must not see yet. Faults: those of `startLending`. */
export async function lendStores(
  { archive, data, member, stores }: NodeConfig,
  { ledger, index }: { readonly ledger: Ledger; readonly index: ReadModel },
  { away, tls }: { readonly away: readonly string[]; readonly tls?: { readonly cert: Buffer; readonly key: Buffer } },
): Promise<Lending | undefined> {
  if (archive === undefined) return undefined;
  const own = stores.filter((store) => store.member === member);
  const known = new Map<string, Anchor>();
  const lending = await startLending({
    stores: own,
    away,
    folder: join(data, "lent"),
    listen: listeningAddress(archive.listen),
    names: [new URL(archive.url).host],
    ...(tls === undefined ? {} : { tls: { cert: tls.cert.toString(), key: tls.key.toString() } }),
    ...(archive.memberQuotaMegabytes === undefined ? {} : { memberQuotaBytes: archive.memberQuotaMegabytes * 1_000_000 }),
    authorize: async (pass) => memberOfPass(ledger, pass, Math.floor(Date.now() / 1000)),
    findAnchor: async (object, owner) => {
      const name = `${object}/${owner ?? ""}`;
      const cached = known.get(name);
      if (cached !== undefined) return cached;
      const found = await findObject(index.db, object, owner);
      if (found === undefined) return undefined;
      const anchor = {
        member: found.source,
        root: fromHex(found.object.root),
        manifest: fromHex(found.object.manifest),
        ...(found.object.profile === undefined ? {} : { profile: found.object.profile }),
      };
      if (known.size >= MAX_KNOWN) known.clear();
      known.set(name, anchor);
      return anchor;
    },
  });
  const tell = (): void => {
    const states = own.map(({ id }) => ({ id, state: getLentStore(ledger, id)?.state }));
    lending.setDraining(states.filter(({ state }) => state === "draining" || state === "withdrawn").map(({ id }) => id));
  };
  tell();
  const unsubscribe = ledger.subscribe(tell);
  return {
    ...lending,
    async close() {
      unsubscribe();
      await lending.close();
    },
  };
}
