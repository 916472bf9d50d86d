/**
 * `xinglin search …`: which records a doctor or researcher may ask for that are of some kind, and the upkeep of what is searched.
 * Source: requirement D7; docs/internals/search.md; docs/guides/share-a-study.md.
 */
import { createReadStream, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import {
  BODY_PARTS,
  category,
  FHIR_STATUSES,
  type FoundRecord,
  MANUFACTURERS,
  MODALITIES,
  PURPOSES,
  type Purpose,
  type SearchCriteria,
  searchCriteria,
} from "@xinglin/contracts";
import {
  batchLeaves,
  type FiledDescriptions,
  rebuildFromBatch,
  rebuildFromOriginals,
  rebuildFromStudy,
  type SearchOutcome,
  type SmallOriginal,
  searchRecords,
  shanghaiTime,
} from "@xinglin/gateway";
import { monthOf, parseSearchCode } from "@xinglin/interop";
import { credentialId, Fault, recordId, toHex } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { wordOf } from "../fault-sentence.ts";

const MICROMETRES = 1_000;
const DEFAULT_RECORDS = 50;
const MAX_RECORDS = 10_000;

const text = { type: "string" } as const;

/** `xinglin search --purpose TREAT --modality CT --body-part CHEST --slice 1.5 --from 2025-01 --to 2025-12`, or `--type Observation --code "LOINC|2345-7"`. */
export const search: Command = {
  words: "search",
  options: {
    purpose: text,
    approval: text,
    credential: text,
    category: text,
    modality: text,
    "body-part": text,
    manufacturer: text,
    slice: text,
    contrast: text,
    type: text,
    code: text,
    status: text,
    from: text,
    to: text,
    limit: text,
  },
  async run(context) {
    const by = context.key();
    const approval = context.text("approval");
    const query = {
      purpose: purposeOf(context),
      credential: credentialId.parse(context.text("credential") ?? by.credential ?? ""),
      ...(approval === undefined ? {} : { approval: credentialId.parse(approval) }),
      criteria: criteriaOf(context),
    };
    const limit = context.number("limit", DEFAULT_RECORDS);
    if (limit < 1 || limit > MAX_RECORDS) throw new Fault("option_wrong", { option: "--limit", expected: `1..${MAX_RECORDS}` });
    const found = await searchRecords(context.gateway(), by, query, { limit });
    if (context.json) return context.print(found);
    tellFound(context, found);
  },
};

function purposeOf(context: Context): Purpose {
  const told = context.text("purpose") ?? "TREAT";
  const known = PURPOSES.find((one) => one === told);
  if (known === undefined) throw new Fault("option_wrong", { option: "--purpose", expected: PURPOSES.join("|") });
  return known;
}

/** What the options ask for. A value outside of the lists would find nothing, so it is told. */
function criteriaOf(context: Context): SearchCriteria {
  const told = <Value>(name: string, expected: string, read: (value: string) => Value | undefined): Value | undefined => {
    const value = context.text(name);
    const parsed = value === undefined ? undefined : read(value);
    if (value !== undefined && parsed === undefined) throw new Fault("option_wrong", { option: `--${name}`, expected });
    return parsed;
  };
  const among = (name: string, list: readonly string[], write: (value: string) => string = (value) => value) =>
    told(name, list.join("|"), (value) => list.find((one) => one === write(value)));
  const criteria = {
    category: told("category", "imaging|laboratory|…", (value) => tried(() => category.parse(value))),
    modality: among("modality", MODALITIES, (value) => value.toUpperCase()),
    bodyPart: among("body-part", BODY_PARTS, (value) => value.toUpperCase()),
    manufacturer: among("manufacturer", MANUFACTURERS, (value) => value.toUpperCase()),
    maxSliceMicrometres: told("slice", "MM, for example 1.5", micrometres),
    contrast: told("contrast", "yes|no", (value) => (value === "yes" ? true : value === "no" ? false : undefined)),
    resourceType: told("type", "Observation|Condition|…", (value) => (/^[A-Z][A-Za-z]{1,63}$/.test(value) ? value : undefined)),
    code: told("code", "LOINC|SNOMED|ICD-10|ATC, then | and the code, for example LOINC|2345-7", parseSearchCode),
    status: among("status", FHIR_STATUSES),
    fromMonth: told("from", "YYYY-MM", monthOf),
    toMonth: told("to", "YYYY-MM", monthOf),
  };
  return searchCriteria.parse(Object.fromEntries(Object.entries(criteria).filter(([, value]) => value !== undefined)));
}

const micrometres = (value: string): number | undefined => {
  const thickness = /^\d{1,3}(\.\d{1,3})?$/.test(value) ? Math.round(Number(value) * MICROMETRES) : 0;
  return thickness > 0 ? thickness : undefined;
};

function tried<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}

