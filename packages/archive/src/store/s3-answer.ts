/** Taking answers of an S3 server apart. */
import type { Readable } from "node:stream";
import { answerOf, CutShort, NotS3 } from "./s3-fault.ts";

/** What an S3 server always says; an answer without it is none of S3's. */
export function expect<T>(value: T | undefined): T {
  if (value === undefined) throw new NotS3();
  return value;
}

/** Gives up a body that no S3 server sent. */
export function foreign(body: Readable): NotS3 {
  body.destroy();
  return new NotS3();
}

/** Copies a body into `into` until `signal` says stop; returns how many bytes came, of those that fit. */
export async function drain(body: Readable, into: Uint8Array, signal: AbortSignal): Promise<number> {
  const stop = (): void => void body.destroy(signal.reason as Error);
  signal.addEventListener("abort", stop, { once: true });
  let done = 0;
  try {
    if (signal.aborted) stop();
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      into.set(chunk.subarray(0, into.length - done), done);
      done += chunk.length;
    }
    return done;
  } catch (cause) {
    throw signal.aborted ? signal.reason : new CutShort("", { cause }); // the answer had begun, so the server was there
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

/** Makes a value of the codes with which a server says what the caller wants to know. */
export const answered =
  <T>(codes: readonly string[], value: T) =>
  (cause: unknown): { readonly value: T } | undefined =>
    codes.includes(answerOf(cause) ?? "") ? { value } : undefined;
