/** Where a store's bucket is, from the URL of its description. */
import { isIP } from "node:net";
import { Fault } from "@xinglin/primitives";
import type { S3Description } from "./description.ts";

/** The parts of `https://host[:port]/bucket[/prefix]`; `prefix` is empty or ends in a slash. */
export interface S3Address {
  readonly endpoint: string;
  readonly bucket: string;
  readonly prefix: string;
}

/** Source: S3 User Guide, "General purpose bucket naming rules"; older buckets also have capitals and underscores. */
const BUCKET = /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/;
/** What every server takes in a key and no signature has to escape. */
const PREFIX = /^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/;
const MAX_PREFIX = 512;

/**
 * Takes the URL apart. Without TLS only this machine is spoken to: whoever sits on the line could answer for the bucket. Faults:
 * `s3_url_wrong` with the store and the part that is wrong.
 */
export function addressOf({ id, url }: Pick<S3Description, "id" | "url">): S3Address {
  const wrong = (part: string): Fault => new Fault("s3_url_wrong", { store: id, part });
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined) throw wrong("url");
  const { protocol, hostname, host, username, password, search, hash, pathname } = parsed;
  if (protocol !== "https:" && !(protocol === "http:" && isLoopback(hostname))) throw wrong("protocol");
  if (username !== "" || password !== "") throw wrong("credentials");
  if (search !== "" || hash !== "") throw wrong("query");
  const [bucket = "", ...rest] = pathname.slice(1).replace(/\/$/, "").split("/");
  if (!BUCKET.test(bucket)) throw wrong("bucket");
  const prefix = rest.join("/");
  if (rest.length > 0 && (!PREFIX.test(prefix) || prefix.length > MAX_PREFIX)) throw wrong("prefix");
  return { endpoint: `${protocol}//${host}`, bucket, prefix: prefix === "" ? "" : `${prefix}/` };
}

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "[::1]" || (isIP(hostname) === 4 && hostname.startsWith("127."));
