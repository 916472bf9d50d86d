/**
 * `xinglin store add|list|drain|remove`: what a member lends to the archive, from the first folder to the last piece that has left it.
 * Source: docs/guides/lend-storage.md.
 */
import { resolve } from "node:path";
import { openStore, type StoreDescription, siteOf, storeDescription } from "@xinglin/archive";
import type { LendStore } from "@xinglin/contracts";
import { bytesText, drainStore, lendStore, listLentStores, retireStore, storeHoldings } from "@xinglin/gateway";
import { type NodeConfig, readNodeConfig, writeNodeConfig } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { configOf } from "./node.ts";

const MEGABYTE = 1_000_000;
const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 };
/** As the chain has it. */
const MOST_QUOTA_BYTES = 1e15;
const DEFAULT_LISTEN = "127.0.0.1:8770";

/** Options by where their value stands in a description, and what they take where that is not plain to see. */
const OPTION_AT: Readonly<Record<string, string>> = { api: "ipfs", path: "dir", url: "s3" };
const EXPECTED: Readonly<Record<string, string>> = { ipfs: "http://127.0.0.1:5001 | unix:/PATH" };

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
    listen: { type: "string" },
    url: { type: "string" },
  },
  async run(context) {
    const file = configOf(context);
    const config = readNodeConfig(file);
    const description = checked(describe(context, config));
    const { id, quotaBytes = 0 } = description;
    if (config.stores.some((store) => store.id === id)) throw new Fault("store_duplicate", { store: id });
    const archive = config.archive ?? { listen: context.text("listen") ?? DEFAULT_LISTEN, url: serviceUrl(context) };
    const { client } = context.gateway();
    // A chain that can't be reached says so before anything is made that nobody would lend.
    await listLentStores(client);
    const store = openStore(description);
    await store.create();
    const { diskFreeBytes } = await store.room();
    if (diskFreeBytes < quotaBytes)
      throw new Fault("store_quota_beyond_disk", { store: id, quota: bytesText(quotaBytes), free: bytesText(diskFreeBytes) });
    const terms: LendStore = {
      id,
      kind: description.kind as LendStore["kind"],
      site: siteOf(description),
      quotaMegabytes: Math.floor(quotaBytes / MEGABYTE),
      url: archive.url,
    };
    const height = await lendStore(client, keyOf(context, config), terms);
    writeNodeConfig(file, { ...config, archive, stores: [...config.stores, description] }, { replace: true });
    context.tell("store.added", { id, quota: bytesText(quotaBytes), height, config: file, url: archive.url });
  },
};

export const list: Command = {
  words: "store list",
  options: WHERE,
  async run(context) {
    const { client, stores } = context.gateway();
    const lent = await listLentStores(client);
    const reached = context.text("as") === undefined ? undefined : await stores(context.key());
    const holdings = reached === undefined ? new Map() : await storeHoldings(reached.readable);
    const rows = lent.map((store) => ({ ...store, ...(holdings.get(store.id) ?? {}) }));
    if (context.json) return context.print({ stores: rows });
    if (rows.length === 0) context.say.plain("store.none");
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
    const config = readNodeConfig(configOf(context));
    const id = context.need("id");
    const description = config.stores.find((store) => store.id === id);
    if (description === undefined)
      throw new Fault("option_wrong", { option: "--id", expected: config.stores.map((one) => one.id).join("|") });
    const gateway = context.gateway();
    const by = keyOf(context, config);
    const known = (await listLentStores(gateway.client)).find((store) => store.id === id);
    // Called again, it goes on where it was cut off.
    if (known?.state !== "draining") await retireStore(gateway.client, by, id, "draining");
    const { moved, left } = await drainStore(gateway, by, description);
    const objects = [...left.values()].reduce((sum, count) => sum + count, 0);
    if (objects === 0) return context.tell("store.drained", { id, moved });
    context.tell("store.draining", { id, moved, left: objects, codes: [...left.keys()].join(", ") });
    throw new Fault("store_not_empty", { store: id, objects });
  },
};

export const remove: Command = {
  words: "store remove",
  options: WHERE,
  async run(context) {
    const file = configOf(context);
    const config = readNodeConfig(file);
    const id = context.need("id");
    const description = config.stores.find((store) => store.id === id);
    if (description === undefined)
      throw new Fault("option_wrong", { option: "--id", expected: config.stores.map((one) => one.id).join("|") });
    const objects = (await openStore(description).list()).length;
    if (objects > 0) throw new Fault("store_not_empty", { store: id, objects });
    const height = await retireStore(context.gateway().client, keyOf(context, config), id, "withdrawn");
    writeNodeConfig(file, { ...config, stores: config.stores.filter((store) => store.id !== id) }, { replace: true });
    context.tell("store.removed", { id, height, config: file });
  },
};

/** A description that a configuration can hold. Throws `option_wrong` with the option whose value it can't. */
function checked(description: StoreDescription): StoreDescription {
  try {
    return storeDescription.parse(description);
  } catch (cause) {
    if (!(cause instanceof Fault) || cause.code !== "malformed") throw cause;
    const at = String(cause.facts.element).split("/").at(-1) ?? "";
    const option = OPTION_AT[at] ?? at;
    const expected = EXPECTED[option] ?? String(cause.facts.expected);
    throw new Fault("option_wrong", { option: `--${option}`, expected }, { cause });
  }
}

/** The store that the options name. */
function describe(context: Context, { member, stores }: NodeConfig): StoreDescription {
  const { text } = context;
  const site = Object.fromEntries(
    (["building", "city", "power"] as const).flatMap((part) => (text(part) === undefined ? [] : [[part, text(part)]])),
  );
  let number = stores.length + 1;
  while (stores.some(({ id }) => id === `${member}-${number}`)) number++;
  const common = {
    id: text("id") ?? `${member}-${number}`,
    member,
    quotaBytes: quotaOf(context),
    ...(Object.keys(site).length === 0 ? {} : { site }),
  };
  const [dir, s3, ipfs] = [text("dir"), text("s3"), text("ipfs")];
  if ([dir, s3, ipfs].filter((one) => one !== undefined).length !== 1)
    throw new Fault("option_wrong", { option: "--dir", expected: "--dir PATH|--s3 URL|--ipfs URL" });
  if (dir !== undefined) return { ...common, kind: "directory", path: resolve(dir) };
  if (ipfs !== undefined) return { ...common, kind: "ipfs", api: ipfs };
  const [credentials, region, ca] = [text("credentials"), text("region"), text("ca")];
  return {
    ...common,
    kind: "s3",
    url: s3 as string,
    ...(region === undefined ? {} : { region }),
    ...(credentials === undefined ? {} : { credentialsFile: resolve(credentials) }),
    ...(ca === undefined ? {} : { caFile: resolve(ca) }),
  };
}

function quotaOf(context: Context): number {
  const [, digits = "0", unit = "MB"] = /^(\d{1,6})(MB|GB|TB)$/i.exec(context.need("quota")) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] as number);
  if (bytes === 0 || bytes > MOST_QUOTA_BYTES) throw new Fault("option_wrong", { option: "--quota", expected: "1MB..1000TB" });
  return bytes;
}

/** Where others reach the store service: told, or on this machine only. */
function serviceUrl(context: Context): string {
  const url = context.text("url");
  const listen = context.text("listen") ?? DEFAULT_LISTEN;
  if (url === undefined && !/^(127\.0\.0\.1|localhost|\[::1\]):/.test(listen))
    throw new Fault("option_missing", { option: "--url" });
  return url ?? `http://${listen}`;
}
