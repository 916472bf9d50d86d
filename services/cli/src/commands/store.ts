/**
 * `xinglin store add|claim|list|drain|remove`: what a member lends to the archive, from the first folder to the last piece that has left it.
 * Source: docs/guides/lend-storage.md.
 */
import { openStore, type StoreDescription, siteOf } from "@xinglin/archive";
import type { LendStore } from "@xinglin/contracts";
import { bytesText, drainStore, lendStore, listLentStores, retireStore, storeHoldings } from "@xinglin/gateway";
import { type NodeConfig, readNodeConfig, writeNodeConfig } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { configOf } from "./node.ts";
import { checked, DEFAULT_LISTEN, describe, serviceUrl } from "./store-options.ts";

const MEGABYTE = 1_000_000;

const WHERE = { config: { type: "string" }, id: { type: "string" } } as const;

/** Whose key signs: the member's administration unless `--as` names a device. */
const keyOf = (context: Context, { member }: NodeConfig) =>
  context.text("as") === undefined ? context.keyAt(`${member}/administration`) : context.key();

export const add: Command = {
  words: "store add",
  options: {
    ...WHERE,
    dir: { type: "string" },
    s3: { type: "string" },
    ipfs: { type: "string" },
    quota: { type: "string" },
    credentials: { type: "string" },
    region: { type: "string" },
    ca: { type: "string" },
    building: { type: "string" },
    city: { type: "string" },
    power: { type: "string" },
    tier: { type: "string" },
    listen: { type: "string" },
    url: { type: "string" },
  },
  async run(context) {
    const file = configOf(context);
    const config = readNodeConfig(file);
    const description = checked(describe(context, config));
    const { id, quotaBytes = 0 } = description;
    const isNew = !config.stores.some((store) => store.id === id);
    const archive = config.archive ?? { listen: context.text("listen") ?? DEFAULT_LISTEN, url: serviceUrl(context) };
    const { client } = context.gateway();
    // A chain that can't be reached says so before anything is made that nobody would lend.
    const lent = await listLentStores(client);
    if (!isNew && lent.some((store) => store.id === id && store.state !== "withdrawn"))
      throw new Fault("store_duplicate", { store: id });
    const store = openStore(description);
    const wasThere = await store.isPresent();
    if (isNew) await store.create();
    const terms: LendStore = {
      id,
      kind: description.kind as LendStore["kind"],
      site: siteOf(description),
      quotaMegabytes: Math.floor(quotaBytes / MEGABYTE),
      url: archive.url,
    };
    let height: number;
    try {
      const { diskFreeBytes } = await store.room();
      if (diskFreeBytes < quotaBytes)
        throw new Fault("store_quota_beyond_disk", { store: id, quota: bytesText(quotaBytes), free: bytesText(diskFreeBytes) });
      height = await lendStore(client, keyOf(context, config), terms);
    } catch (cause) {
      // What is not lent is not claimed: the folder can become another store.
      if (isNew && !wasThere) await store.unclaim().catch(() => undefined);
      throw cause;
    }
    const others = config.stores.filter((known) => known.id !== id);
    writeNodeConfig(file, { ...config, archive, stores: [...others, description] }, { replace: true });
    context.tell("store.added", { id, quota: bytesText(quotaBytes), height, config: file, url: archive.url });
  },
};

export const claim: Command = {
  words: "store claim",
  options: WHERE,
  async run(context) {
    const { description } = configured(context);
    const store = openStore(description);
    if (await store.isPresent()) return context.tell("store.claimed_before", { id: store.id });
    await store.create();
    context.tell("store.claimed", { id: store.id });
  },
};

export const list: Command = {
  words: "store list",
  options: WHERE,
  async run(context) {
    const { client, stores, file } = context.gateway();
    const lent = await listLentStores(client);
    const reached = context.text("as") === undefined ? undefined : await stores(context.key());
    const holdings = reached === undefined ? new Map() : await storeHoldings(reached.readable);
    const local = file.stores.filter(({ id }) => !lent.some((store) => store.id === id));
    const rows = lent.map((store) => ({ ...store, ...(holdings.get(store.id) ?? {}) }));
    if (context.json) return context.print({ stores: rows, local: local.map(({ id, member, kind }) => ({ id, member, kind })) });
    if (rows.length === 0) context.say.plain("store.none");
    for (const { id, member, kind } of local) context.say.plain("store.line_local", { id, member, kind });
    for (const { id, member, kind, quotaMegabytes, state, site } of rows) {
      const facts = { id, member, kind, quota: bytesText(quotaMegabytes * MEGABYTE), ...site };
      context.say.plain(`store.line_${state}`, facts);
      const held = holdings.get(id);
      if (held !== undefined)
        context.say.plain("store.held", {
          objects: held.objects,
          bytes: bytesText(held.bytes),
          own: bytesText(held.ownBytes),
          free: bytesText(held.freeBytes),
        });
      else if (reached !== undefined && state !== "withdrawn") context.say.plain("store.away");
    }
  },
};

export const drain: Command = {
  words: "store drain",
  options: WHERE,
  async run(context) {
    const { config, description } = configured(context);
    const { id } = description;
    const gateway = context.gateway();
    const by = keyOf(context, config);
    const known = (await listLentStores(gateway.client)).find((store) => store.id === id);
    // Called again, it goes on where it was cut off. One that was never lent is known to this machine only.
    if (known?.state === "offered") await retireStore(gateway.client, by, id, "draining");
    const { moved, left } = await drainStore(gateway, by, description);
    const objects = [...left.values()].reduce((sum, count) => sum + count, 0);
    if (objects === 0) return context.tell(known === undefined ? "store.drained_local" : "store.drained", { id, moved });
    context.tell("store.draining", { id, moved, left: objects, codes: [...left.keys()].join(", ") });
    throw new Fault("store_not_empty", { store: id, objects });
  },
};

export const remove: Command = {
  words: "store remove",
  options: WHERE,
  async run(context) {
    const { config, description, file } = configured(context);
    const { id } = description;
    const store = openStore(description);
    const objects = (await store.list()).length;
    if (objects > 0) throw new Fault("store_not_empty", { store: id, objects });
    const { client } = context.gateway();
    const known = (await listLentStores(client)).find((one) => one.id === id);
    const isLent = known !== undefined && known.state !== "withdrawn";
    const height = isLent ? await retireStore(client, keyOf(context, config), id, "withdrawn") : 0;
    writeNodeConfig(file, { ...config, stores: config.stores.filter((one) => one.id !== id) }, { replace: true });
    await store.unclaim().catch(() => undefined); // a stage of an import that died: the folder can be deleted all the same
    context.tell(isLent ? "store.removed" : "store.removed_local", { id, height, config: file });
  },
};

/** The store of `--id`, which the node's configuration has. Throws `option_wrong`. */
function configured(context: Context): {
  readonly file: string;
  readonly config: NodeConfig;
  readonly description: StoreDescription;
} {
  const file = configOf(context);
  const config = readNodeConfig(file);
  const id = context.need("id");
  const description = config.stores.find((store) => store.id === id);
  if (description === undefined)
    throw new Fault("option_wrong", { option: "--id", expected: config.stores.map((one) => one.id).join("|") });
  return { file, config, description };
}
