/** What an S3 server answers, or fails to answer, as faults that name the store and neither its bucket nor its keys. */
import { Fault } from "@xinglin/primitives";

/** What was being done: decides between `store_unreadable` and `store_unwritable`. */
export type S3Purpose = "read" | "write";

/** The parts of the SDK's errors that are looked at. `Code` stands in what an S3 server answered, `code` in errors of the system. */
interface Told {
  readonly name?: string;
  readonly Code?: string;
  readonly code?: string;
  readonly Region?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
}

/** An answer that no S3 server gives: HTML, a missing ETag, another XML. */
export class NotS3 extends Error {}
/** A body that ended before its announced length. */
export class CutShort extends Error {}

/** Refusals that come with another status than 401 and 403. */
const REFUSED = new Set(["ExpiredToken", "InvalidToken", "XAdminUserNotFound"]);
const THROTTLED = new Set(["RequestLimitExceeded", "SlowDown", "SlowDownRead", "SlowDownWrite", "Throttling", "TooManyRequests"]);
const FULL = new Set([
  "EntityTooLarge",
  "InsufficientStorage",
  "QuotaExceeded",
  "XMinioAdminBucketQuotaExceeded",
  "XMinioStorageFull",
]);
const TIMEOUTS = new Set(["AbortError", "RequestTimeout", "TimeoutError"]);
const UNREACHABLE = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);
/** Source: OpenSSL's names of verification errors, as Node gives them in `code`. */
const TLS = /^(?:CERT_|DEPTH_ZERO_|ERR_SSL_|ERR_TLS_|HOSTNAME_MISMATCH|SELF_SIGNED_|UNABLE_TO_)/;

/** The code in an S3 server's answer, such as `NoSuchKey`; undefined if no server gave it. */
export const answerOf = (cause: unknown): string | undefined => (cause as Told).Code;
/** The status of an answer, if one came. */
export const statusOf = (cause: unknown): number | undefined => (cause as Told).$metadata?.httpStatusCode;

/** Whether another try may help, and whether it should wait for a server that is overloaded. */
export function retryOf(cause: unknown): "no" | "soon" | "later" {
  const told = cause as Told;
  const status = statusOf(cause);
  if (THROTTLED.has(told.Code ?? "") || status === 429 || status === 503) return "later";
  if (cause instanceof CutShort || TIMEOUTS.has(told.name ?? "") || TIMEOUTS.has(told.Code ?? "")) return "soon";
  // The SDK has taken the server's clock from this answer and signs with it from now on.
  if (told.Code === "RequestTimeTooSkewed") return "soon";
  if (status !== undefined) return status >= 500 && status !== 501 && status !== 507 ? "soon" : "no";
  return told.code === "ECONNRESET" || told.code === "EPIPE" ? "soon" : "no"; // a kept connection that the server had closed
}

/** The fault for an error of the SDK. Codes: see `Store`, and the subject "S3 stores" of the catalogue. */
export function s3Fault(store: string, cause: unknown, purpose: S3Purpose): Fault {
  if (cause instanceof Fault) return cause;
  const fault = (code: string, facts: Record<string, string | number> = {}, retry = false): Fault =>
    new Fault(code, { store, ...facts }, { cause, retry });
  const told = cause as Told;
  const { name = "", Code, code = "" } = told;
  const status = statusOf(cause);
  if (name === "CredentialsProviderError") return fault("s3_credentials_missing");
  if (cause instanceof CutShort) return fault("s3_answer_cut", {}, true);
  if (cause instanceof NotS3) return fault("s3_answer_foreign", { status: status ?? 200 });
  if (Code === undefined && status === undefined) {
    if (TLS.test(code)) return fault("s3_certificate_wrong", { reason: code });
    if (UNREACHABLE.has(code)) return fault("store_absent", {}, true); // before timeouts: the SDK calls a broken connection one
    if (TIMEOUTS.has(name)) return fault("s3_timeout", {}, true);
    return fault(purpose === "read" ? "store_unreadable" : "store_unwritable", { errno: code || name }, true);
  }
  if (Code === "NoSuchBucket") return fault("s3_bucket_missing");
  if (Code === "RequestTimeTooSkewed") return fault("s3_clock_wrong");
  if (Code === "RequestTimeout") return fault("s3_timeout", {}, true);
  if (Code === "PermanentRedirect" || Code === "AuthorizationHeaderMalformed" || Code === "IllegalLocationConstraintException")
    return fault("s3_region_wrong", { region: told.Region ?? "-" });
  if (FULL.has(Code ?? "") || status === 507) return fault("disk_full");
  if (Code !== undefined && (status === 401 || status === 403 || REFUSED.has(Code))) return fault("s3_refused", { reason: Code });
  if (retryOf(cause) === "later") return fault("s3_throttled", {}, true);
  if (Code === undefined && status !== undefined && status < 500) return fault("s3_answer_foreign", { status });
  return fault(purpose === "read" ? "store_unreadable" : "store_unwritable", { errno: Code ?? `HTTP ${status}` }, true);
}
