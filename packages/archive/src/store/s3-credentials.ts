/** The credentials of a bucket, from a file that only its owner can read. */
import { readFile, stat } from "node:fs/promises";
import { Fault } from "@xinglin/primitives";

/** An access key, in the SDK's words. */
export interface S3Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const GROUP_OR_OTHERS = 0o077;
const MAX_FILE_BYTES = 65_536;

/**
 * Reads `aws_access_key_id`, `aws_secret_access_key` and `aws_session_token` of the first profile in an AWS credentials file. Faults, with
 * the store's id and never the path: `s3_credentials_missing` (no such file, or no key in it), `s3_credentials_open` (others can read it).
 * Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".
 */
export async function readCredentials(store: string, path: string): Promise<S3Credentials> {
  const missing = (cause?: unknown): Fault => new Fault("s3_credentials_missing", { store }, { cause });
  const found = await stat(path).catch((cause: unknown) => {
    throw missing(cause);
  });
  if (process.platform !== "win32" && (found.mode & GROUP_OR_OTHERS) !== 0) throw new Fault("s3_credentials_open", { store });
  if (!found.isFile() || found.size > MAX_FILE_BYTES) throw missing();
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw missing(cause);
  });
  const values = firstProfile(text);
  const accessKeyId = values.get("aws_access_key_id");
  const secretAccessKey = values.get("aws_secret_access_key");
  if (!accessKeyId || !secretAccessKey) throw missing();
  const sessionToken = values.get("aws_session_token");
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) };
}

/** The settings up to the second `[profile]`. */
function firstProfile(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let profiles = 0;
  for (const line of text.split(/\r?\n/)) {
    if (/^\s*\[/.test(line) && ++profiles > 1) break;
    const setting = /^\s*([a-z_]+)\s*=\s*(\S+)\s*$/.exec(line);
    if (setting !== null) values.set(setting[1]!, setting[2]!);
  }
  return values;
}
