/**
 * Signatures to verify, packed into one buffer: a batch crosses to a worker in one transfer instead of thousands of small copies.
 * Source: design.md, "Suites" (verified off the main thread).
 */
import type { Bytes } from "@xinglin/primitives";
import { SIGNATURE_KINDS, type SignatureKind } from "../pure/suite.ts";

/** One signature to verify. */
export interface VerifyJob {
  readonly suite: SignatureKind;
  readonly publicKey: Bytes;
  readonly message: Bytes;
  readonly signature: Bytes;
}

// A job: suite (1 byte), lengths of key, signature and message (4 bytes each), then these three.
const HEAD_BYTES = 13;

/** All jobs in one buffer. */
export function packJobs(jobs: readonly VerifyJob[]): Uint8Array<ArrayBuffer> {
  let size = 0;
  for (const job of jobs) size += HEAD_BYTES + job.publicKey.length + job.signature.length + job.message.length;
  const out = new Uint8Array(size);
  const view = new DataView(out.buffer);
  let at = 0;
  for (const { suite, publicKey, signature, message } of jobs) {
    view.setUint8(at, SIGNATURE_KINDS.indexOf(suite));
    view.setUint32(at + 1, publicKey.length);
    view.setUint32(at + 5, signature.length);
    view.setUint32(at + 9, message.length);
    at += HEAD_BYTES;
    for (const part of [publicKey, signature, message]) {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}

/** The jobs in a buffer, one by one; their bytes are views into it. */
export function* unpackJobs(packed: Uint8Array): Generator<VerifyJob> {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  let at = 0;
  const take = (length: number): Bytes => {
    at += length;
    return packed.subarray(at - length, at);
  };
  while (at < packed.length) {
    const suite = SIGNATURE_KINDS[view.getUint8(at)] as SignatureKind;
    const [key, signature, message] = [view.getUint32(at + 1), view.getUint32(at + 5), view.getUint32(at + 9)];
    at += HEAD_BYTES;
    yield { suite, publicKey: take(key), signature: take(signature), message: take(message) };
  }
}
