/**
 * Checks a FHIR R4 Bundle entry by entry, so that memory follows the largest entry, and says where each resource lies in the bytes. The
 * rules that span entries are here: identity by fullUrl, references between entries, what a document or a message begins with.
 * Source: FHIR R4 Bundle (invariants bdl-1 to bdl-12; "Bundle unique", "Resolving references in Bundles").
 */

import type { RecordClass } from "@xinglin/contracts";
import { classifyResource } from "../classify/classify.ts";
import { checkElements, isId } from "./check-elements.ts";
import { checkTarget, type ReferenceUse } from "./check-reference.ts";
import { checkResource, checkWithLibrary } from "./check-resource.ts";
import { isResourceName, resourceSchema, typeSchema } from "./definitions.ts";
import { type FhirIssue, IssueList } from "./issues.ts";
import { addJsonProblem } from "./json-problem.ts";
import { type ByteRange, elementsOf, type MemberRange, membersOf, parseRange, skipSpace } from "./json-ranges.ts";
import { findJsonProblem } from "./json-text.ts";

/** Where one resource of a Bundle lies, what it is and how it is classed. Holds no value from inside the resource but its ids. */
export interface BundleEntry {
  readonly index: number;
  readonly fullUrl?: string;
  readonly resourceType?: string;
  readonly id?: string;
  /** The resource's own bytes; absent in an entry that only requests, such as a DELETE. */
  readonly resource?: ByteRange;
  readonly recordClass?: RecordClass;
}
/** What a valid Bundle is made of. */
export interface BundleParts {
  readonly type: string;
  readonly entries: readonly BundleEntry[];
}
interface CheckedEntry extends BundleEntry {
  readonly references: readonly ReferenceUse[];
  readonly versionId: string;
}

/** Checks the bytes of one resource of any type. Blocks; run it in a worker. */
export function checkResourceBytes(bytes: Uint8Array): IssueList {
  const issues = new IssueList();
  const problem = findJsonProblem(bytes);
  if (problem !== undefined) addJsonProblem(issues, "Resource", problem);
  else checkResource(parseRange(bytes, { start: 0, end: bytes.length }), undefined, issues);
  return issues;
}

/** Checks the bytes of a Bundle. Blocks, 4–8 MB/s; run it in a worker. */
export function checkBundleBytes(bytes: Uint8Array): { issues: IssueList; parts: BundleParts } {
  const issues = new IssueList();
  const nothing = { issues, parts: { type: "", entries: [] } };
  const schema = resourceSchema("Bundle");
  if (schema === undefined) throw new Error("the FHIR definitions lack Bundle");
  const problem = findJsonProblem(bytes);
  if (problem !== undefined) {
    addJsonProblem(issues, "Bundle", problem);
    return nothing;
  }
  const members = membersOf(bytes, skipSpace(bytes, 0));
  const shell = parseExcept(bytes, members, "entry");
  if (shell.resourceType !== "Bundle") {
    const isResource = typeof shell.resourceType === "string" && isResourceName(shell.resourceType);
    issues.add("Bundle", "not_a_bundle", isResource ? { resourceType: String(shell.resourceType) } : {});
    return nothing;
  }
  checkElements(shell, schema, "Bundle", issues);
  // The rules on entries are checked below; without its entries a document has no Composition.
  checkWithLibrary({ type: "Bundle", value: withoutHoles(shell) }, "Bundle", "Bundle", issues, ["bdl-11", "bdl-12"]);

  const type = typeof shell.type === "string" ? shell.type : "";
  const list = members.find((member) => member.name === "entry");
  if (list !== undefined && bytes[list.start] !== 0x5b) issues.add("Bundle.entry", "list_expected");
  const ranges = list === undefined ? [] : elementsOf(bytes, list.start);
  if (list !== undefined && ranges.length === 0) issues.add("Bundle.entry", "empty_list");
  const entries = ranges.map((range, index) => checkEntry(bytes, range, index, type, issues));
  checkAcrossEntries(type, entries, issues);
  return { issues, parts: { type, entries: entries.map(({ references: _, versionId: __, ...entry }) => entry) } };
}

/** The object without the value of one member, whose name stays so that positions of the others do not move. */
function parseExcept(bytes: Uint8Array, members: readonly MemberRange[], name: string): Record<string, unknown> {
  const object: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const member of members) object[member.name] = member.name === name ? undefined : parseRange(bytes, member);
  return object;
}

const withoutHoles = (object: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined));

