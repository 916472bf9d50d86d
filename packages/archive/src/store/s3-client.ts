/**
 * Requests to an S3 server: each with a deadline, tried again when that may help, and failing with a fault that names the store. The SDK is
 * loaded with the first request, since it takes 0.3 s and 35 MB that a node without such a store need not spend.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { S3Client } from "@aws-sdk/client-s3";
import { Fault } from "@xinglin/primitives";
import type { S3Description } from "./description.ts";
import { addressOf } from "./s3-address.ts";
import { readCredentials } from "./s3-credentials.ts";
import { retryOf, type S3Purpose, s3Fault, statusOf } from "./s3-fault.ts";

/** The SDK, as it is loaded. */
export type S3Sdk = typeof import("@aws-sdk/client-s3");

/** How patient a store is with its server. */
export interface S3Pace {
  /** Tries of one request, the first included, and of one whose server did not answer in time. */
  readonly tries: number;
  readonly triesAfterTimeout: number;
  /** Wait before the second try, twice that before the third and so on, of which a random part is taken; four times as long if the server says that it is overloaded. */
  readonly backoffMs: number;
  readonly connectMs: number;
  /** For a request without a body, and how slowly at least one with a body moves. */
  readonly answerMs: number;
  readonly minBytesPerMs: number;
}

/** Two tries of 15 s for a server that hangs, some four seconds in all for one that is overloaded. */
export const PACE: S3Pace = {
  tries: 5,
  triesAfterTimeout: 2,
  backoffMs: 100,
  connectMs: 5_000,
  answerMs: 15_000,
  minBytesPerMs: 64,
};

/** What servers other than Amazon's expect to be told, or ignore. */
const DEFAULT_REGION = "us-east-1";

/** Connections that stores with the same server and credentials share, while their files stay as they are. */
const clients = new Map<string, Promise<S3Client>>();

/** A store's way to its server. */
export class S3Requests {
  readonly store: string;
  readonly #description: S3Description;
  readonly #pace: S3Pace;

  constructor(description: S3Description, pace: S3Pace = PACE) {
    this.store = description.id;
    this.#description = description;
    this.#pace = pace;
  }

  /**
   * Does `work` with a client and a signal that aborts it when `bytes` should long have come or gone. What the server refuses comes back
   * from `expected` if that knows it, as a value; all else is thrown as a fault. Faults: those of `s3Fault`, `s3_credentials_missing`,
   * `s3_credentials_open`.
   */
  async send<T>(
    purpose: S3Purpose,
    bytes: number,
    work: (client: S3Client, sdk: S3Sdk, signal: AbortSignal) => Promise<T>,
    expected: (cause: unknown) => { readonly value: T } | undefined = () => undefined,
  ): Promise<T> {
    const { tries, triesAfterTimeout, backoffMs, answerMs, minBytesPerMs } = this.#pace;
    const [sdk, client] = await Promise.all([import("@aws-sdk/client-s3"), this.#client()]);
    for (let attempt = 1; ; attempt++) {
      const signal = AbortSignal.timeout(answerMs + Math.ceil(bytes / minBytesPerMs));
      try {
        return await work(client, sdk, signal);
      } catch (cause) {
        const known = expected(cause);
        if (known !== undefined) return known.value;
        if (cause instanceof TypeError && statusOf(cause) === undefined) throw cause; // ours, and no server's
        const retry = retryOf(cause);
        const fault = s3Fault(this.store, cause, purpose);
        if (fault.code === "s3_refused") clients.delete(this.#clientName); // the next request reads the credentials anew
        if (retry === "no" || attempt >= (fault.code === "s3_timeout" ? triesAfterTimeout : tries)) throw fault;
        const longestMs = backoffMs * 2 ** (attempt - 1) * (retry === "later" ? 4 : 1);
        await sleep(longestMs * (0.5 + Math.random() / 2));
      }
    }
  }

  get #clientName(): string {
    const { endpoint } = addressOf(this.#description);
    const { region, credentialsFile, caFile } = this.#description;
    return JSON.stringify([endpoint, region, credentialsFile, caFile, this.#pace]);
  }

  async #client(): Promise<S3Client> {
    const name = this.#clientName;
    const known = clients.get(name);
    if (known !== undefined) return await known;
    const made = this.#connect();
    clients.set(name, made);
    made.catch(() => clients.delete(name));
    return await made;
  }

  async #connect(): Promise<S3Client> {
    const { id, region = DEFAULT_REGION, credentialsFile, caFile } = this.#description;
    const { S3Client } = await import("@aws-sdk/client-s3");
    const credentials = credentialsFile === undefined ? undefined : await readCredentials(id, credentialsFile);
    const ca = caFile === undefined ? undefined : await readCertificates(id, caFile);
    const client = new S3Client({
      endpoint: addressOf(this.#description).endpoint,
      region,
      forcePathStyle: true,
      maxAttempts: 1, // `send` tries again, body and all
      requestChecksumCalculation: "WHEN_REQUIRED",
      responseChecksumValidation: "WHEN_REQUIRED",
      ...(credentials === undefined ? {} : { credentials }),
      requestHandler: {
        connectionTimeout: this.#pace.connectMs,
        httpAgent: { keepAlive: true },
        httpsAgent: { keepAlive: true, ...(ca === undefined ? {} : { ca }) },
      },
    });
    // Hashing each part for the signature would cost as much as all of the archive's own hashing. TLS guards the way, leaves the content.
    client.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD";
        return next(args);
      },
      { step: "build", name: "xinglinUnsignedPayload" },
    );
    return client;
  }
}

async function readCertificates(store: string, path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  if (!text.includes("-----BEGIN CERTIFICATE-----")) throw new Fault("s3_certificate_wrong", { store, reason: "caFile" });
  return text;
}
