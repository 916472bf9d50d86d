/**
 * The thread that validates, so that a Bundle of 60 MB does not stall the node for ten seconds. Answers one request after the other.
 * Source: design.md, "Speed and memory" (event-loop delay while ingesting).
 */
import { parentPort } from "node:worker_threads";
import type { BundleParts } from "./check-bundle.ts";
import { checkBundleBytes, checkResourceBytes } from "./check-bundle.ts";
import type { FhirIssue } from "./issues.ts";

export interface ValidationRequest {
  readonly id: number;
  readonly kind: "bundle" | "resource";
  readonly bytes: Uint8Array;
}
export type ValidationAnswer =
  | { readonly id: number; readonly issues: readonly FhirIssue[]; readonly more: number; readonly parts: BundleParts | undefined }
  /** The validator itself broke; only the kind of error is told, since its message could hold input. */
  | { readonly id: number; readonly broke: string };

parentPort?.on("message", ({ id, kind, bytes }: ValidationRequest) => {
  let answer: ValidationAnswer;
  try {
    if (kind === "bundle") {
      const { issues, parts } = checkBundleBytes(bytes);
      answer = { id, issues: issues.issues, more: issues.more, parts };
    } else {
      const { issues, more } = checkResourceBytes(bytes);
      answer = { id, issues, more, parts: undefined };
    }
  } catch (error) {
    answer = { id, broke: error instanceof Error ? error.name : typeof error };
  }
  parentPort?.postMessage(answer);
});
