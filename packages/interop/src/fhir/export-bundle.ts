/**
 * FHIR out: the bytes that came in, or a searchset and parts of a Bundle put together from the original bytes of its resources. Nothing is
 * serialised anew, so decimals, order and white space inside a resource stay, and the same input gives the same bytes everywhere.
 * Source: FHIR R4 Bundle (searchset, collection); design.md, "A record never goes on the chain" (byte-exact archive).
 */
import type { RecordClass } from "@xinglin/contracts";
import { Fault, invariant } from "@xinglin/primitives";
import { classKey } from "../classes.ts";
import type { BundleEntry } from "./check-bundle.ts";
import type { AcceptedBundle } from "./validate.ts";

/** The bytes of the Bundle exactly as they were accepted. */
export const exportBundle = (bundle: AcceptedBundle): Uint8Array => bundle.bytes;

/** The original bytes of one entry's resource; throws `Fault("fhir_entry_without_resource")` if the entry only requests. */
export function resourceBytes(bundle: AcceptedBundle, entry: BundleEntry): Uint8Array {
  if (entry.resource === undefined) throw new Fault("fhir_entry_without_resource", { entry: entry.index });
  return bundle.bytes.subarray(entry.resource.start, entry.resource.end);
}

/**
 * A searchset of the entries for which `admit` says yes, in their order, for example those of one class. Entries without a resource are
 * left out. `total` counts what is in it.
 */
export function exportSearchset(bundle: AcceptedBundle, admit: (entry: BundleEntry) => boolean): Uint8Array {
  const admitted = bundle.entries.filter((entry) => entry.resource !== undefined && admit(entry));
  return assemble(bundle, `"type":"searchset","total":${admitted.length}`, admitted, ',"search":{"mode":"match"}');
}

/** One class of a Bundle: a Bundle of its own (`collection`), so that a consent for one class does not open the rest. */
export interface ClassGroup {
  readonly recordClass: RecordClass;
  readonly bytes: Uint8Array;
  /** Positions of its entries in the Bundle they came from. */
  readonly entries: readonly number[];
}

/**
 * Splits a Bundle by class, groups in the order in which their class first appears. Every resource is in exactly one group, with its
 * original bytes; references between groups stay as they are, by fullUrl. Entries without a resource are in none.
 */
export function splitByClass(bundle: AcceptedBundle): ClassGroup[] {
  const groups = new Map<string, { recordClass: RecordClass; entries: BundleEntry[] }>();
  for (const entry of bundle.entries) {
    if (entry.resource === undefined) continue;
    invariant(entry.recordClass !== undefined, "an accepted resource has a class");
    const key = classKey(entry.recordClass);
    const group = groups.get(key) ?? { recordClass: entry.recordClass, entries: [] };
    group.entries.push(entry);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ recordClass, entries }) => ({
    recordClass,
    bytes: assemble(bundle, '"type":"collection"', entries, ""),
    entries: entries.map((entry) => entry.index),
  }));
}

function assemble(bundle: AcceptedBundle, head: string, entries: readonly BundleEntry[], tail: string): Uint8Array {
  const parts: Uint8Array[] = [Buffer.from(`{"resourceType":"Bundle",${head}`, "utf8")];
  for (const [position, entry] of entries.entries()) {
    parts.push(
      Buffer.from(`${position === 0 ? ',"entry":[' : ","}{"fullUrl":${JSON.stringify(identityOf(entry))},"resource":`, "utf8"),
    );
    parts.push(resourceBytes(bundle, entry), Buffer.from(`${tail}}`, "utf8"));
  }
  parts.push(Buffer.from(entries.length === 0 ? "}" : "]}", "utf8"));
  return new Uint8Array(Buffer.concat(parts));
}

/** A transaction may leave identities to the server. Without one the entry is named by its place, in a form that is valid and stable. */
const identityOf = (entry: BundleEntry): string =>
  entry.fullUrl ?? `urn:uuid:00000000-0000-4000-8000-${entry.index.toString(16).padStart(12, "0")}`;
