/**
 * A nurse changes an allergy at night: the new Bundle differs from the old one in the values that changed, the version and the time, and in
 * no other byte. A narrative that was generated from the old values is taken out, since it would now contradict them.
 * Source: requirement J3; FHIR R4 AllergyIntolerance (criticality, code), Meta (versionId, lastUpdated), Narrative.status.
 */
import { Fault } from "@xinglin/primitives";
import { type ByteRange, type MemberRange, memberOf, membersOf, parseRange, splice } from "./json-ranges.ts";
import { type AcceptedBundle, rejectionFault, validateBundle } from "./validate.ts";

/** A coding of a substance or of "no known allergy". */
export interface AllergyCode {
  readonly system: string;
  readonly code: string;
  readonly display?: string;
}
/** What to change in which AllergyIntolerance. */
export interface AllergyAmendment {
  /** Position of the entry in the Bundle. */
  readonly entry: number;
  readonly criticality?: "low" | "high" | "unable-to-assess";
  readonly code?: AllergyCode;
  /** When the change was made, as a FHIR instant: `2026-02-03T03:00:00+08:00`. */
  readonly lastUpdated: string;
}
/** The amended Bundle and the version that the resource has now. */
export interface AmendedBundle {
  readonly bundle: AcceptedBundle;
  readonly versionId: string;
}

type Edit = ByteRange & { readonly text: string };

/**
 * Applies an amendment and validates the result. Throws `Fault`: `fhir_entry_not_an_allergy`, `fhir_nothing_to_amend`,
 * `fhir_version_not_countable`, `fhir_narrative_not_generated`, or `fhir_invalid` if the result is not valid.
 */
export async function amendAllergy(bundle: AcceptedBundle, amendment: AllergyAmendment): Promise<AmendedBundle> {
  const entry = bundle.entries[amendment.entry];
  if (entry?.resource === undefined || entry.resourceType !== "AllergyIntolerance")
    throw new Fault("fhir_entry_not_an_allergy", { entry: amendment.entry });
  if (amendment.criticality === undefined && amendment.code === undefined)
    throw new Fault("fhir_nothing_to_amend", { entry: amendment.entry });

  const json = bundle.bytes;
  const at = entry.resource.start;
  const members = membersOf(json, at);
  const edits: Edit[] = [];
  const added: string[] = [];
  const set = (name: string, value: unknown): void => {
    const member = members.find((candidate) => candidate.name === name);
    if (member === undefined) added.push(`${JSON.stringify(name)}:${JSON.stringify(value)}`);
    else edits.push({ start: member.start, end: member.end, text: JSON.stringify(value) });
  };
  if (amendment.criticality !== undefined) set("criticality", amendment.criticality);
  if (amendment.code !== undefined) set("code", { coding: [amendment.code] });

  const meta = members.find((member) => member.name === "meta");
  const versionId = nextVersion(meta === undefined ? undefined : memberValue(json, meta, "versionId"), amendment.entry);
  if (meta === undefined) added.push(`"meta":${JSON.stringify({ versionId, lastUpdated: amendment.lastUpdated })}`);
  else edits.push(...setMembers(json, meta, { versionId, lastUpdated: amendment.lastUpdated }));

  const narrative = members.find((member) => member.name === "text");
  if (narrative !== undefined) edits.push(withoutNarrative(json, members, narrative, amendment.entry));
  // A member removed by the narrative edit leaves its comma to its neighbour, so additions go after the opening brace.
  if (added.length > 0) edits.push({ start: at + 1, end: at + 1, text: `${added.join(",")},` });

  const checked = await validateBundle(splice(json, edits));
  if (!checked.ok) throw rejectionFault(checked.refusal);
  return { bundle: checked.value, versionId };
}

const memberValue = (json: Uint8Array, object: MemberRange, name: string): unknown => {
  const member = memberOf(json, object.start, name);
  return member === undefined ? undefined : parseRange(json, member);
};

/** Versions count; a resource without one is version 1. What another server made up cannot be counted on. */
function nextVersion(current: unknown, entry: number): string {
  if (current === undefined) return "2";
  if (typeof current !== "string" || !/^[1-9]\d{0,14}$/.test(current)) throw new Fault("fhir_version_not_countable", { entry });
  return String(Number(current) + 1);
}

function setMembers(json: Uint8Array, object: MemberRange, values: Readonly<Record<string, string>>): Edit[] {
  const members = membersOf(json, object.start);
  const edits: Edit[] = [];
  let added = "";
  for (const [name, value] of Object.entries(values)) {
    const member = members.find((candidate) => candidate.name === name);
    if (member === undefined) added += `${JSON.stringify(name)}:${JSON.stringify(value)},`;
    else edits.push({ start: member.start, end: member.end, text: JSON.stringify(value) });
  }
  if (added !== "") edits.push({ start: object.start + 1, end: object.start + 1, text: added });
  return edits;
}

/** Takes the `text` member out with one comma; refuses a narrative that may say more than the elements do. */
function withoutNarrative(json: Uint8Array, members: readonly MemberRange[], narrative: MemberRange, entry: number): Edit {
  if (memberValue(json, narrative, "status") === "additional") throw new Fault("fhir_narrative_not_generated", { entry });
  const position = members.indexOf(narrative);
  const next = members[position + 1];
  if (next !== undefined) return { start: narrative.nameStart, end: next.nameStart, text: "" };
  const previous = members[position - 1];
  return { start: previous?.end ?? narrative.nameStart, end: narrative.end, text: "" };
}
