/** Checking a FHIR Bundle without keeping anything of it. Source: requirement on FHIR intake; FHIR R4 `$validate`, OperationOutcome. */
import { Fault } from "@xinglin/primitives";
import type { ApiContext } from "../context.ts";
import type { FhirVerdict } from "../options.ts";
import { bodyOf, JSON_TYPE, type Routes } from "../route.ts";
import { answers, json, operationOutcome } from "./schemas.ts";

/** Largest JSON that is read. */
export const MAX_FHIR_BYTES = 67_108_864;
const ISSUE_SYSTEM = "urn:xinglin:fhir-issue";

export function addFhirRoutes(routes: Routes, { options }: ApiContext): void {
  routes.add({
    method: "POST",
    url: "/v1/fhir/$validate",
    session: true,
    body: { type: JSON_TYPE, maxBytes: MAX_FHIR_BYTES },
    schema: {
      summary: "Validate a FHIR R4 Bundle; nothing is kept",
      tags: ["fhir"],
      body: json("The Bundle", {}),
      response: answers({ 200: json("What is wrong with it, element by element", operationOutcome) }),
    },
    handler: async (request) => {
      if (options.validateFhir === undefined) throw new Fault("fhir_validation_not_served");
      return outcomeOf(await options.validateFhir(bodyOf(request)));
    },
  });
}

/** No values of the instance: an element is named by its path, what is wrong by a code and facts. */
const outcomeOf = ({ issues, more }: FhirVerdict) => ({
  resourceType: "OperationOutcome",
  issue: [
    ...issues.map(({ element, code, facts }) => ({
      severity: "error",
      code: "invalid",
      details: { coding: [{ system: ISSUE_SYSTEM, code }] },
      expression: [element],
      facts,
    })),
    ...(more > 0
      ? [
          {
            severity: "information",
            code: "informational",
            details: { coding: [{ system: ISSUE_SYSTEM, code: "more" }] },
            facts: { more },
          },
        ]
      : []),
    ...(issues.length === 0 ? [{ severity: "information", code: "informational" }] : []),
  ],
});
