/** `xinglin record …`: what a hospital does with its records. Source: requirements C3, C8, D1, D8, J3. */

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { category, level, type Operation, type RecordClass } from "@xinglin/contracts";
import {
  type Anchored,
  amendBundle,
  amendDicom,
  bytesText,
  changeAllergy,
  importBundle,
  importDicom,
  instantInShanghai,
  type KeyOfFile,
  progressBar,
  refileBundle,
  requireAccepted,
} from "@xinglin/gateway";
import { type ActorId, actorId, Fault, type RecordId, recordId } from "@xinglin/primitives";
import type { Command, Context } from "../command.ts";
import { codeText, tellPromises } from "../tell-promise.ts";
import { importingGateway } from "./importing-gateway.ts";

/** Where a member keeps its own originals of FHIR records. */
const originals = ({ data }: Context, by: KeyOfFile): string => join(data, "members", by.member, "originals");

const device = (context: Context): { device?: KeyOfFile } =>
  context.text("device") === undefined ? {} : { device: context.key("device") };

function told(context: Context, records: readonly Anchored[]): void {
  for (const record of records) {
    context.tell("record.anchored", {
      record: record.record,
      version: record.version,
      class: `${record.class.category}/${record.class.level}`,
      size: bytesText(record.sizeBytes),
      stored: bytesText(record.storedBytes),
      code: codeText(record.promise),
      shared: bytesText(record.sharedBytes),
      operation: record.operationBytes,
      height: record.height,
    });
    if (record.sharedBytes > 0 && !context.json) context.say.plain("record.shared", { bytes: bytesText(record.sharedBytes) });
  }
  tellPromises(context.say, records);
  tellUndescribed(context, records);
}

/** On the stream for troubles: what was imported is imported. */
export function tellUndescribed({ say }: Context, imported: readonly { readonly undescribed?: string }[]): void {
  const code = imported.find(({ undescribed }) => undescribed !== undefined)?.undescribed;
  if (code !== undefined) process.stderr.write(`${say.text("search.undescribed", { code })}\n`);
}

/** `xinglin record import dicom FOLDER` or `… fhir FILE`. */
export const importFiles: Command = {
  words: "record import",
  options: { patient: { type: "string" }, device: { type: "string" }, profile: { type: "string" } },
  positionals: ["dicom|fhir", "PATH"],
  async run(context) {
    const [kind, path] = context.positionals;
    if (path === undefined || (kind !== "dicom" && kind !== "fhir"))
      throw new Fault("option_missing", { option: "dicom FOLDER | fhir FILE" });
    const by = context.key();
    const bar = progressBar(context.say.text("progress.import"));
    const abort = new AbortController();
    process.once("SIGINT", () => abort.abort());
    const options = {
      by,
      ...device(context),
      patient: actorId.parse(context.need("patient")),
      onProgress: bar.update,
      signal: abort.signal,
    };
    const gateway = importingGateway(context);
    const records =
      kind === "dicom"
        ? [(await importDicom(gateway, resolve(path), options)).record]
        : (await importBundle(gateway, resolve(path), { ...options, originals: originals(context, by) })).records;
    bar.end();
    told(context, records);
  },
};

interface RecordRow {
  readonly record: RecordId;
  readonly version: number;
  readonly class: { level: string; category: string };
  readonly patient: ActorId;
}

async function findRecord(context: Context, by: KeyOfFile): Promise<{ record: RecordId; version: number; class: RecordClass }> {
  const id = recordId.parse(context.need("record"));
  const row = (await context.gateway().client.getJson(`/v1/records/${id}`, by)) as RecordRow;
  return {
    record: id,
    version: row.version,
    class: { level: level.parse(row.class.level), category: category.parse(row.class.category) },
  };
}

/** A new version: of a study (`--dicom FOLDER`), of a whole Bundle (`--file`), or of its first allergy (`--allergy low|high`). */
export const amend: Command = {
  words: "record amend",
  options: {
    record: { type: "string" },
    device: { type: "string" },
    dicom: { type: "string" },
    file: { type: "string" },
    allergy: { type: "string" },
  },
  async run(context) {
    const by = context.key();
    const record = await findRecord(context, by);
    const options = { by, ...device(context), originals: originals(context, by) };
    const folder = context.text("dicom");
    if (folder !== undefined) return told(context, [await amendDicom(context.gateway(), record, resolve(folder), options)]);
    const criticality = context.text("allergy");
    if (criticality !== undefined) {
      if (criticality !== "low" && criticality !== "high")
        throw new Fault("option_wrong", { option: "--allergy", expected: "low|high" });
      const lastUpdated = instantInShanghai(Math.floor(Date.now() / 1000));
      return told(context, [await changeAllergy(context.gateway(), record, { criticality, lastUpdated }, options)]);
    }
    told(context, [await amendBundle(context.gateway(), record, readFileSync(resolve(context.need("file"))), options)]);
  },
};

/** For a record that was put under the wrong patient: the corrected Bundle (`--file`) or study (`--dicom FOLDER`) goes under `--to`, the old version is closed. */
export const refile: Command = {
  words: "record refile",
  options: {
    record: { type: "string" },
    device: { type: "string" },
    dicom: { type: "string" },
    file: { type: "string" },
    to: { type: "string" },
  },
  async run(context) {
    const by = context.key();
    const record = await findRecord(context, by);
    const to = actorId.parse(context.need("to"));
    const folder = context.text("dicom");
    if (folder !== undefined)
      return told(context, [await amendDicom(context.gateway(), record, resolve(folder), { by, to, ...device(context) })]);
    const bytes = readFileSync(resolve(context.need("file")));
    told(context, [
      await refileBundle(context.gateway(), record, to, bytes, { by, ...device(context), originals: originals(context, by) }),
    ]);
  },
};

export const withdraw: Command = {
  words: "record withdraw",
  options: { record: { type: "string" }, device: { type: "string" } },
  async run(context) {
    const by = context.key();
    const record = recordId.parse(context.need("record"));
    const credential = by.credential === undefined ? {} : { credential: by.credential };
    const operation: Operation = { op: "withdrawRecord", record, ...credential };
    const receipt = requireAccepted(await context.gateway().client.submit(by, [operation], device(context)));
    context.tell("record.withdrawn", { record, height: receipt.height });
  },
};

export const list: Command = {
  words: "record list",
  options: { patient: { type: "string" } },
  async run(context) {
    const by = context.key();
    const patient = actorId.parse(context.need("patient"));
    const { items } = (await context.gateway().client.getJson(`/v1/patients/${patient}/records`, by)) as {
      items: (RecordRow & { status: string })[];
    };
    if (context.json) return context.print(items);
    for (const { record, version, class: recordClass, status } of items)
      context.tell("record.line", { record, version, class: `${recordClass.category}/${recordClass.level}`, status });
  },
};
