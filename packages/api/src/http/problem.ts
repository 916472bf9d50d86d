/**
 * Errors as `application/problem+json`, with a stable code and a sentence in the reader's language. What is not a `Fault` is a bug: its
 * code is `internal`, and nothing of its message leaves the process. Source: RFC 9457; style.md, "Errors are of three kinds".
 */
import { Fault } from "@xinglin/primitives";
import type { FastifyError } from "fastify";
import { sentenceOf, statusOf, titleOf } from "../error-catalogue.ts";
import type { Language } from "./language.ts";

export const PROBLEM_TYPE = "application/problem+json; charset=utf-8";

/** Body of an error answer. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly facts: Readonly<Record<string, string | number>>;
  /** Whether the same request may succeed later. */
  readonly retry: boolean;
}

/** The error answer of `fault`. */
export function problemOf(fault: Fault, language: Language): Problem {
  const { code, facts, retry } = fault;
  const status = statusOf(code);
  return {
    type: `urn:xinglin:error:${code}`,
    title: titleOf(status, language),
    status,
    detail: sentenceOf(code, facts, language),
    code,
    facts,
    retry,
  };
}

/** The fault of whatever a route threw. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Fault) return error;
  const { code, validation, validationContext, statusCode } = error as Partial<FastifyError>;
  if (code === "FST_ERR_CTP_BODY_TOO_LARGE") return new Fault("body_too_large");
  if (code === "FST_ERR_CTP_INVALID_MEDIA_TYPE" || code === "FST_ERR_CTP_EMPTY_TYPE") return new Fault("media_type_unsupported");
  if (code === "FST_ERR_CTP_EMPTY_JSON_BODY") return new Fault("malformed", { element: "/", expected: "a body" });
  if (code === "FST_ERR_CTP_INVALID_CONTENT_LENGTH")
    return new Fault("malformed", { element: "Content-Length", expected: "the length of the body" });
  if (code === "FST_ERR_BAD_URL") return new Fault("malformed", { element: "path", expected: "percent-encoded UTF-8" });
  if (validation !== undefined) {
    const [first] = validation;
    const element = `${validationContext ?? ""}${first?.instancePath ?? ""}`;
    return new Fault("malformed", { element, expected: first?.message ?? "another value" });
  }
  if (statusCode === 408) return new Fault("request_timeout", {}, { retry: true });
  return new Fault("internal", {}, { cause: error });
}
