/**
 * A store that a member lends to the archive, as every member knows it. Nothing here says where its bytes lie: paths, buckets and credentials
 * stay in the lender's own configuration. Source: design.md, "Archive"; docs/internals/archive.md.
 */
import { height, type Infer, memberId, schema } from "@xinglin/primitives";

/** A store's name in tables and reports: short and public. */
export const lentStoreId = schema.text(64, /^[a-z0-9][a-z0-9-]*$/);
const place = schema.text(64, /^[a-z0-9][a-z0-9-]*$/);

/** What the medium is; the member's node serves any of them in the same way. */
export const STORE_KINDS = ["directory", "s3", "ipfs"] as const;
/** `draining`: takes nothing new, its pieces move elsewhere. `withdrawn`: no longer asked for anything. */
export const STORE_STATES = ["offered", "draining", "withdrawn"] as const;
export type StoreState = (typeof STORE_STATES)[number];

/** Most stores of one member, and of the consortium. */
export const MAX_STORES_A_MEMBER = 64;
export const MAX_LENT_STORES = 4_096;
/** Of quotas, in megabytes: 10^15 bytes. */
const MAX_QUOTA_MEGABYTES = 1_000_000_000;

/** What a member says of a store that it lends. */
export const storeTerms = {
  kind: schema.oneOf(...STORE_KINDS),
  /** What can fail at once with others that name the same. */
  site: schema.object({ building: place, city: place, power: place }),
  quotaMegabytes: schema.uint(MAX_QUOTA_MEGABYTES, 1),
  /** The lender's store service. */
  url: schema.text(256, /^https?:\/\/[^/\s]+$/),
} as const;

/** State at `store/{id}`. */
export const lentStore = schema.object({
  ...storeTerms,
  member: memberId,
  state: schema.oneOf(...STORE_STATES),
  /** Height at which it came into this state. */
  since: height,
});
export type LentStoreEntry = Infer<typeof lentStore>;
