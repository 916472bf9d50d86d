/** A thread of `VerifyPool`: takes a packed batch, answers one byte a signature. */
import { parentPort, workerData } from "node:worker_threads";
import { invariant } from "@xinglin/primitives";
import type { WebauthnPolicy } from "../webauthn.ts";
import { verifySync } from "./curves.ts";
import { unpackJobs } from "./verify-jobs.ts";

invariant(parentPort !== null, "verify-worker: runs only as a worker");
const port = parentPort;
const { policy } = workerData as { policy?: WebauthnPolicy };

port.on("message", ({ batch, packed, count }: { batch: number; packed: Uint8Array; count: number }) => {
  const answers = new Uint8Array(count);
  let i = 0;
  for (const { suite, publicKey, message, signature } of unpackJobs(packed))
    answers[i++] = Number(verifySync(suite, publicKey, message, signature, policy));
  port.postMessage({ batch, answers }, [answers.buffer]);
});