function tellFound(context: Context, { records, nodes, unasked }: SearchOutcome): void {
  const { say } = context;
  for (const record of records)
    context.tell(record.batch === undefined ? "search.line" : "search.line_batch", factsOf(record, say.language));
  if (records.length === 0) say.plain("search.none");
  for (const { members, url, code, more } of nodes) {
    const facts = { members: members.join(", "), url };
    if (code !== undefined) say.plain("search.no_answer", { ...facts, code });
    else if (more) say.plain("search.more", facts);
  }
  if (unasked.length > 0) say.plain("search.unasked", { members: unasked.join(", ") });
}

function factsOf(found: FoundRecord, language: Context["say"]["language"]): Record<string, string | number> {
  const { record, version, batch, member, patient, month, basis } = found;
  return {
    record,
    ...(version === undefined ? {} : { version }),
    ...(batch === undefined ? {} : { batch: toHex(batch) }),
    member,
    patient,
    month: month === undefined ? "–" : `${Math.floor(month / 100)}-${String(month % 100).padStart(2, "0")}`,
    category: wordOf("category", found.class.category, language),
    level: wordOf("level", found.class.level, language),
    basis: wordOf("basis", basis, language),
  };
}

/** Describes the member's own records anew: FHIR records from the originals in the data folder, others from what the options name. */
export const rebuild: Command = {
  words: "search rebuild",
  options: { record: text, dicom: text, batch: text, ids: text },
  async run(context) {
    const by = context.key();
    const gateway = context.gateway();
    const [dicom, batch] = [context.text("dicom"), context.text("batch")];
    let filed: FiledDescriptions;
    if (dicom !== undefined) filed = await rebuildFromStudy(gateway, by, recordId.parse(context.need("record")), resolve(dicom));
    else if (batch !== undefined) {
      const originals = smallOriginals(resolve(batch), resolve(context.need("ids")));
      filed = await rebuildFromBatch(gateway, by, batchLeaves(context.data, by.member), originals);
    } else filed = await rebuildFromOriginals(gateway, by, join(context.data, "members", by.member, "originals"));
    if (context.json) return context.print(filed);
    context.tell("search.rebuilt", { kept: filed.kept });
    for (const { record, code } of filed.refused) context.say.plain("search.not_kept", { record, code });
  },
};

/** The lines of a `batch import`, each with the id that its `--out` gave it. */
async function* smallOriginals(file: string, ids: string): AsyncGenerator<SmallOriginal> {
  const records = readFileSync(ids, "utf8").split("\n");
  let number = 0;
  let at = 0;
  for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (line.trim() === "") continue;
    const resource = tried(() => (JSON.parse(line) as { resource?: unknown }).resource);
    const record = tried(() => recordId.parse(records[at++]));
    if (typeof resource !== "object" || resource === null || record === undefined)
      throw new Fault("batch_line_wrong", { line: number, reason: record === undefined ? "no_id" : "/resource" });
    yield { record, content: Buffer.from(JSON.stringify(resource)) };
  }
}

interface LoggedLine {
  readonly number: number;
  readonly time: number;
  readonly actor: string;
  readonly member: string;
  readonly purpose: string;
  readonly criteria: object;
  readonly shown: number;
}

/** Who searched the node and for what; newest first. */
export const log: Command = {
  words: "search log",
  options: { before: text },
  async run(context) {
    const { say } = context;
    const from = context.text("before") === undefined ? "" : `&before=${context.number("before", 0)}`;
    const page = (await context.gateway().client.getJson(`/v1/searches?limit=${DEFAULT_RECORDS}${from}`, context.key())) as {
      items: readonly LoggedLine[];
      next?: number;
    };
    if (context.json) return context.print(page);
    for (const { number, time, actor, member, purpose, criteria, shown } of page.items)
      say.plain("search.logged", {
        number,
        time: shanghaiTime(time),
        actor,
        member,
        purpose: wordOf("purpose", purpose, say.language),
        criteria: JSON.stringify(criteria),
        shown,
      });
    if (page.next !== undefined) say.plain("search.log_more", { next: page.next });
  },
};
