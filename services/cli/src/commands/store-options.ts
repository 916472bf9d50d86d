/** What the options of `xinglin store add` say: a store's description, its quota, and where it is served. Source: docs/guides/lend-storage.md. */
import { resolve } from "node:path";
import { type StoreDescription, storeDescription } from "@xinglin/archive";
import type { NodeConfig } from "@xinglin/member";
import { Fault } from "@xinglin/primitives";
import type { Context } from "../command.ts";

const UNITS: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, TB: 1e12 };
/** As the chain has it. */
const MOST_QUOTA_BYTES = 1e15;
/** Where a store service listens unless told. */
export const DEFAULT_LISTEN = "127.0.0.1:8770";

/** Options by where their value stands in a description, and what they take where that is not plain to see. */
const OPTION_AT: Readonly<Record<string, string>> = { api: "ipfs", path: "dir", url: "s3" };
const EXPECTED: Readonly<Record<string, string>> = { ipfs: "http://127.0.0.1:5001 | unix:/PATH" };

/** A description that a configuration can hold. Throws `option_wrong` with the option whose value it can't. */
export function checked(description: StoreDescription): StoreDescription {
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

/** The store that the options name: a new one, or by its id alone one that the configuration has already and that is to be lent. */
export function describe(context: Context, { member, stores }: NodeConfig): StoreDescription {
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
    ...(text("tier") === undefined ? {} : { tier: text("tier") as string }),
  };
  const [dir, s3, ipfs] = [text("dir"), text("s3"), text("ipfs")];
  const places = [dir, s3, ipfs].filter((one) => one !== undefined).length;
  const known = stores.find(({ id }) => id === common.id);
  if (places === 0 && known !== undefined) return { ...known, ...common };
  if (known !== undefined) throw new Fault("store_duplicate", { store: known.id });
  if (places !== 1) throw new Fault("option_wrong", { option: "--dir", expected: "--dir PATH|--s3 URL|--ipfs URL" });
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

const quotaOf = (context: Context): number => bytesOf("quota", context.need("quota"));

/** The bytes that an option tells, as in `500GB`. Throws `option_wrong`. */
export function bytesOf(option: string, told: string): number {
  const [, digits = "0", unit = "MB"] = /^(\d{1,6})(MB|GB|TB)$/i.exec(told) ?? [];
  const bytes = Number(digits) * (UNITS[unit.toUpperCase()] as number);
  if (bytes === 0 || bytes > MOST_QUOTA_BYTES)
    throw new Fault("option_wrong", { option: `--${option}`, expected: "1MB..1000TB" });
  return bytes;
}

/** Where others reach the store service: told, or on this machine only. Throws `option_missing`. */
export function serviceUrl(context: Context): string {
  const url = context.text("url");
  const listen = context.text("listen") ?? DEFAULT_LISTEN;
  if (url === undefined && !/^(127\.0\.0\.1|localhost|\[::1\]):/.test(listen))
    throw new Fault("option_missing", { option: "--url" });
  return url ?? `http://${listen}`;
}
