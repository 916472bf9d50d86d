/**
 * Describing a member's records anew from its own originals: after the database of its node was lost, or where a description could not be filed.
 * Source: requirement D7; docs/internals/search.md.
 */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { category, type DescribedRecord, type Description, level, version } from "@xinglin/contracts";
import { describeResources, describeStudy, readDicomSeries } from "@xinglin/interop";
import { Fault, memberId, type RecordId, schema } from "@xinglin/primitives";
import type { BatchLeaves } from "./batch-leaves.ts";
import { describeContent, type FiledDescriptions, fileDescriptions } from "./describe-records.ts";
import type { Gateway } from "./keep-record.ts";
import type { KeyOfFile } from "./key-file.ts";

/** Records that are described before they are filed together. */
const TOGETHER = 200;
const ORIGINAL = /^([0-9a-f]{32})\.json$/;

const recordShape = schema.object({
  version,
  source: memberId,
  class: schema.object({ level, category }),
  status: schema.text(16),
});

/** What a node says of a record, if it shows it and the record may be read still. */
async function currentVersion({ client }: Pick<Gateway, "client">, by: KeyOfFile, record: RecordId): Promise<number | undefined> {
  let told: Record<string, unknown>;
  try {
    told = (await client.getJson(`/v1/records/${record}`, by)) as Record<string, unknown>;
  } catch (error) {
    if (error instanceof Fault && error.code === "not_visible") return undefined;
    throw error;
  }
  const { version: newest, source, class: recordClass, status } = told;
  const known = recordShape.parse({ version: newest, source, class: recordClass, status });
  return known.source === by.member && known.status === "current" ? known.version : undefined;
}

/** Files what `described` yields, some at a time. */
async function fileAll(
  { client }: Pick<Gateway, "client">,
  by: KeyOfFile,
  described: AsyncIterable<DescribedRecord>,
): Promise<FiledDescriptions> {
  const refused: FiledDescriptions["refused"][number][] = [];
  let kept = 0;
  let waiting: DescribedRecord[] = [];
  const file = async (): Promise<void> => {
    const told = await fileDescriptions(client, by, waiting);
    kept += told.kept;
    refused.push(...told.refused);
    waiting = [];
  };
  for await (const one of described) {
    waiting.push(one);
    if (waiting.length >= TOGETHER) await file();
  }
  await file();
  return { kept, refused };
}

const ofRecord = (record: RecordId, version: number, description: Description): DescribedRecord => ({
  kind: "record",
  record,
  version,
  description,
});

/** Describes every FHIR record whose original lies in `originals` and that is current. Originals of records that ended are passed over. */
export const rebuildFromOriginals = (
  gateway: Pick<Gateway, "client">,
  by: KeyOfFile,
  originals: string,
): Promise<FiledDescriptions> => fileAll(gateway, by, describeOriginals(gateway, by, originals));

async function* describeOriginals(
  gateway: Pick<Gateway, "client">,
  by: KeyOfFile,
  originals: string,
): AsyncGenerator<DescribedRecord> {
  for (const name of namesIn(originals)) {
    const record = ORIGINAL.exec(name)?.[1] as RecordId | undefined;
    if (record === undefined) continue;
    const newest = await currentVersion(gateway, by, record);
    if (newest !== undefined) yield ofRecord(record, newest, describeResources(readFileSync(join(originals, name))));
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // nothing was ever imported
  }
}

/** Describes one DICOM record from the folder of its original. Throws `record_unknown`, and what reading the folder throws. */
export async function rebuildFromStudy(
  gateway: Pick<Gateway, "client">,
  by: KeyOfFile,
  record: RecordId,
  folder: string,
): Promise<FiledDescriptions> {
  const newest = await currentVersion(gateway, by, record);
  if (newest === undefined) throw new Fault("record_unknown", { record });
  const { instances } = await readDicomSeries(folder);
  return fileDescriptions(gateway.client, by, [ofRecord(record, newest, describeStudy(instances))]);
}

/** A small record's id and its content, as it was imported. */
export interface SmallOriginal {
  readonly record: RecordId;
  readonly content: Uint8Array;
}

/** Describes records of batches from their contents; their leaves say whose they are. Throws `leaf_unknown`; erased ones are passed over. */
export const rebuildFromBatch = (
  gateway: Pick<Gateway, "client">,
  by: KeyOfFile,
  leaves: BatchLeaves,
  originals: AsyncIterable<SmallOriginal>,
): Promise<FiledDescriptions> => fileAll(gateway, by, describeLeaves(leaves, originals));

async function* describeLeaves(leaves: BatchLeaves, originals: AsyncIterable<SmallOriginal>): AsyncGenerator<DescribedRecord> {
  for await (const { record, content } of originals) {
    const found = leafOf(leaves, record);
    const description = found === undefined ? undefined : await describeContent(found.leaf.format, content);
    if (found === undefined || description === undefined) continue;
    const { root, leaf } = found;
    yield { kind: "leaf", record, root, patient: leaf.patient, class: leaf.class, description };
  }
}

function leafOf(leaves: BatchLeaves, record: RecordId): ReturnType<BatchLeaves["find"]> | undefined {
  try {
    return leaves.find(record);
  } catch (error) {
    if (error instanceof Fault && error.code === "leaf_erased") return undefined;
    throw error;
  }
}
