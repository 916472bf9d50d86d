/**
 * Describing records for searches: what was imported, in coded values, filed at the source's own node. An import is done when the chain names it; a description
 * that could not be filed is told, and `rebuildDescriptions` makes up for it. Source: requirement D7; docs/internals/search.md.
 */
import type { ApiClient } from "@xinglin/client";
import { type DescribedRecord, type Description, filingAnswer, MAX_DESCRIPTIONS, type MedicalRecord } from "@xinglin/contracts";
import { describeResources, describeStudy, readDicomFile } from "@xinglin/interop";
import { cbor, Fault, type RecordId } from "@xinglin/primitives";
import type { KeyOfFile } from "./key-file.ts";

const MAX_ANSWER_BYTES = 65_536;

/** What became of descriptions: how many the node keeps, and which it does not and why. */
export interface FiledDescriptions {
  readonly kept: number;
  readonly refused: readonly { readonly record: RecordId; readonly code: string }[];
}

/** Files descriptions at the node behind `client`. Throws what the node answers; what it kept by then stays. */
export async function fileDescriptions(
  client: ApiClient,
  by: KeyOfFile,
  records: readonly DescribedRecord[],
): Promise<FiledDescriptions> {
  const credential = by.credential === undefined ? {} : { credential: by.credential };
  const refused: FiledDescriptions["refused"][number][] = [];
  let kept = 0;
  for (let at = 0; at < records.length; at += MAX_DESCRIPTIONS) {
    const filing = cbor.encode({ ...credential, records: records.slice(at, at + MAX_DESCRIPTIONS) });
    const answer = await client.postBytes("/v1/search/descriptions", filing, by);
    const told = filingAnswer.parse(cbor.decode(answer, MAX_ANSWER_BYTES));
    kept += told.kept;
    refused.push(...told.refused);
  }
  return { kept, refused };
}

/** Files descriptions of what was just imported. The code of what kept any of them from being filed; undefined if nothing did. */
export async function describeImported(
  client: ApiClient,
  by: KeyOfFile,
  records: readonly DescribedRecord[],
): Promise<string | undefined> {
  try {
    return (await fileDescriptions(client, by, records)).refused[0]?.code;
  } catch (error) {
    if (error instanceof Fault) return error.code;
    throw error;
  }
}

/** The description of a small record's content; undefined for what can't be read as its format says. */
export async function describeContent(format: MedicalRecord["format"], content: Uint8Array): Promise<Description | undefined> {
  if (format === "fhir") return describeResources(content);
  try {
    return describeStudy([await readDicomFile(content)]);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
