/**
 * Validation of FHIR R4 for everybody else: bytes in, a typed answer out, in a thread of its own that starts when first needed.
 * Source: requirement rows on FHIR intake; FHIR R4 4.0.1; design.md, "interop".
 */

import { Worker } from "node:worker_threads";
import { accept, Fault, type Result, refuse } from "@xinglin/primitives";
import type { BundleEntry } from "./check-bundle.ts";
import type { FhirIssue } from "./issues.ts";
import type { ValidationAnswer, ValidationRequest } from "./validator-worker.ts";

/** The largest JSON text that is read. */
export const MAX_JSON_BYTES = 64 * 1024 * 1024;

/** Why an instance was not accepted: up to 100 findings, and how many there were beyond. */
export interface FhirRejection {
  readonly issues: readonly FhirIssue[];
  readonly more: number;
}
/** A Bundle that passed, with its original bytes and where each resource lies in them. */
export interface AcceptedBundle {
  readonly bytes: Uint8Array;
  /** `Bundle.type`, for example `transaction` or `collection`. */
  readonly type: string;
  readonly entries: readonly BundleEntry[];
}

/** Settings of a validator. */
export interface FhirValidatorOptions {
  /** After so long on one request the thread is stopped and the request fails with `fhir_validation_timeout`. */
  readonly timeoutMs?: number;
}

const DEFAULT_TIMEOUT_MS = 120_000;

/** What waits for an answer of the thread. */
interface Waiting {
  readonly resolve: (answer: ValidationAnswer) => void;
  readonly reject: (fault: Fault) => void;
}

/**
 * A validator with one thread. The thread loads the definitions of the types it meets (0.4 s once) and keeps them. It does not keep the
 * process alive while it is idle.
 */
export class FhirValidator {
  private readonly timeoutMs: number;
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private timer: NodeJS.Timeout | undefined;
  private lastId = 0;

  constructor(options: FhirValidatorOptions = {}) {
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  }

  /**
   * Checks a Bundle: structure, invariants, required code bindings, references, identities. `json` is kept by reference in an accepted
   * Bundle and must not change. Throws `Fault` `fhir_validation_timeout` or `fhir_validator_failed`, never on bad input.
   */
  async validateBundle(json: Uint8Array): Promise<Result<AcceptedBundle, FhirRejection>> {
    if (json.length > MAX_JSON_BYTES) return refuse(tooLarge("Bundle", json));
    const answer = await this.ask("bundle", json);
    if (answer.issues.length > 0 || answer.parts === undefined) return refuse({ issues: answer.issues, more: answer.more });
    return accept({ bytes: json, ...answer.parts });
  }

  /** Checks one resource of any type; like `validateBundle`, which is for Bundles. */
  async validateResource(json: Uint8Array): Promise<Result<Uint8Array, FhirRejection>> {
    if (json.length > MAX_JSON_BYTES) return refuse(tooLarge("Resource", json));
    const answer = await this.ask("resource", json);
    return answer.issues.length > 0 ? refuse({ issues: answer.issues, more: answer.more }) : accept(json);
  }

  /** Stops the thread; what still waits fails with `fhir_validator_failed`. A later call starts a new thread. */
  async close(): Promise<void> {
    const worker = this.worker;
    this.stop(new Fault("fhir_validator_failed", { reason: "closed" }, { retry: true }));
    await worker?.terminate();
  }

  private async ask(kind: ValidationRequest["kind"], json: Uint8Array): Promise<Exclude<ValidationAnswer, { broke: string }>> {
    const worker = this.start();
    const id = ++this.lastId;
    // A copy of exactly these bytes is moved to the thread: sending the view would send the whole buffer behind it.
    const bytes = new Uint8Array(json);
    const answer = await new Promise<ValidationAnswer>((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      worker.ref();
      if (this.timer === undefined) this.watch();
      worker.postMessage({ id, kind, bytes } satisfies ValidationRequest, [bytes.buffer]);
    });
    if ("broke" in answer) throw new Fault("fhir_validator_failed", { reason: answer.broke });
    return answer;
  }

  private start(): Worker {
    if (this.worker !== undefined) return this.worker;
    const worker = new Worker(new URL("./validator-worker.ts", import.meta.url));
    worker.on("message", (answer: ValidationAnswer) => {
      const waiting = this.waiting.get(answer.id);
      this.waiting.delete(answer.id);
      this.watch();
      waiting?.resolve(answer);
    });
    const failed = (reason: string) => (): void => {
      if (this.worker === worker) this.stop(new Fault("fhir_validator_failed", { reason }, { retry: true }));
    };
    worker.on("error", failed("thread_error"));
    worker.on("exit", failed("thread_exit"));
    this.worker = worker;
    return worker;
  }

  /** Restarts the clock of the request at the head; lets the process end when none waits. */
  private watch(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.waiting.size === 0) {
      this.worker?.unref();
      return;
    }
    this.timer = setTimeout(() => {
      const worker = this.worker;
      this.stop(new Fault("fhir_validation_timeout", { timeoutMs: this.timeoutMs }));
      void worker?.terminate();
    }, this.timeoutMs);
  }

  private stop(fault: Fault): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.worker = undefined;
    const waiting = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of waiting) reject(fault);
  }
}

const tooLarge = (element: string, json: Uint8Array): FhirRejection => ({
  issues: [{ element, code: "too_large", facts: { sizeBytes: json.length, maxBytes: MAX_JSON_BYTES } }],
  more: 0,
});

let shared: FhirValidator | undefined;
const sharedValidator = (): FhirValidator => {
  shared ??= new FhirValidator();
  return shared;
};

/** `FhirValidator.validateBundle` of a validator that the whole process shares. */
export const validateBundle = (json: Uint8Array): Promise<Result<AcceptedBundle, FhirRejection>> =>
  sharedValidator().validateBundle(json);

/** `FhirValidator.validateResource` of a validator that the whole process shares. */
export const validateResource = (json: Uint8Array): Promise<Result<Uint8Array, FhirRejection>> =>
  sharedValidator().validateResource(json);

/** Stops the shared validator's thread and frees the definitions (about 100 MB). */
export const closeValidator = async (): Promise<void> => shared?.close();

/** The fault that carries a rejection to a caller who only takes faults: the first finding, and how many there are. */
export function rejectionFault(rejection: FhirRejection): Fault {
  const first = rejection.issues[0];
  return new Fault("fhir_invalid", {
    ...first?.facts,
    element: first?.element ?? "/",
    issue: first?.code ?? "structure_wrong",
    issues: rejection.issues.length + rejection.more,
  });
}
