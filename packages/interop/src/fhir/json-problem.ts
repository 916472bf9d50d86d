/**
 * Problems of the JSON text as findings on an instance.
 * Source: FHIR R4 "JSON Representation of Resources"; RFC 8259.
 */
import { isKnownName } from "./definitions.ts";
import type { IssueList } from "./issues.ts";
import type { JsonProblem, JsonStep } from "./json-text.ts";

/** A problem of the JSON text as a finding. A name in the path is repeated only if the definitions use it. */
export function addJsonProblem(list: IssueList, root: string, problem: JsonProblem): void {
  if (problem.code === "duplicate_name") list.add(root + renderPath(problem.path), "duplicate_name", { offset: problem.offset });
  else if (problem.code === "not_json" || problem.code === "too_deep") list.add(root, problem.code, { offset: problem.offset });
  else list.add(root, problem.code);
}

function renderPath(path: readonly JsonStep[]): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (isKnownName(step.replace(/^_/, ""))) text += `.${step}`;
    else return `${text}.(unknown)`;
  }
  return text;
}
