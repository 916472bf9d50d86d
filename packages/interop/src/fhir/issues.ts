/**
 * What is wrong with a FHIR instance, element by element. Codes are stable; facts fill the sentence of a code and never hold a value
 * from the input: an element is named by its FHIRPath, a wrong code by the value set it should come from.
 * Source: FHIR R4 "Validating Resources"; style.md, "Errors are of three kinds".
 */

/** Every code, in the order in which an instance is checked. Append, never reuse. */
export const FHIR_ISSUE_CODES = [
  "too_large",
  "not_utf8",
  "byte_order_mark",
  "not_json",
  "too_deep",
  "duplicate_name",
  "not_an_object",
  "not_a_bundle",
  "resource_type_missing",
  "resource_type_unknown",
  "element_unknown",
  "element_missing",
  "list_expected",
  "list_unexpected",
  "count_wrong",
  "empty",
  "empty_list",
  "null_value",
  "type_wrong",
  "format_wrong",
  "value_out_of_range",
  "value_too_long",
  "value_fixed",
  "choice_conflict",
  "id_malformed",
  "contained_id_missing",
  "contained_id_duplicate",
  "contained_missing",
  "reference_malformed",
  "reference_target_wrong",
  "reference_unresolved",
  "code_not_in_value_set",
  "code_missing",
  "constraint_failed",
  "full_url_missing",
  "full_url_not_absolute",
  "full_url_versioned",
  "full_url_duplicate",
  "full_url_disagrees",
  "structure_wrong",
  "narrative_unsafe",
] as const;
export type FhirIssueCode = (typeof FHIR_ISSUE_CODES)[number];

/** One finding. `element` is a FHIRPath such as `Bundle.entry[0].resource.ofType(Patient).gender`. */
export interface FhirIssue {
  readonly element: string;
  readonly code: FhirIssueCode;
  readonly facts: Readonly<Record<string, string | number>>;
}

/** At most so many findings are kept; the rest is counted. */
export const MAX_ISSUES = 100;

/** Collects findings, each element and code once. */
export class IssueList {
  readonly issues: FhirIssue[] = [];
  /** How many findings there were beyond `MAX_ISSUES`. */
  more = 0;
  private readonly seen = new Set<string>();

  add(element: string, code: FhirIssueCode, facts: FhirIssue["facts"] = {}): void {
    const key = `${code} ${element}`;
    if (this.seen.has(key)) return;
    if (this.issues.length >= MAX_ISSUES) {
      this.more++;
      return;
    }
    this.seen.add(key);
    this.issues.push({ element, code, facts });
  }

  /** Whether `element`, or something above it, is among the first `count` findings. */
  has(element: string, count: number): boolean {
    return this.issues
      .slice(0, count)
      .some(
        (issue) =>
          element === issue.element || element.startsWith(`${issue.element}.`) || element.startsWith(`${issue.element}[`),
      );
  }

  get isEmpty(): boolean {
    return this.issues.length === 0;
  }
}
