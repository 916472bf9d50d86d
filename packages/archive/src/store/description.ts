/**
 * What stores are described by, in a node's configuration and on the way to a worker: plain data, one shape a kind. No secret stands in it,
 * only paths of files that hold one.
 * Source: design.md, "Archive" (stores behind one interface).
 */
import { type Infer, schema } from "@xinglin/primitives";
import { FIRST_TIER } from "../durability/tiering.ts";
import { storeAccess } from "../lending/pass.ts";
import { storeId } from "../piece-table.ts";

const member = schema.text(32, /^[a-z][a-z0-9-]*$/);
const place = schema.text(64, /^[a-z0-9][a-z0-9-]*$/);

/** A tier other than the first, by the name that the member's policy gives it. Its stores take nothing by imports; `xinglin archive tier` fills them. */
export const tierName = schema.text(32, new RegExp(`^(?!${FIRST_TIER}$)[a-z][a-z0-9-]*$`));

/** Where a store stands, as configured: what is not said is a place of the member's own. */
export const siteShape = schema.object({
  building: schema.optional(place),
  city: schema.optional(place),
  power: schema.optional(place),
});

/** What can fail at once, beside the member itself: stores that name the same building, city or power supply. */
export interface Site {
  readonly building: string;
  readonly city: string;
  readonly power: string;
}

/** What a description of any kind says: the store's id, who lends it, where it stands and how much of it the archive may fill. */
export const lentShape = {
  id: storeId,
  member,
  site: schema.optional(siteShape),
  /** Without it the medium is the bound. */
  quotaBytes: schema.optional(schema.uint()),
  /** Absent of stores of the first tier. */
  tier: schema.optional(tierName),
} as const;

/** One shape a kind of store: a further kind adds its arm here and in `openStore`. */
const directory = schema.object({ ...lentShape, path: schema.text(4_096) });
const s3 = schema.object({
  ...lentShape,
  /** `https://host[:port]/bucket[/prefix]`; the host is asked for the bucket by path. */
  url: schema.text(2_048),
  /** For servers that ask; `us-east-1` unless told. */
  region: schema.optional(schema.text(64, /^[a-z0-9-]+$/)),
  /** An AWS credentials file that only its owner can read; without it what the environment offers is used. */
  credentialsFile: schema.optional(schema.text(4_096)),
  /** Certificates in PEM of who signed the server's, if not one of the usual. */
  caFile: schema.optional(schema.text(4_096)),
});

const node = schema.object({
  ...lentShape,
  /** The lender's store service: `https://host:port`. */
  url: schema.text(256, /^https?:\/\/[^/\s]+$/),
  /** Who asks: put here in memory only, files cannot express it. */
  access: schema.optional(storeAccess),
});

const ipfs = schema.object({
  ...lentShape,
  /** The RPC of an IPFS node that only this machine reaches: `http://127.0.0.1:5001`, or `unix:/path` of its socket. */
  api: schema.text(4_096, /^(http:\/\/(localhost|127(\.[0-9]{1,3}){3}|\[::1\]):[0-9]{1,5}|unix:\/.+)$/),
  /** How many milliseconds the node may ask its peers for a piece that it has lost; it does not unless told. */
  exchangeMs: schema.optional(schema.uint(60_000, 1)),
});

/** The description of a store of any kind. One without a kind is refused. */
export const storeDescription = schema.variant("kind", { directory, s3, node, ipfs });
/** What is needed to open a store again, in another thread too. */
export type StoreDescription = Infer<typeof storeDescription>;
/** A folder lent to the archive. */
export type DirectoryDescription = Extract<StoreDescription, { kind: "directory" }>;
/** A bucket lent to the archive, or a prefix of one. */
export type S3Description = Extract<StoreDescription, { kind: "s3" }>;
/** A store of another member, reached through its node. */
export type NodeDescription = Extract<StoreDescription, { kind: "node" }>;
/** An IPFS node whose disk is lent to the archive. */
export type IpfsDescription = Extract<StoreDescription, { kind: "ipfs" }>;

/** The store's site with what was left out filled in. */
export const siteOf = ({ member, site = {} }: Pick<StoreDescription, "member" | "site">): Site => ({
  building: site.building ?? member,
  city: site.city ?? member,
  power: site.power ?? member,
});

/** The tier that a store belongs to. */
export const storeTier = ({ tier = FIRST_TIER }: Pick<StoreDescription, "tier">): string => tier;

/** The description with every path in it taken through `at`: a configuration's paths are relative to its file. */
export function withStorePaths(description: StoreDescription, at: (path: string) => string): StoreDescription {
  if (description.kind === "node" || description.kind === "ipfs") return description;
  if (description.kind === "directory") return { ...description, path: at(description.path) };
  const { credentialsFile, caFile } = description;
  return {
    ...description,
    ...(credentialsFile === undefined ? {} : { credentialsFile: at(credentialsFile) }),
    ...(caFile === undefined ? {} : { caFile: at(caFile) }),
  };
}