function checkEntry(bytes: Uint8Array, range: ByteRange, index: number, type: string, issues: IssueList): CheckedEntry {
  const path = `Bundle.entry[${index}]`;
  const nothing: CheckedEntry = { index, references: [], versionId: "" };
  if (bytes[range.start] !== 0x7b) {
    issues.add(path, "type_wrong", { expected: "BundleEntry" });
    return nothing;
  }
  const members = membersOf(bytes, range.start);
  const shell = parseExcept(bytes, members, "resource");
  const schema = typeSchema("BundleEntry");
  if (members.length === 0) issues.add(path, "empty");
  else if (schema !== undefined) {
    checkElements(shell, schema, path, issues);
    if (members.some((member) => member.name !== "resource"))
      checkWithLibrary({ type: "BundleEntry", value: withoutHoles(shell) }, "Bundle.entry", path, issues, ["bdl-5", "bdl-8"]);
  }
  checkEntryRules(shell, members, type, path, issues);
  const fullUrl = typeof shell.fullUrl === "string" ? shell.fullUrl : undefined;
  const at = members.find((member) => member.name === "resource");
  if (at === undefined) return { ...nothing, ...(fullUrl !== undefined && { fullUrl }) };

  const resource = parseRange(bytes, at) as Record<string, unknown>;
  const checked = checkResource(resource, `${path}.resource`, issues);
  if (checked === undefined) return nothing;
  const id = typeof resource.id === "string" ? resource.id : undefined;
  if (fullUrl !== undefined) checkFullUrl(fullUrl, checked.resourceType, id, `${path}.fullUrl`, issues);
  else if (NEED_FULL_URL.has(type) && checked.resourceType !== "OperationOutcome") issues.add(path, "full_url_missing");
  const versionId = (resource.meta as { versionId?: unknown } | undefined)?.versionId;
  return {
    index,
    ...(fullUrl !== undefined && { fullUrl }),
    ...(id !== undefined && { id }),
    resourceType: checked.resourceType,
    resource: { start: at.start, end: at.end },
    recordClass: classifyResource(resource),
    references: checked.references,
    versionId: typeof versionId === "string" ? versionId : "",
  };
}

/** The invariants that are checked here, since each spans more than what the library is given. Source: FHIR R4 Bundle. */
const BUNDLE_RULES = {
  "bdl-2": "entry.search only when a search",
  "bdl-3": "entry.request mandatory for batch/transaction/history, otherwise prohibited",
  "bdl-4": "entry.response mandatory for batch-response/transaction-response/history, otherwise prohibited",
  "bdl-5": "must be a resource unless there's a request or response",
  "bdl-11": "A document must have a Composition as the first resource",
  "bdl-12": "A message must have a MessageHeader as the first resource",
} as const;
const bundleRule = (rule: keyof typeof BUNDLE_RULES): FhirIssue["facts"] => ({ rule, meaning: BUNDLE_RULES[rule] });

const REQUESTS = new Set(["batch", "transaction", "history"]);
const RESPONSES = new Set(["batch-response", "transaction-response", "history"]);
/** In the other types a server may still have to give the identity. */
const NEED_FULL_URL = new Set(["document", "message", "collection", "searchset", "history"]);

/** A temporary identity that no entry has can never be resolved by who receives these. A collection may be a part of something. */
const SELF_CONTAINED = new Set(["document", "message", "transaction"]);

function checkEntryRules(
  shell: Readonly<Record<string, unknown>>,
  members: readonly MemberRange[],
  type: string,
  path: string,
  issues: IssueList,
): void {
  const has = (name: string): boolean => members.some((member) => member.name === name);
  if (!has("resource") && !has("request") && !has("response")) issues.add(path, "constraint_failed", bundleRule("bdl-5"));
  if (has("search") && type !== "searchset") issues.add(`${path}.search`, "constraint_failed", bundleRule("bdl-2"));
  if (has("request") !== REQUESTS.has(type)) issues.add(`${path}.request`, "constraint_failed", bundleRule("bdl-3"));
  if (has("response") !== RESPONSES.has(type)) issues.add(`${path}.response`, "constraint_failed", bundleRule("bdl-4"));
  if (typeof shell.fullUrl === "string" && shell.fullUrl.includes("/_history/"))
    issues.add(`${path}.fullUrl`, "full_url_versioned");
}

/** A fullUrl is absolute, and a RESTful one names the type and id of the resource. */
function checkFullUrl(fullUrl: string, resourceType: string, id: string | undefined, path: string, issues: IssueList): void {
  if (/^urn:/.test(fullUrl)) {
    const isUuid = /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(fullUrl);
    if (!isUuid && !/^urn:oid:[0-2](\.(0|[1-9]\d*))+$/.test(fullUrl)) issues.add(path, "full_url_not_absolute");
    return;
  }
  if (!/^[a-z][a-z0-9+.-]*:\S+$/i.test(fullUrl)) {
    issues.add(path, "full_url_not_absolute");
    return;
  }
  const [last, beforeLast] = fullUrl.split("/").reverse();
  if (beforeLast === undefined || !isResourceName(beforeLast) || !isId(last)) return;
  if (beforeLast !== resourceType || (id !== undefined && last !== id)) issues.add(path, "full_url_disagrees", { resourceType });
}

function checkAcrossEntries(type: string, entries: readonly CheckedEntry[], issues: IssueList): void {
  const first = entries[0];
  if (type === "document" && first?.resourceType !== "Composition")
    issues.add("Bundle.entry", "constraint_failed", bundleRule("bdl-11"));
  if (type === "message" && first?.resourceType !== "MessageHeader")
    issues.add("Bundle.entry", "constraint_failed", bundleRule("bdl-12"));
  const types = new Map<string, string>();
  const identities = new Set<string>();
  for (const { index, fullUrl, resourceType, versionId } of entries) {
    if (fullUrl === undefined) continue;
    const identity = `${fullUrl} ${versionId}`;
    if (identities.has(identity) && type !== "history") issues.add(`Bundle.entry[${index}].fullUrl`, "full_url_duplicate");
    identities.add(identity);
    if (resourceType !== undefined) types.set(fullUrl, resourceType);
  }
  for (const { path, target, allowed } of entries.flatMap((entry) => entry.references)) {
    const found = types.get(target);
    if (found !== undefined) checkTarget(found, allowed, path, issues);
    else if (SELF_CONTAINED.has(type) && target.startsWith("urn:uuid:")) issues.add(path, "reference_unresolved");
  }
}
